"""Told to Schemathesis beside a token: how lists are written, which are plain text to it."""

import schemathesis

import lib.token_hook


@schemathesis.serializer("text/csv", "application/x-ndjson", "application/jsonl")
def plain(ctx, value):
    return value.encode() if isinstance(value, str) else str(value).encode()
