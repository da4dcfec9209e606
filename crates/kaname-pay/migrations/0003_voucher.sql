-- Until when a voucher is paid out (a moment of that day), and the id of the officer who printed it last: somebody else pays it out.
ALTER TABLE pay_voucher ADD COLUMN valid_until BIGINT;
ALTER TABLE pay_voucher ADD COLUMN printed_by BYTEA;

-- A person's vouchers, when she stands at a counter.
CREATE INDEX pay_voucher_payee ON pay_voucher (bucket, payee);
