"""Two bars of music as a small SVG in staff notation, drawn by verovio (``pip install symgen[docs]``).

Steps are eighth notes, bars have eight of them, and the key has no signature.

>>> notatable(1, 8)  # from the second eighth of a bar to its end
[(1, 4), (4, 8)]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from theory.pitch import Spelling, pitch_name

__all__ = ["BAR", "Drawn", "coloured", "mei_of", "notatable", "svg_of", "with_rests"]

BAR = 8
"""Steps in a bar."""
RED = "#c62828"
WIDTH, MARGIN, SCALE = 1150, 40, 50
"""Of the page and the white around it, in verovio's units; how many per cent of them are pixels."""

_STYLE = "ellipse,path,polygon,polyline,rect{stroke:currentColor}"

_DURATIONS = {1: 'dur="8"', 2: 'dur="4"', 3: 'dur="4" dots="1"', 4: 'dur="2"', 6: 'dur="2" dots="1"', 8: 'dur="1"'}
_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}
_CLEFS = ('clef.shape="G" clef.line="2"', 'clef.shape="F" clef.line="4"')


class Drawn(NamedTuple):
    """A note as it is drawn, or silence.

    Parameters
    ----------
    onset, end
        In steps.
    pitch
        MIDI pitch; ``None`` is silence.
    is_red
        Whether it is marked.
    """

    onset: int
    end: int
    pitch: int | None
    is_red: bool = False


class _Sign(NamedTuple):
    """A note or rest of a length that can be written, and whether it is tied to what follows and precedes it."""

    note: Drawn
    onset: int
    end: int

    @property
    def tie(self) -> str:
        """The attribute that says so."""
        from_left, to_right = self.onset > self.note.onset, self.end < self.note.end
        value = {(False, True): "i", (True, True): "m", (True, False): "t"}.get((from_left, to_right))
        return f' tie="{value}"' if value and self.note.pitch is not None else ""


def svg_of(staves: Sequence[Sequence[Sequence[Drawn]]], chords: Sequence[tuple[int, str]], n_bars: int) -> str:
    """Return the picture of some bars.

    Parameters
    ----------
    staves
        Voices of each staff; the second staff has the bass clef.
    chords
        Steps and chord symbols, to be written above the upper staff.
    n_bars
        How many bars there are.
    """
    import verovio

    verovio.enableLog(verovio.LOG_ERROR)
    toolkit = verovio.toolkit()
    toolkit.setOptions(
        {
            **{"pageWidth": WIDTH, "adjustPageHeight": True, "scale": SCALE, "header": "none", "footer": "none"},
            **{f"pageMargin{side}": MARGIN for side in ("Left", "Right", "Top", "Bottom")},
            **{"xmlIdSeed": 1, "svgFormatRaw": True, "svgRemoveXlink": True, "breaks": "none"},
        }
    )
    if not toolkit.loadData(mei_of(staves, chords, n_bars)):
        msg = "verovio could not read the music"
        raise RuntimeError(msg)
    return _plain(toolkit.renderToSVG(1))


def _plain(svg: str) -> str:
    """Give a picture a white ground, and take out its maker's name and what nothing refers to."""
    svg = re.sub(r"<desc>.*?</desc>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", svg)
    # Places kept for a program's cursor: dots that verovio's own styles hide.
    svg = re.sub(r"<g [^>]*\bplaceholder\b[^>]*>.*?</g>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>", f"<style>{_STYLE}</style>", svg, flags=re.DOTALL)
    ground = '<rect width="100%" height="100%" style="fill:white;stroke:none"/>'
    return re.sub(r"(<svg[^>]*>)", rf"\1{ground}", svg, count=1).strip() + "\n"


def mei_of(staves: Sequence[Sequence[Sequence[Drawn]]], chords: Sequence[tuple[int, str]], n_bars: int) -> str:
    """Return the music in MEI, the format of the Music Encoding Initiative."""
    clefs = enumerate(_CLEFS[: len(staves)], start=1)
    definitions = "".join(f'<staffDef n="{n}" lines="5" {clef}/>' for n, clef in clefs)
    brace = ' symbol="brace" bar.thru="true"' if len(staves) > 1 else ""
    measures = "".join(_measure(staves, chords, bar, is_last=bar == n_bars - 1) for bar in range(n_bars))
    return (
        '<mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score>'
        f'<scoreDef meter.count="4" meter.unit="4"><staffGrp{brace}>{definitions}</staffGrp></scoreDef>'
        f"<section>{measures}</section></score></mdiv></body></music></mei>"
    )


