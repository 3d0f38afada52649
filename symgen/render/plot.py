"""Pictures: a score as a piano roll, and sound as a spectrogram.

The figures are built from matplotlib's objects, without pyplot, so no global state is touched and no
window can open.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RenderError
from symgen.files import written_beside
from symgen.grid import BarMap
from symgen.score import Note, Score, Track
from theory.chord import Chord
from theory.pitch import pitch_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PICTURE_FORMATS", "plot_score", "plot_spectrogram"]

PICTURE_FORMATS = (".png", ".svg", ".pdf")
"""The endings of pictures that can be written."""

_DPI = 150
_INK, _PALE, _LINE, _BEAT, _SHADE = "#22262b", "#7a828c", "#b9c0c8", "#e3e7eb", "#f4f6f8"
# Okabe and Ito's colours, told apart by colour-blind readers; their yellow is too pale on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7B5EA7", "#5A5A5A")
_DRUM_NAMES = {
    **{35: "Kick 2", 36: "Kick", 37: "Side stick", 38: "Snare", 39: "Clap", 40: "Snare 2", 41: "Low tom 2"},
    **{42: "Hi-hat", 43: "Low tom", 44: "Pedal hat", 45: "Mid tom 2", 46: "Open hat", 47: "Mid tom"},
    **{48: "High tom 2", 49: "Crash", 50: "High tom", 51: "Ride", 52: "China", 53: "Ride bell"},
    **{54: "Tambourine", 55: "Splash", 56: "Cowbell", 57: "Crash 2", 59: "Ride 2", 70: "Maracas"},
}
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})

# Inches.
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 13.0, 0.75, 0.25, 0.75, 0.25
_MARGIN, _CHORDS, _SECTIONS, _BELOW = 0.1, 0.18, 0.2, 0.26  # over and under every system
_LEGEND_COLUMNS, _LEGEND_ROW = 5, 0.19
_MOST_NUMBERS = 24  # bar numbers on a line
_ROW, _LEAST_HEIGHT, _MOST_HEIGHT, _TALLEST = 0.105, 1.1, 4.4, 150.0


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which row of a system shows what: drums from 0 up, then pitches.

    Parameters
    ----------
    low, high
        The lowest and highest pitch shown.
    drums
        The drum keys in use, ascending; row 0 is the first.
    """

    low: int
    high: int
    drums: tuple[int, ...]

    @property
    def n_drum_rows(self) -> int:
        """Rows under the pitches, with an empty one between."""
        return len(self.drums) + (1 if self.drums and self.high >= self.low else 0)

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n_drum_rows + self.high - self.low + 1

    def of(self, note: Note, *, is_drum: bool) -> int:
        """Return the row of a note."""
        return self.drums.index(note.pitch) if is_drum else self.n_drum_rows + note.pitch - self.low


@dataclass(frozen=True, slots=True)
class _System:
    """A line of the picture.

    Parameters
    ----------
    first_bar, last_bar
        Counted from 0; ``last_bar`` is the one after.
    start, end
        Its steps.
    shown_end
        Where its right edge lies: further than ``end`` in a short last line.
    """

    first_bar: int
    last_bar: int
    start: int
    end: int
    shown_end: int


