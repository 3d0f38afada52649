"""Damage to bytes: small edits of files that are sound, so that what is fuzzed gets past the first check."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

KINDS = ("put", "insert", "delete", "repeat", "flip", "cut", "swap", "word")
NUMBERS = (
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
)


class Edit(NamedTuple):
    """One piece of damage: what, where (a share of the length), how much, and with which bytes."""

    kind: str
    place: float
    size: int
    value: bytes


def damaged(data: bytes, edits: Sequence[Edit], words: Sequence[bytes] = ()) -> bytes:
    """Return the bytes with each edit made in turn."""
    for edit in edits:
        data = _damaged(data, edit, words)
    return data


def _damaged(data: bytes, edit: Edit, words: Sequence[bytes]) -> bytes:
    at = min(int(edit.place * (len(data) + 1)), len(data))
    end = at + edit.size
    match edit.kind:
        case "put":
            return data[:at] + edit.value + data[at + len(edit.value) :]
        case "insert":
            return data[:at] + edit.value + data[at:]
        case "delete":
            return data[:at] + data[end:]
        case "repeat":
            return data[:end] + data[at:end] * (1 + edit.size % 7) + data[end:]
        case "flip":
            return data[:at] + bytes(byte ^ 1 << edit.size % 8 for byte in data[at : at + 1]) + data[at + 1 :]
        case "cut":
            return data[:at]
        case "swap":
            return data[:at] + data[end : end + edit.size] + data[at:end] + data[end + edit.size :]
        case _:
            word = words[edit.size % len(words)] if words else edit.value
            return data[:at] + word + data[at + (len(word) if edit.size % 2 else 0) :]


EDITS = st.lists(
    st.builds(
        Edit,
        st.sampled_from(KINDS),
        st.floats(0, 1),
        st.integers(0, 40),
        st.sampled_from(NUMBERS) | st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
)
"""For hypothesis, which makes a failing case small."""


def random_edits(chance: random.Random) -> list[Edit]:
    """Return the same without hypothesis, for millions of cases."""
    return [
        Edit(
            chance.choice(KINDS),
            chance.random(),
            int(chance.expovariate(1 / 12)),
            chance.choice(NUMBERS) if chance.random() < 0.4 else chance.randbytes(chance.randint(1, 4)),
        )
        for _ in range(1 + int(chance.expovariate(1 / 2)))
    ]