def _measure(
    staves: Sequence[Sequence[Sequence[Drawn]]], chords: Sequence[tuple[int, str]], bar: int, *, is_last: bool
) -> str:
    written = "".join(
        f'<staff n="{n}">{"".join(_layer(voice, bar, layer) for layer, voice in enumerate(voices, start=1))}</staff>'
        for n, voices in enumerate(staves, start=1)
    )
    here = [(step - bar * BAR, chord) for step, chord in chords if step // BAR == bar]
    above = "".join(f'<harm staff="1" place="above" tstamp="{1 + step / 2}">{chord}</harm>' for step, chord in here)
    right = ' right="end"' if is_last else ""
    return f'<measure n="{bar + 1}"{right}>{written}{above}</measure>'


def _layer(voice: Sequence[Drawn], bar: int, layer: int) -> str:
    """Return a voice's part of a bar; eighth notes of one half of it are joined by a beam."""
    start, sounding = bar * BAR, dict[tuple[str, int], int]()
    signs = [sign for note in voice for sign in _cut(note, start)]
    groups = groupby(signs, key=lambda s: (s.end - s.onset == 1 and s.note.pitch is not None, (s.onset - start) // 4))
    texts = []
    for (is_beamed, _), group in groups:
        members = [_written(sign, sounding) for sign in group]
        text = "".join(members)
        texts.append(f"<beam>{text}</beam>" if is_beamed and len(members) > 1 else text)
    return f'<layer n="{layer}">{"".join(texts)}</layer>'


def _cut(note: Drawn, start: int) -> Iterator[_Sign]:
    """Yield what a note is in the bar from a step, cut into lengths that can be written."""
    if note.end <= start or note.onset >= start + BAR:
        return
    for onset, end in notatable(max(note.onset, start) - start, min(note.end, start + BAR) - start):
        yield _Sign(note, onset + start, end + start)


def notatable(onset: int, end: int) -> list[tuple[int, int]]:
    """Cut a length within a bar so that each part can be written and the middle of the bar can be seen."""
    length, middle = end - onset, BAR // 2
    starts_on_beat, hides_middle = onset % 2 == 0, onset % middle and onset < middle < end
    # Whole quarters may stand across the middle; off the beat a length stands within one half of the bar.
    stands = starts_on_beat and length % 2 == 0 if hides_middle else starts_on_beat or length <= 2 or end % middle == 0
    if length in _DURATIONS and stands:
        return [(onset, end)]
    cut = middle if onset < middle < end else onset + 2 - onset % 2
    return [(onset, cut), *notatable(cut, end)]


def _written(sign: _Sign, sounding: dict[tuple[str, int], int]) -> str:
    """Return a sign in MEI; ``sounding`` has the accidentals of the bar so far."""
    duration = _DURATIONS[sign.end - sign.onset]
    colour = f' color="{RED}"' if sign.note.is_red else ""
    if sign.note.pitch is None:
        return f"<rest {duration}{colour}/>"
    name = pitch_name(sign.note.pitch)
    octave = int(name[-1])
    spelling = Spelling.parse(name[:-1])
    place, alteration = (spelling.letter, octave), spelling.alteration
    accidental = ""
    # A note tied over the bar line needs no second accidental, and gives none to those after it.
    if sign.onset == sign.note.onset and sounding.get(place, 0) != alteration:
        accidental = f' accid="{_ACCIDENTALS[alteration]}"'
        sounding[place] = alteration
    return f'<note pname="{spelling.letter.lower()}" oct="{octave}" {duration}{accidental}{colour}{sign.tie}/>'


def with_rests(notes: Sequence[Drawn], n_steps: int) -> list[Drawn]:
    """Return notes with the silences between them, before and after."""
    edges = [0, *(note.end for note in notes)]
    onsets = [*(note.onset for note in notes), n_steps]
    gaps = [Drawn(end, onset, None) for end, onset in zip(edges, onsets, strict=True) if end < onset]
    return sorted([*notes, *gaps], key=lambda drawn: drawn.onset)


def coloured(voice: Iterable[Drawn], red: Iterable[int]) -> list[Drawn]:
    """Mark the notes that sound at some steps."""
    steps = set(red)
    return [note._replace(is_red=not steps.isdisjoint(range(note.onset, note.end))) for note in voice]
