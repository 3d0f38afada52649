"""A MIDI file to sound.

The file is read in Python (:mod:`symgen.io.smf`), turned into messages
(:mod:`symgen.render.performance`), played by FluidSynth in blocks of 64 frames
(:mod:`symgen.render.play`) and finished (:mod:`symgen.render.finish`), so the same file, soundfont and library
version give the same samples. Other versions of the library sound a little different by design.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symgen.errors import FileFormatError, RenderError, RequestError
from symgen.io.limits import Limits, limits_in_force
from symgen.io.smf import read_smf
from symgen.render.finish import Finish, Levelled, faded, levelled, peak_of
from symgen.render.library import Library, load_library
from symgen.render.performance import Performance, perform
from symgen.render.play import Playing, Progress, ended, play, play_apart, trimmed
from symgen.render.soundfont import find_soundfont

__all__ = ["Rendered", "Stem", "render"]

_FAINTEST = 1e-5  # -100 dBFS
_STEM_BYTES = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """The sound of one part.

    Parameters
    ----------
    name
        Of the part.
    samples
        As long as the mix, at its level; read-only.
    sample_rate
        Frames a second.
    """

    name: str
    samples: NDArray[np.float32]
    sample_rate: int


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What a mix was made with and how it was finished: enough to do the same to a part of it."""

    library: Library
    performance: Performance
    fonts: Mapping[int, Path]
    how: Playing
    finish: Finish
    n_played: int
    level: Levelled


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """Sound, and what it was made with.

    Parameters
    ----------
    samples
        Float32, shape (n_frames, 2): left and right, full scale at 1; read-only.
    sample_rate
        Frames a second.
    soundfont
        The file it was played with.
    library_version
        FluidSynth's.
    n_notes
        Notes played.
    warnings
        What was odd in the file and mended, and what the library complained about.
    part_fonts
        The name of each part that has notes, and the soundfont it was played with.
    library_source
        Where the library came from: ``system``, ``wheel`` or ``named``.
    loudness_lufs
        What it has; measured only where a loudness was asked for.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    soundfont: Path
    library_version: str
    n_notes: int
    warnings: tuple[str, ...] = ()
    part_fonts: tuple[tuple[str, Path], ...] = ()
    library_source: str = "system"
    loudness_lufs: float | None = None
    _made: _Made | None = field(default=None, repr=False)

    @property
    def duration_seconds(self) -> float:
        """How long it lasts, with its tail."""
        return len(self.samples) / self.sample_rate

    @property
    def peak(self) -> float:
        """The largest magnitude of any sample."""
        return peak_of(self.samples)

    def stems(self) -> Iterator[Stem]:
        """Play the piece once more, each part by itself with its share of the effects: the sum of all is the mix.

        Yields
        ------
        Stem
            One for each part that has notes, those of one soundfont together.

        Raises
        ------
        RenderError
            If an effect is not linear: the effects of the parts would not add up to that of the mix.

        Notes
        -----
        Takes some two or three times as long as the mix; and as much memory for every part, but at most 1 GiB at a time
        where one part does not need more.
        """
        if self._made is None:
            msg = "no stems: expected what render() gave"
            raise RenderError(msg)
        made = self._made
        check_stems(made.finish)
        n_at_once = max(1, _STEM_BYTES // (8 * made.n_played))
        for font, parts in _groups(made.performance, made.fonts).items():
            left = sorted(parts)
            while left:
                wanted, left = left[:n_at_once], left[n_at_once:]
                apart = play_apart(
                    made.library,
                    font,
                    made.performance,
                    made.how,
                    parts=parts,
                    wanted=set(wanted),
                    n_frames=made.n_played,
                )
                yield from (self._stem(part, apart.pop(part)) for part in wanted)

    def _stem(self, part: int, raw: NDArray[np.float32]) -> Stem:
        assert self._made is not None
        samples = _finished(raw, self._made.how, self._made.finish, len(self.samples))
        self._made.level.apply(samples)
        samples.setflags(write=False)
        return Stem(self._made.performance.part_names[part], samples, self.sample_rate)


def check_stems(finish: Finish) -> None:
    """Refuse stems of what does not add up.

    Raises
    ------
    RenderError
        If an effect is not linear.
    """
    if not finish.is_linear:
        wrong = next(effect.name for effect in finish.effects if not effect.kind.is_linear)
        msg = f"stems with the effect {wrong}: their sum would not be the mix; leave one of the two out"
        raise RenderError(msg)


def render(
    source: str | Path | bytes,
    *,
    soundfont: str | Path | None = None,
    soundfont_for: Mapping[str, str | Path] | None = None,
    sample_rate: int = 44100,
    reverb: bool = True,
    chorus: bool = True,
    tail_max_seconds: float = 10.0,
    finish: Finish | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Render a MIDI file to samples.

    Parameters
    ----------
    source
        A path, or the bytes of the file.
    soundfont
        A path or name; see :func:`symgen.render.soundfont.find_soundfont`.
    soundfont_for
        Others for some parts, by the names of their tracks (or ``drums``, ``channel 3``), in any case.
    sample_rate
        8000 to 96000 frames a second.
    reverb, chorus
        Whether FluidSynth's effects are on.
    tail_max_seconds
        How long notes may ring out after the last message, 0 to 60. The sound ends where no voice is active and
        250 ms lie 80 dB below the loudest sample; there it fades over 50 ms.
    finish
        Effects, fades and level; a peak of -1 dBFS if left out.
    limits
        What the file may ask for; those in force if left out.
    progress
        Called now and then; an exception in it stops the render.

    Raises
    ------
    FileFormatError
        If the file or the soundfont is damaged, or the file asks for too much or has no notes.
    MissingDependencyError
        If FluidSynth, a soundfont or the library of effects is missing.
    RenderError
        If the soundfont cannot be loaded, or the result is silent.
    RequestError
        If there is no part of a name.

    Notes
    -----
    Messages act at the nearest of FluidSynth's blocks of 64 frames, at most 0.8 ms away. The samples are
    held in memory: 20 MB a minute, and several times as much where a loudness is asked for.
    """
    how = Playing(sample_rate, reverb, chorus, tail_max_seconds)
    finish, limits = finish or Finish(), limits or limits_in_force()
    name = "MIDI bytes" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(Path(source), limits)
    performance = perform(read_smf(data, name, limits), name, limits)
    main = find_soundfont(soundfont)
    fonts = _fonts(performance, main, soundfont_for or {}, name)
    library = load_library()
    raw, warnings = _mixed(library, performance, fonts, how, progress)
    samples = _finished(raw, how, finish, None, end=how.end_frame(performance))
    _check_sound(samples, main)
    level = levelled(samples, how.sample_rate, finish)
    level.apply(samples)
    samples.setflags(write=False)
    return Rendered(
        samples,
        how.sample_rate,
        main,
        library.version,
        performance.n_notes,
        performance.warnings + warnings + ((level.warning,) if level.warning else ()),
        tuple((part_name, fonts[part]) for part, part_name in sorted(performance.part_names.items())),
        library.source,
        level.loudness_lufs,
        _Made(library, performance, fonts, how, finish, len(raw), level),
    )