def plot_score(score: Score, path: str | Path, *, title: str = "", bars_per_system: int = 8) -> Path:
    """Draw a score as a piano roll.

    Colour tells the track, and depth of colour the velocity; the first track lies on top. Chords stand
    over the bars and sections over the chords; a chord that goes on from the line before is repeated in
    grey.

    Parameters
    ----------
    score
        What to draw.
    path
        Ending in ``.png``, ``.svg`` or ``.pdf``.
    title
        Written before key, metre and tempo.
    bars_per_system
        Bars on a line; doubled until the picture is no taller than can be drawn.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RenderError
        If the score is empty, the ending is not known or the file cannot be written.
    """
    path = _checked(path)
    bars = score.bars
    if not bars.n_bars or bars_per_system < 1:
        found = f"{bars_per_system} bars on a line" if bars.n_bars else "a score without bars"
        msg = f"plot: found {found}: expected at least one"
        raise RenderError(msg)
    rows = _rows(score)
    height = min(max(rows.n_rows * _ROW, _LEAST_HEIGHT), _MOST_HEIGHT)
    above = _MARGIN + _CHORDS * bool(score.chords) + _SECTIONS * bool(score.markers)
    whole = above + height + _BELOW
    systems = _systems(bars, _fitting_bars(bars.n_bars, bars_per_system, whole))
    head = max(_TOP, 0.2 + _LEGEND_ROW * -(-len(score.tracks) // _LEGEND_COLUMNS))
    figure = _new_figure(head + len(systems) * whole + _BOTTOM)
    _draw_head(figure, score, title)
    if score.tracks:
        _draw_legend(figure, score)
    for index, system in enumerate(systems):
        axes = _new_axes(figure, head + index * whole + above, height)
        axes.set_xlim(system.start, system.shown_end)
        axes.set_ylim(-0.5, rows.n_rows - 0.5)
        _draw_grid(axes, bars, system, rows)
        _draw_pitch_names(axes, score, rows, height / rows.n_rows)
        _draw_notes(axes, score, system, rows, height / rows.n_rows)
        _draw_names_above(axes, score, system)
    _save(figure, path)
    return path


def plot_spectrogram(samples: NDArray[np.float32], sample_rate: int, path: str | Path) -> Path:
    """Draw the loudness of every frequency over time, from 27.5 Hz up, 80 dB deep.

    Parameters
    ----------
    samples
        Shape (n_frames,) or (n_frames, n_channels).
    sample_rate
        Frames a second.
    path
        Ending in ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    RenderError
        If there is no sound, the ending is not known or the file cannot be written.
    """
    path = _checked(path)
    decibels, frequencies = _log_spectrogram(samples.reshape(len(samples), -1).mean(axis=1), sample_rate)
    figure = _new_figure(5.0)
    axes = _new_axes(figure, 0.3, 4.2)
    extent = (0.0, len(samples) / sample_rate, -0.5, len(frequencies) - 0.5)
    axes.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-80, vmax=0)
    marks = [hz for hz in (55, 110, 220, 440, 880, 1760, 3520, 7040, 14080) if hz < frequencies[-1]]
    axes.set_yticks(np.interp(marks, frequencies, np.arange(len(frequencies))), [f"{hz} Hz" for hz in marks])
    axes.tick_params(labelbottom=True)
    axes.set_xlabel("seconds", fontsize=8, color=_PALE)
    _save(figure, path)
    return path


def _log_spectrogram(mono: NDArray[np.float32], sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return decibels below the loudest, shape (n_frequencies, n_columns), and the frequencies in Hz."""
    n_window = 4096
    if len(mono) < n_window or not mono.any():
        msg = f"spectrogram: {len(mono)} frames: expected sound of at least {n_window} frames"
        raise RenderError(msg)
    hop = max(256, len(mono) // 1500)
    frames = np.lib.stride_tricks.sliding_window_view(mono, n_window)[::hop] * np.hanning(n_window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    frequencies = np.geomspace(27.5, min(16000, sample_rate / 2.1), 300)
    chosen = power[:, np.rint(frequencies * n_window / sample_rate).astype(int)]
    return 10 * np.log10(np.maximum(chosen / power.max(), 1e-8)).T, frequencies


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix.lower() not in PICTURE_FORMATS:
        msg = f"{path}: expected a name that ends in {', '.join(PICTURE_FORMATS)}"
        raise RenderError(msg)
    return path


def _new_figure(height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _new_axes(figure: Figure, top: float, height: float) -> Axes:
    """Return axes of a height in inches, so far below the figure's upper edge."""
    whole = figure.get_figheight()
    inside = (_LEFT / _WIDTH, 1 - (top + height) / whole, (_WIDTH - _LEFT - _RIGHT) / _WIDTH, height / whole)
    axes = figure.add_axes(inside)
    axes.set_facecolor("white")
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelsize=7, labelcolor=_PALE, pad=3)
    return axes


def _save(figure: Figure, path: Path) -> None:
    """Write the figure, without the time of day or random names."""
    import matplotlib

    metadata = {"CreationDate": None} if path.suffix.lower() == ".pdf" else {"Date": None}
    same_names = matplotlib.rc_context({"svg.hashsalt": "symgen"})
    with written_beside(path) as beside, warnings.catch_warnings(), same_names:
        warnings.filterwarnings("ignore", "Glyph")  # a name in a script the font lacks is drawn as boxes
        figure.savefig(beside, metadata={} if path.suffix.lower() == ".png" else metadata)


def _rows(score: Score) -> _Rows:
    pitches = [note.pitch for track in score.tracks if not track.is_drum for note in track.notes]
    drums = {note.pitch for track in score.tracks if track.is_drum for note in track.notes}
    if not pitches and drums:
        return _Rows(0, -1, tuple(sorted(drums)))
    low, high = min(pitches, default=60), max(pitches, default=72)
    missing = max(0, 12 - (high - low))
    return _Rows(max(0, low - 1 - missing // 2), min(127, high + 1 + missing // 2), tuple(sorted(drums)))


def _fitting_bars(n_bars: int, bars_per_system: int, system_inches: float) -> int:
    """Return how many bars a line must have: as asked, or doubled until the lines fit a picture."""
    while -(-n_bars // bars_per_system) * system_inches > _TALLEST:
        bars_per_system *= 2
    return bars_per_system


def _systems(bars: BarMap, bars_per_system: int) -> list[_System]:
    cuts = [*range(0, bars.n_bars, bars_per_system), bars.n_bars]
    spans = [(first, last, int(bars.starts[first]), int(bars.starts[last])) for first, last in pairwise(cuts)]
    longest = max(end - start for _, _, start, end in spans)
    return [_System(first, last, start, end, start + longest) for first, last, start, end in spans]


def _draw_head(figure: Figure, score: Score, title: str) -> None:
    """Write the title and what is known about the piece."""
    height = figure.get_figheight()
    keys = " → ".join(_signs(str(change.key)) for change in score.keys[:4])
    meters = " → ".join(dict.fromkeys(str(change.meter) for change in score.meters[:4]))
    tempo = f"{score.tempos[0].bpm:g} bpm"
    facts = "  ·  ".join(fact for fact in (keys, meters, tempo) if fact)
    left, line = _LEFT / _WIDTH, 1 - 0.42 / height
    if title:
        figure.text(left, line, _plain(title, 80), fontsize=15, fontweight="bold", color=_INK, parse_math=False)
        figure.text(left, 1 - 0.66 / height, facts, fontsize=9.5, color=_PALE)
    else:
        figure.text(left, line, facts, fontsize=13, fontweight="bold", color=_INK)


def _draw_legend(figure: Figure, score: Score) -> None:
    from matplotlib.patches import Patch

    names = [_plain(track.name) or f"Track {index + 1}" for index, track in enumerate(score.tracks)]
    legend = figure.legend(
        handles=[Patch(color=_colour(index)) for index in range(len(names))],
        labels=[f" {name}" if name.startswith("_") else name for name in names],  # "_" would hide it
        loc="upper right",
        bbox_to_anchor=(1 - _RIGHT / _WIDTH, 1 - 0.14 / figure.get_figheight()),
        ncols=_LEGEND_COLUMNS,
        frameon=False,
        fontsize=9,
        labelcolor=_INK,
        handlelength=0.9,
        handleheight=0.9,
        columnspacing=1.4,
        borderaxespad=0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _draw_grid(axes: Axes, bars: BarMap, system: _System, rows: _Rows) -> None:
    """Draw rows of black keys, beats and bars, and number the bars."""
    from matplotlib.collections import PolyCollection

    black = [rows.n_drum_rows + p - rows.low for p in range(rows.low, rows.high + 1) if p % 12 in _BLACK_KEYS]
    corners = [[(x, row + y) for x, y in _corners(system.start, system.end)] for row in black]
    axes.add_collection(PolyCollection(corners, facecolors=_SHADE, linewidths=0, zorder=0))
    bottom, top = axes.get_ylim()
    axes.vlines(_beats(bars, system), bottom, top, color=_BEAT, lw=0.7, zorder=1)
    lines = bars.starts[system.first_bar : system.last_bar + 1]
    axes.vlines(lines, bottom, top, color=_LINE, lw=1.0, zorder=1, clip_on=False)
    edges = [bottom, top, *([rows.n_drum_rows - 0.5] if rows.drums else [])]
    axes.hlines(edges, system.start, system.end, color=_LINE, lw=0.8, zorder=1, clip_on=False)
    every = max(1, -(-(system.last_bar - system.first_bar) // _MOST_NUMBERS))
    numbered = range(system.first_bar, system.last_bar, every)
    axes.set_xticks(bars.starts[numbered], [_bar_label(bars, bar) for bar in numbered], ha="left")


def _corners(start: int, end: int) -> list[tuple[float, float]]:
    return [(start, -0.5), (end, -0.5), (end, 0.5), (start, 0.5)]


def _beats(bars: BarMap, system: _System) -> list[float]:
    """Return the steps of a system's beats, but for the first of every bar."""
    beats = []
    for bar in range(system.first_bar, system.last_bar):
        start, end = int(bars.starts[bar]), int(bars.starts[bar + 1])
        inside = [start + float(place) * bars.steps_per_quarter for place in bars.meters[bar].beat_starts[1:]]
        beats += [beat for beat in inside if beat < end]
    return beats


def _bar_label(bars: BarMap, bar: int) -> str:
    """Return a bar's number, with its metre where that is new in a piece of several."""
    meter = bars.meters[bar]
    is_new = len(set(bars.meters)) > 1 and (bar == 0 or meter != bars.meters[bar - 1])
    return f"{bar + 1}  {meter}" if is_new else f"{bar + 1}"


def _draw_pitch_names(axes: Axes, score: Score, rows: _Rows, row_inches: float) -> None:
    """Name the pitches: those of the key where there is room, else every C or C and F."""
    key = score.keys[0].key if score.keys else None
    classes: Sequence[int] | frozenset[int] = key.pitch_classes if key else (0, 2, 4, 5, 7, 9, 11)
    tonic = key.tonic.pitch_class if key else 0
    if row_inches * 12 / len(classes) < 0.12:
        classes = (tonic, (tonic + 7) % 12) if row_inches * 5 >= 0.12 else (tonic,)
    pitches = [pitch for pitch in range(rows.low, rows.high + 1) if pitch % 12 in classes]
    flats = key is not None and key.signature < 0
    places = [rows.n_drum_rows + pitch - rows.low for pitch in pitches]
    names = [_signs(pitch_name(pitch, flats=flats)) for pitch in pitches]
    drums = [_DRUM_NAMES.get(pitch, f"Drum {pitch}") for pitch in rows.drums]
    axes.set_yticks([*range(len(drums)), *places], drums + names)
    for label, pitch in zip(axes.get_yticklabels()[len(drums) :], pitches, strict=True):
        label.set_fontweight("bold" if pitch % 12 == tonic else "normal")
    for label in axes.get_yticklabels():
        label.set_fontsize(min(7, 72 * row_inches * (0.95 if drums else 1.6)))


def _draw_notes(axes: Axes, score: Score, system: _System, rows: _Rows, row_inches: float) -> None:
    """Draw the notes of a system as rounded bars; a note that crosses its edge is cut there."""
    from matplotlib.collections import PolyCollection

    steps_per_inch = (system.shown_end - system.start) / (_WIDTH - _LEFT - _RIGHT)
    radius = min(0.05, 0.42 * row_inches)
    for index, track in enumerate(score.tracks):
        notes = [n for n in track.notes if n.onset_steps < system.end and n.end_steps > system.start]
        outlines = [_outline(n, rows, track, system, radius * steps_per_inch, radius / row_inches) for n in notes]
        colours = [_shade(_colour(index), note.velocity) for note in notes]
        axes.add_collection(
            PolyCollection(outlines, facecolors=colours, edgecolors="white", linewidths=0.5, zorder=3 - index / 1000)
        )


def _outline(
    note: Note, rows: _Rows, track: Track, system: _System, radius_steps: float, radius_rows: float
) -> NDArray[np.float64]:
    """Return the corners of a note's rounded bar, shape (n, 2): step and row."""
    row = rows.of(note, is_drum=track.is_drum)
    left, right = max(note.onset_steps, system.start), min(note.end_steps, system.end)
    radius_steps = min(radius_steps, (right - left) / 2)
    turns = np.linspace(0, np.pi / 2, 5)
    corners = [(right, 1, 0), (left, 1, 1), (left, -1, 2), (right, -1, 3)]
    return np.concatenate(
        [
            np.stack(
                [
                    x + radius_steps * (np.cos(turns + quarter * np.pi / 2) + (1 if x == left else -1)),
                    row + side * (0.42 - radius_rows) + radius_rows * np.sin(turns + quarter * np.pi / 2),
                ],
                axis=1,
            )
            for x, side, quarter in corners
        ]
    )


def _draw_names_above(axes: Axes, score: Score, system: _System) -> None:
    """Write chords over the bars, and sections over the chords."""
    inches_per_step = (_WIDTH - _LEFT - _RIGHT) / (system.shown_end - system.start)
    names = _chords_in(score, system)
    for (step, name, goes_on), (end, _, _) in pairwise([*names, (system.end, "", False)]):
        size = _fitting_size(name, (end - step) * inches_per_step)
        place = axes.get_xaxis_transform()
        colour = _LINE if goes_on else _INK
        axes.text(step, 1.02, name, transform=place, fontsize=size, color=colour, va="bottom")
    for marker in score.markers:
        if system.start <= marker.onset_steps < system.end:
            axes.annotate(
                _plain(marker.text),
                (marker.onset_steps, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(0, 18 if score.chords else 4),
                textcoords="offset points",
                fontsize=8.5,
                fontweight="bold",
                color=_PALE,
                va="bottom",
                parse_math=False,
            )


def _fitting_size(text: str, inches: float) -> float:
    """Return the size, in points, at which a text leaves a gap inside a width."""
    from matplotlib.textpath import TextPath

    width_at_100 = TextPath((0, 0), text, size=100).get_extents().width
    return float(np.clip(100 * (72 * inches - 3) / width_at_100, 4.0, 9.5))


def _chords_in(score: Score, system: _System) -> list[tuple[int, str, bool]]:
    """Return where to write which chord of a system, and whether it only goes on from the line before."""
    inside = [c for c in score.chords if system.start <= c.onset_steps < system.end]
    before = [c for c in score.chords if c.onset_steps < system.start]
    names = [(change.onset_steps, _chord_name(change.chord), False) for change in inside]
    if before and (not inside or inside[0].onset_steps > system.start):
        names.insert(0, (system.start, _chord_name(before[-1].chord), True))
    return names


def _chord_name(chord: Chord) -> str:
    return _signs(str(chord))


def _signs(text: str) -> str:
    """Return a name with musical signs for sharps and flats."""
    return re.sub(r"(?<=[A-G])b|b(?=\d)", "♭", text.replace("#", "♯")).replace("♭b", "♭♭")


def _plain(text: str, most: int = 32) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _colour(index: int) -> str:
    """Return a track's colour; past the last one they come again, darker."""
    turn, place = divmod(index, len(_COLOURS))
    levels = (round(int(_COLOURS[place][i : i + 2], 16) * 0.6**turn) for i in (1, 3, 5))
    return "#" + "".join(f"{level:02x}" for level in levels)


def _shade(colour: str, velocity: int) -> tuple[float, float, float]:
    """Return a colour mixed with white: the softer the note, the paler."""
    strength = 0.35 + 0.65 * velocity / 127
    red, green, blue = (1 - strength * (1 - int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return red, green, blue
