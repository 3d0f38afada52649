"""What Python libraries read in a MIDI file: mido, pretty_midi, symusic, music21, and symgen itself."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.interchange_facts import Facts, changes, metres, n_bars

__all__ = ["READERS", "quiet"]


def _mido(path: Path) -> Facts:
    import mido

    file = mido.MidiFile(path, charset="utf-8")
    said: list[tuple[int, Any]] = []
    names, ends, n_notes = [], [], 0
    for track in file.tracks:
        now, n_own, name = 0, 0, ""
        for message in track:
            now += message.time
            said.append((now, message))
            n_own += message.type == "note_on" and message.velocity > 0
            name = name or (message.name if message.type == "track_name" else "")
        names += [name] if n_own else []
        ends.append(now)
        n_notes += n_own
    said.sort(key=lambda pair: pair[0])
    tempos = [60e6 / m.tempo for _, m in said if m.type == "set_tempo"]
    meters = [(t, m.numerator, m.denominator) for t, m in said if m.type == "time_signature"]
    keys = [_key(m.key) for _, m in said if m.type == "key_signature"]
    bars = n_bars(meters, max(ends), file.ticks_per_beat)
    return Facts(changes(tempos or [120.0]), metres(meters), changes(keys), tuple(sorted(names)), n_notes, (bars,))


_NAMES = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")


def _key(name: str) -> tuple[int, int]:
    """Return sharps and mode of a key such as Bbm."""
    return (_NAMES.index(name[:-1]) - 10, 1) if name.endswith("m") else (_NAMES.index(name) - 7, 0)


_NAMES_OF_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def _pretty_midi(path: Path) -> Facts:
    import pretty_midi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        midi = pretty_midi.PrettyMIDI(str(path))
    _, tempos = midi.get_tempo_changes()
    meters = [
        (midi.time_to_tick(c.time) / midi.resolution, c.numerator, c.denominator) for c in midi.time_signature_changes
    ]
    # It holds the pitch class of the tonic, so that Gb is F#.
    keys = [_key(_NAMES_OF_CLASSES[c.key_number % 12] + "m" * (c.key_number > 11)) for c in midi.key_signature_changes]
    parts = [part for part in midi.instruments if part.notes]
    last = max((note.end for part in parts for note in part.notes), default=0.0)
    bars = n_bars(meters, midi.time_to_tick(last) / midi.resolution)
    names = tuple(sorted(part.name for part in parts))
    n_notes = sum(len(part.notes) for part in parts)
    return Facts(changes(map(float, tempos)), metres(meters), changes(keys), names, n_notes, (bars,))


def _symusic(path: Path) -> Facts:
    import symusic

    midi: Any = symusic.Score(str(path))
    meters = [(c.time, c.numerator, c.denominator) for c in midi.time_signatures]
    keys = [(c.key, c.tonality) for c in midi.key_signatures]
    parts = [part for part in midi.tracks if len(part.notes)]
    bars = n_bars(meters, midi.end(), midi.ticks_per_quarter)
    tempos = [60e6 / c.mspq for c in midi.tempos]
    names, n_notes = tuple(sorted(part.name for part in parts)), sum(len(part.notes) for part in parts)
    return Facts(changes(tempos or [120.0]), metres(meters), changes(keys), names, n_notes, (bars,))


def _music21(path: Path) -> Facts:
    import music21

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream: Any = music21.converter.parse(str(path), format="midi", forceSource=True, quantizePost=False)
    parts = [part for part in stream.parts if len(part.flatten().notes)]
    first = stream.parts[0]

    def said(kind: Any) -> list[Any]:
        found = {float(one.getOffsetInHierarchy(first)): one for one in first.recurse().getElementsByClass(kind)}
        return [found[at] for at in sorted(found)]

    tempos = [float(mark.getQuarterBPM()) for mark in said(music21.tempo.MetronomeMark)]
    meters = [(0, one.numerator, one.denominator) for one in said(music21.meter.TimeSignature)]
    keys = [(one.sharps, int(one.mode == "minor")) for one in said(music21.key.Key)]
    heads = [head for part in parts for sound in part.flatten().notes for head in (sound if sound.isChord else [sound])]
    n_notes = sum(head.tie is None or head.tie.type == "start" for head in heads)
    bars = max((len(part.getElementsByClass(music21.stream.Measure)) for part in parts), default=0)
    names = tuple(sorted(part.partName or "" for part in parts))
    return Facts(changes(tempos or [120.0]), metres(meters), changes(keys), names, n_notes, (bars,))


READERS: dict[str, Callable[[Path], Facts]] = {
    "mido": _mido,
    "pretty_midi": _pretty_midi,
    "symusic": _symusic,
    "music21": _music21,
}


def quiet(read: Callable[[Path], Facts], path: Path) -> Facts | str:
    """Return what a library reads, or the error it ends with."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return read(path)
    except Exception as error:  # whatever a foreign reader raises is its answer
        return f"{type(error).__name__}: {error}"[:200]
