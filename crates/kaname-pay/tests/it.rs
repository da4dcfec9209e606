//! The ledger, payee accounts and payout runs, on every store.

mod it {
    mod books;
    mod instant;
    mod instant_faults;
    mod instant_rules;
    mod instant_world;
    mod killed;
    mod ledger;
    mod model;
    mod payee;
    mod payout;
    mod reports;
    mod retries;
    mod rights;
    mod rules;
    mod vouchers;
    mod world;
}