def _fonts(performance: Performance, main: Path, others: Mapping[str, str | Path], name: str) -> dict[int, Path]:
    """Return the soundfont of every part."""
    fonts = dict.fromkeys(range(performance.n_parts), main)
    for wanted, soundfont in others.items():
        parts = performance.parts_named(wanted)
        if not parts:
            names = ", ".join(dict.fromkeys(performance.part_names.values()))
            msg = f"{name}: soundfont for {wanted!r}: no such part: expected one of {names}"
            raise RequestError(msg)
        fonts |= dict.fromkeys(parts, find_soundfont(soundfont))
    return fonts


def _mixed(
    library: Library, performance: Performance, fonts: Mapping[int, Path], how: Playing, progress: Progress | None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return the sum of what each soundfont plays, in the order of the parts."""
    groups = _groups(performance, fonts)
    total, warnings = np.zeros((0, 2), dtype=np.float32), tuple[str, ...]()
    for number, (font, parts) in enumerate(groups.items()):
        only = parts if len(groups) > 1 else None
        samples, said = play(
            library, font, performance, how, parts=only, progress=_share(progress, number, len(groups))
        )
        warnings += said
        if len(samples) < len(total):
            samples, total = total, samples
        samples[: len(total)] += total
        total = samples
    return total, tuple(dict.fromkeys(warnings))


def _groups(performance: Performance, fonts: Mapping[int, Path]) -> dict[Path, set[int]]:
    """Return the parts that have notes by their soundfont, in the order of the parts."""
    groups: dict[Path, set[int]] = defaultdict(set)
    for part in sorted(performance.part_names):
        groups[fonts[part]].add(part)
    return groups


def _share(progress: Progress | None, number: int, of: int) -> Progress | None:
    """Return what tells a part of the work as that part of the whole."""
    if progress is None or of == 1:
        return progress
    return lambda done, total: progress(number * total / of + done / of, total)


def _padded(samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    if n_frames == len(samples):
        return samples
    longer = np.zeros((n_frames, 2), dtype=np.float32)
    longer[: len(samples)] = samples
    return longer


def _finished(
    raw: NDArray[np.float32], how: Playing, finish: Finish, n_frames: int | None, *, end: int = 0
) -> NDArray[np.float32]:
    """Return samples with effects and fades, cut where they have become silent or after so many."""
    n_padded = len(raw) + (how.tail_frames if finish.rings else 0)
    samples = finish.with_effects(_padded(raw, n_padded), how.sample_rate)
    n_frames = trimmed(samples, end, how.sample_rate) if n_frames is None else n_frames
    return faded(ended(samples[:n_frames], how.sample_rate), how.sample_rate, finish)


def _check_sound(samples: NDArray[np.float32], soundfont: Path) -> None:
    """Refuse silence, and what is no sound at all."""
    peak = peak_of(samples)
    if not np.isfinite(peak):
        msg = f"soundfont {soundfont}: the render is not finite; the soundfont is probably damaged: use another file"
        raise RenderError(msg)
    if peak < _FAINTEST:
        what = f"soundfont {soundfont}: the render is silent though there are notes"
        msg = f"{what}: it has no sound for these programs and keys (or the file's own volume is 0)"
        raise RenderError(msg)


def _read(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a file, refusing what is none (devices never end) and what is too long."""
    if not path.is_file():
        msg = f"{path}: {'not a file' if path.exists() else 'no such file'}: expected a MIDI file"
        raise FileFormatError(msg)
    try:
        with path.open("rb") as file:
            return file.read(limits.n_bytes + 1)
    except OSError as error:
        msg = f"{path}: could not be read ({error.strerror})"
        raise FileFormatError(msg) from error
