"""The transparency log from outside: C2SP tlog-tiles and signed notes, with RFC 6962 trees, in Python and nothing of Kaname's."""

import base64
import hashlib
import os
import time

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lib.check import check, end

URL = os.environ["KANAME_JAPAN_URL"]
HIGH = 256


def get(path):
    answer = requests.get(f"{URL}/log/{path}", timeout=20)
    answer.raise_for_status()
    return answer.content


def verified(note, vkey):
    """Origin, size and root of a checkpoint whose signature is right (C2SP signed-note, tlog-checkpoint)."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1, "an Ed25519 key"
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id, "the key's id"
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if dash == "\u2014" and signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            return origin, int(size), base64.b64decode(root)
    raise InvalidSignature("no signature by this key")


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root_of(hashes):
    """The Merkle tree hash (RFC 6962 section 2.1) over hashes of leaves."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(hashes[:split]) + root_of(hashes[split:])).digest()


def tile(level, index, size):
    """Path of a tile; the last one of a level is partial."""
    width = min(HIGH, (size >> 8 * level if level != "entries" else size) - index * HIGH)
    digits = f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}"
    return f"tile/{level}/{digits}" + ("" if width == HIGH else f".p/{width}")


def entries(size):
    for index in range(-(-size // HIGH)):
        bundle = get(tile("entries", index, size))
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]


VKEY = get("vkey").decode().strip()
CHECKPOINT = get("checkpoint").decode()
ORIGIN, SIZE, ROOT = verified(CHECKPOINT, VKEY)
ENTRIES = list(entries(SIZE))


@check("the checkpoint is signed with the published key")
def _():
    assert ORIGIN == VKEY.split("+")[0] and SIZE > HIGH, (ORIGIN, SIZE)


@check("a checkpoint with one figure changed is not")
def _():
    try:
        verified(CHECKPOINT.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n"), VKEY)
    except InvalidSignature:
        return
    raise AssertionError("a false size was taken")


@check("the entries make the root of the checkpoint")
def _():
    assert len(ENTRIES) == SIZE
    assert root_of([leaf(entry) for entry in ENTRIES]) == ROOT
    assert root_of([leaf(entry) for entry in ENTRIES[:-1] + [b"another"]]) != ROOT


@check("the hash tiles hold the hashes of the entries, on both levels")
def _():
    hashes = [leaf(entry) for entry in ENTRIES]
    for level in (0, 1):
        content = b"".join(get(tile(level, index, SIZE)) for index in range(-(-len(hashes) // HIGH)))
        assert content == b"".join(hashes), f"level {level}"
        hashes = [root_of(hashes[at : at + HIGH]) for at in range(0, len(hashes) - HIGH + 1, HIGH)]


@check("no entry names or numbers anybody")
def _():
    with open(os.path.join(os.environ["KANAME_JAPAN_DATA"], "residents.csv"), encoding="utf-8") as file:
        lines = [line.split(",") for line in file.read().splitlines()[1:]]
    known = {cell.encode() for line in lines for cell in (line[0], line[3], line[7])}
    everything = b"".join(ENTRIES)
    assert not [cell for cell in known if cell in everything]


@check("the log only grows: a later checkpoint keeps the entries of the earlier")
def _():
    requests.get(URL + "/signin", timeout=20)
    time.sleep(1.5)
    _, size, root = verified(get("checkpoint").decode(), VKEY)
    later = list(entries(size))
    assert size >= SIZE and later[:SIZE] == ENTRIES
    assert root_of([leaf(entry) for entry in later]) == root


end()
