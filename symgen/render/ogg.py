"""The serial number of an Ogg stream, which encoders draw by chance, made constant.

Every page carries the number and a checksum over all its bytes. The checksum is linear (a polynomial over GF(2),
started at 0), so that of the changed page is the old one plus that of the change alone, whose cost does not depend on
the length of the page.

References
----------
S. Pfeiffer, "The Ogg Encapsulation Format Version 0", RFC 3533, 2003.
"""

from __future__ import annotations

import struct
from functools import cache

__all__ = ["with_serial"]

_POLYNOMIAL = 0x104C11DB7
_SERIAL, _CHECKSUM, _N_SEGMENTS, _HEAD = 14, 22, 26, 27  # where they stand in a page; bytes before the segment table


def with_serial(data: bytes, serial: int) -> bytes:
    """Return an Ogg stream with another serial number.

    Parameters
    ----------
    data
        Whole pages of one stream.
    serial
        Below 2**32.
    """
    result, start = bytearray(data), 0
    while start < len(data):
        assert data[start : start + 4] == b"OggS", start
        lengths_end = start + _HEAD + data[start + _N_SEGMENTS]
        stop = lengths_end + sum(data[start + _HEAD : lengths_end])
        old, checksum = struct.unpack_from("<I4xI", data, start + _SERIAL)
        change = int.from_bytes((old ^ serial).to_bytes(4, "little"), "big")  # as the checksum reads bytes
        n_after = stop - start - _SERIAL - 4
        struct.pack_into("<I", result, start + _SERIAL, serial)
        struct.pack_into("<I", result, start + _CHECKSUM, checksum ^ _times(change, _power(8 * n_after + 32)))
        start = stop
    return bytes(result)


def _times(one: int, other: int) -> int:
    """Multiply two polynomials of bits, modulo that of the checksum."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        other >>= 1
        one <<= 1
        if one >> 32:
            one ^= _POLYNOMIAL
    return product


@cache
def _power(n: int) -> int:
    """Return the polynomial x to the n-th, modulo that of the checksum."""
    if n < 32:
        return 1 << n
    half = _power(n // 2)
    square = _times(half, half)
    return _times(square, 2) if n % 2 else square
