"""A band beside a melody: drums, bass, chords in a texture, and a second line; and chords alone in a texture.

The melody stays as it is, note for note. The band plays the chords the music holds, or those that are given, or those
that are found in it, and the take says which. Without a model: tables (:mod:`symgen.band`), rules and chance.

>>> from symgen.score import Note, Track
>>> tune = tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate([60, 64, 67, 64, 65, 69, 67, 62]))
>>> score = Score(4, (Track("Melody", tune),), end_steps=32)
>>> take = accompany(score, chords="C | F G", style="bossa", seed=1)
>>> [(track.name, len(track.notes)) for track in take.score.tracks]
[('Melody', 8), ('Chords', 33), ('Bass', 8), ('Drums', 53)]
>>> arpeggiate("Am F", texture="arpeggio-up").score.tracks[0].notes[0].pitch
57
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from symgen.band.styles import STYLES, usual_style
from symgen.band.textures import texture_notes
from symgen.errors import RequestError
from symgen.grid import TICKS_PER_QUARTER, BarMap
from symgen.pipeline.band import Choices, band_tracks, chosen, on_band_grid
from symgen.pipeline.check import with_context
from symgen.pipeline.harmony import chord_changes
from symgen.pipeline.ranking import Take
from symgen.pipeline.redraw import signed
from symgen.pipeline.request import MAX_BARS, checked_seed
from symgen.score import MeterChange, Score, TempoChange, Track
from theory.key import Key
from theory.meter import Meter
from theory.progression import Progression
from theory.swing import Swing

__all__ = ["accompany", "arpeggiate", "melody_number"]

_MELODY_WORDS = ("melody", "lead", "vocal", "voice", "tune", "sopran")
_FILES = (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".abc", ".krn")


def accompany(
    music: Score | str | Path,
    *,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    key: Key | str | None = None,
    track: str | None = None,
    style: str | None = None,
    texture: str | None = None,
    bass: str | None = None,
    drums: str | None = None,
    counter: bool = False,
    swing: Swing | str | None = None,
    keep: bool = False,
    seed: int | None = None,
) -> Take:
    """Put a band beside a melody; the melody stays as it is.

    Parameters
    ----------
    music
        A score, or a file by its path.
    chords, chord_syntax, key
        Those that hold; if left out those the music holds, and where it holds none those that are found in it.
    track
        Name of the melody's track; if left out the first whose name says so, else the first with pitched notes.
    style
        One of :data:`symgen.band.styles.STYLES`; if left out that of the file, else a waltz in 3/4 and pop elsewhere.
    texture, bass, drums
        Of :data:`~symgen.band.textures.TEXTURES`, :data:`~symgen.band.bass.BASSES` and
        :data:`~symgen.band.grooves.KITS`, or ``none``; those of the style if left out.
    counter
        Whether a second line is drawn beside the melody; see :mod:`symgen.band.counter`.
    swing
        Such as ``2:1``, or ``straight``; that of the style if left out. The band swings, the melody stays.
    keep
        Whether other tracks stay; if not they are left out, as the band takes their place.
    seed
        Whatever is random follows from it; chosen if left out.

    Returns
    -------
    Take
        The piece with tracks of the names in :data:`symgen.pipeline.band.BAND`.

    Raises
    ------
    RequestError
        If there is no melody, or a value is out of range.
    """
    seed = checked_seed(seed)
    name = "the score" if isinstance(music, Score) else str(music)
    score = _loaded(music)
    number = melody_number(score, track, name)
    _check_length(score, name)
    style, style_said = _style_of(score, style)
    choices = chosen(style, texture=texture, bass=bass, drums=drums, counter=counter, swing=swing)
    known, where = with_context(score, key=key, chords=chords, chord_syntax=chord_syntax)
    known = on_band_grid(known, choices.swing)
    is_written = chords is not None or bool(score.chords)
    band, band_said = band_tracks(known, known.tracks[number].notes, choices, seed, is_written=is_written)
    tracks, left_out = _with_band(known.tracks, number, band, keep=keep)
    if key is None:  # keys that were found serve the band, and are not written
        known = replace(known, keys=on_band_grid(score, choices.swing).keys)
    recipe = dict(known.recipe) | {"band": str(choices)}
    made = replace(known, tracks=tracks, recipe=tuple(recipe.items()))
    melody_said = f"melody: {score.tracks[number].name}" if len(score.tracks) > 1 else ""
    said = (where, melody_said, style_said, *_swing_said(choices), *band_said, left_out)
    return Take(signed(made, f"accompany {choices.name} seed {seed}"), seed, tuple(word for word in said if word))


def arpeggiate(
    music: Score | str | Path,
    *,
    texture: str = "arpeggio-updown",
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    key: Key | str | None = None,
    meter: Meter | str = "4/4",
    bpm: float = 110.0,
    bars: int | None = None,
    program: int = 0,
) -> Take:
    """Play chords in a texture: those of a piece, in a track named Chords beside its own, or chords alone.

    Parameters
    ----------
    music
        A score, a file by its path (a ``Path``, or a name that ends like one), or chords such as ``"Am F | C G"``.
    texture
        One of :data:`symgen.band.textures.TEXTURES`.
    chords
        Those that hold in a piece; if left out those it holds, and where it holds none those that are found in it.
    chord_syntax, key
        How the chords are written.
    meter, bpm, bars
        Of chords alone; as many bars as they have if left out.
    program
        General MIDI program of the track, 0 to 127.

    Raises
    ------
    RequestError
        If a value is out of range.
    """
    if isinstance(music, str) and not music.lower().endswith(_FILES):
        home = Key.parse(key) if isinstance(key, str) else key
        known, where = _of_chords(Progression.parse(music, key=home, syntax=chord_syntax), meter, bpm, bars), ""
    else:
        score = _loaded(music)
        name = "the score" if isinstance(music, Score) else str(music)
        melody_number(score, None, name)
        _check_length(score, name)
        known, where = with_context(score, key=key, chords=chords, chord_syntax=chord_syntax)
    known = on_band_grid(known)
    track = Track("Chords", texture_notes(texture, known.chords, known.bars), program)
    others = [other for other in known.tracks if other.name != track.name]
    made = signed(known.with_tracks([*others, track]), f"arpeggiate {texture}")
    return Take(made, 0, (where,) if where else ())


def melody_number(score: Score, name: str | None, where: str) -> int:
    """Return which track is the melody; see :func:`accompany`.

    Raises
    ------
    RequestError
        If there are no pitched notes, or none in the track of the name.
    """
    pitched = [i for i, track in enumerate(score.tracks) if track.notes and not track.is_drum]
    if name is not None:
        number = score.tracks.index(score.track(name))
        if number in pitched:
            return number
    if name is not None or not pitched:
        what = f"track {name!r} has no pitched notes" if name is not None else "no pitched notes"
        msg = f"{where}: {what}: expected a melody"
        raise RequestError(msg)
    named = [i for i in pitched if any(word in score.tracks[i].name.lower() for word in _MELODY_WORDS)]
    return (named or pitched)[0]


def _loaded(music: Score | str | Path) -> Score:
    from symgen import io

    return music if isinstance(music, Score) else io.load(music, steps_per_quarter=TICKS_PER_QUARTER)


def _check_length(score: Score, name: str) -> None:
    if score.bars.n_bars > MAX_BARS:
        msg = f"{name}: {score.bars.n_bars} bars: expected at most {MAX_BARS}"
        raise RequestError(msg)


def _style_of(score: Score, name: str | None) -> tuple[str, str]:
    """Return the style of a piece, and where it comes from, in words."""
    if name is not None:
        return name, ""
    recipe = dict(score.recipe)
    for said in (recipe.get("band", "").partition(":")[0], recipe.get("style", "")):
        if said in STYLES:
            return said, f"style {said}, as the file says"
    usual = usual_style(score.meters[0].meter)
    return usual, f"style {usual}, the usual one in {score.meters[0].meter}"


def _swing_said(choices: Choices) -> tuple[str, ...]:
    if choices.swing is None or choices.swing.ratio == 1:
        return ()
    return (f"the band swings {choices.swing}; the melody stays as it is",)


def _with_band(
    tracks: Sequence[Track], number: int, band: Sequence[Track], *, keep: bool
) -> tuple[tuple[Track, ...], str]:
    """Return the melody and the band, with the other tracks or without, and which were left out, in words."""
    others = [track for i, track in enumerate(tracks) if i != number]
    new = {track.name for track in band}
    stay = [track for track in others if keep and track.name not in new]
    left_out = [track.name for track in others if track not in stay and track.name not in new and track.notes]
    words = f"left out: {', '.join(left_out)}; the band plays instead" if left_out else ""
    return (tracks[number], *stay, *band), words


def _of_chords(progression: Progression, meter: Meter | str, bpm: float, n_bars: int | None) -> Score:
    """Return a score that has chords and no notes."""
    metre = Meter.parse(meter) if isinstance(meter, str) else meter
    n = progression.n_bars if n_bars is None else n_bars
    if not 1 <= n <= MAX_BARS:
        msg = f"bars {n}: expected 1 to {MAX_BARS}"
        raise RequestError(msg)
    end = metre.bar_steps(TICKS_PER_QUARTER) * n
    bars = BarMap.build([(0, metre)], steps_per_quarter=TICKS_PER_QUARTER, end_steps=end)
    tempos, meters = (TempoChange(0, bpm),), (MeterChange(0, metre),)
    changes = chord_changes(progression, bars)
    return Score(TICKS_PER_QUARTER, (), tempos, meters, chords=changes, end_steps=end)
