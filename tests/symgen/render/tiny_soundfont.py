"""A soundfont written byte by byte: one looped sine for every preset, so that tests know what must sound."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

RATE, ROOT_KEY = 44100, 69
_GAP = 46  # frames of silence that the format wants after every sample
_INSTRUMENT, _SAMPLE, _LOOPS = 41, 53, 54  # generators


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def listed(kind: bytes, *chunks: bytes) -> bytes:
    return chunk(b"LIST", kind + b"".join(chunks))


def soundfont_bytes(presets: Mapping[tuple[int, int], float]) -> bytes:
    """A soundfont whose (bank, program) sounds at so many Hz on key 69, following the keys; 0 Hz is silence."""
    places = sorted(presets)
    samples, headers, start = [], [], 0
    for index, place in enumerate(places):
        frequency = presets[place]
        period = round(RATE / frequency) if frequency else 100
        wave = np.sin(2 * np.pi * np.arange(40 * period) / period) * (20000 if frequency else 0)
        samples.append(np.concatenate([wave, np.zeros(_GAP)]).astype("<i2").tobytes())
        end = start + len(wave)
        name = b"sine %d" % index
        headers.append(struct.pack("<20s5IBbHH", name, start, end, start + period, end - period, RATE, 69, 0, 0, 1))
        start = end + _GAP
    presets_, instruments, preset_generators, instrument_generators = [], [], [], []
    for index, (bank, program) in enumerate(places):
        presets_.append(struct.pack("<20sHHHIII", b"preset", program, bank, index, 0, 0, 0))
        instruments.append(struct.pack("<20sH", b"instrument", index))
        preset_generators.append(struct.pack("<HH", _INSTRUMENT, index))
        instrument_generators.append(struct.pack("<HHHH", _LOOPS, 1, _SAMPLE, index))
    n = len(places)
    pdta = listed(
        b"pdta",
        chunk(b"phdr", b"".join(presets_) + struct.pack("<20sHHHIII", b"EOP", 0, 0, n, 0, 0, 0)),
        chunk(b"pbag", b"".join(struct.pack("<HH", i, 0) for i in range(n + 1))),
        chunk(b"pmod", bytes(10)),
        chunk(b"pgen", b"".join(preset_generators) + bytes(4)),
        chunk(b"inst", b"".join(instruments) + struct.pack("<20sH", b"EOI", n)),
        chunk(b"ibag", b"".join(struct.pack("<HH", 2 * i, 0) for i in range(n + 1))),
        chunk(b"imod", bytes(10)),
        chunk(b"igen", b"".join(instrument_generators) + bytes(4)),
        chunk(b"shdr", b"".join(headers) + struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    )
    info = listed(
        b"INFO", chunk(b"ifil", struct.pack("<HH", 2, 1)), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"tiny")
    )
    return chunk(b"RIFF", b"sfbk" + info + listed(b"sdta", chunk(b"smpl", b"".join(samples))) + pdta)
