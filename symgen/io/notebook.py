"""What a score shows of itself in a notebook: a piano roll and a button that plays it, with no network.

The picture is SVG and the sound is made by the browser, from the notes that stand in the page, so that it
works wherever the page is opened. Each note is a plain tone, each drum a short noise: enough to hear the
music, not what :func:`symgen.render` makes of it.
"""

from __future__ import annotations

import html
import json

from symgen.score import Score, Track

__all__ = ["roll_svg", "score_html"]

_WIDTH, _ROW, _TOP, _MAX_HEIGHT = 900.0, 4.0, 22.0, 420.0
_MAX_NOTES = 6000
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")

# Notes are started as they come up, half a second ahead, so that long music starts at once and stops at once.
# All of it stands in the button, so that a score may be shown many times on a page, and moved about in it.
_PLAYER = """
const button = this, box = button.closest('.symgen-score'), line = box.querySelector('.now');
if (box.stopIt) return box.stopIt();
const notes = JSON.parse(box.dataset.notes), total = box.dataset.seconds;
const context = new (window.AudioContext || window.webkitAudioContext)();
const zero = context.currentTime + 0.1; let next = 0;
const sound = ([start, length, pitch, loud, drum], at) => {
  const gain = context.createGain(), end = at + (drum ? 0.12 : length);
  const source = drum ? context.createBufferSource() : context.createOscillator();
  if (drum) {
    source.buffer = context.createBuffer(1, context.sampleRate / 8, context.sampleRate);
    const data = source.buffer.getChannelData(0);
    for (let i = 0; i < data.length; i++) data[i] = Math.random() * 2 - 1;
  } else {
    source.type = 'triangle'; source.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
  }
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.25 * (loud / 127) ** 2, at + 0.01);
  gain.gain.setTargetAtTime(0, Math.max(end - 0.02, at + 0.01), 0.03);
  source.connect(gain).connect(context.destination);
  source.start(at); source.stop(end + 0.2);
};
const timer = setInterval(() => {
  const now = context.currentTime - zero;
  while (next < notes.length && notes[next][0] < now + 0.5) { sound(notes[next], zero + notes[next][0]); next++; }
  const x = WIDTH * Math.max(0, Math.min(now / total, 1));
  line.setAttribute('x1', x); line.setAttribute('x2', x);
  box.dataset.played = next;
  if (now > +total + 0.5) box.stopIt();
}, 40);
box.stopIt = () => {
  clearInterval(timer); context.close(); box.stopIt = null;
  button.textContent = '\u25b6 play'; line.setAttribute('visibility', 'hidden');
};
button.textContent = '\u25a0 stop'; line.setAttribute('visibility', 'visible');
""".replace("WIDTH", f"{_WIDTH:g}").strip()


def score_html(score: Score) -> str:
    """Return a picture of a score with a button that plays it, as HTML that stands for itself.

    Notes
    -----
    Music of more than 6,000 notes is shown and played up to there, and says so.
    """
    shown = _shown(score)
    seconds = score.tempo_map
    rows = sorted(
        (
            round(float(seconds.seconds(n.onset_steps)), 4),
            round(float(seconds.seconds(n.end_steps) - seconds.seconds(n.onset_steps)), 4),
            n.pitch,
            n.velocity,
            int(track.is_drum),
        )
        for track in shown
        for n in track.notes
    )
    button = f'<button type="button" style="font:inherit" onclick="{html.escape(_PLAYER)}">&#9654; play</button>'
    words = _text(_words(score, sum(len(track.notes) for track in shown)))
    style = "display:flex;gap:1em;align-items:center;font:13px sans-serif"
    head = f'<div style="{style}">{button if rows else ""}<span>{words}</span></div>'
    # The line that shows where one is goes from the first bar line to the last.
    seconds_in_all = float(seconds.seconds(score.bars.end_steps))
    data = f'data-notes="{json.dumps(rows)}" data-seconds="{seconds_in_all:.4f}"'
    return f'<div class="symgen-score" {data}>{head}{roll_svg(score)}</div>'


def _shown(score: Score) -> list[Track]:
    """Return the parts, all of them up to a step so that not too much is shown."""
    if score.n_notes <= _MAX_NOTES:
        return list(score.tracks)
    onsets = sorted(n.onset_steps for track in score.tracks for n in track.notes)
    last = onsets[_MAX_NOTES]
    return [
        Track(t.name, tuple(n for n in t.notes if n.onset_steps < last), t.program, t.is_drum) for t in score.tracks
    ]


def _text(words: str) -> str:
    """Return words as they may stand in a page, control characters replaced."""
    return html.escape("".join(c if c.isprintable() else "\ufffd" for c in words))


def _words(score: Score, n_shown: int) -> str:
    keys = ", ".join(dict.fromkeys(str(change.key) for change in score.keys))
    meters = ", ".join(dict.fromkeys(str(change.meter) for change in score.meters))
    parts = [keys, meters, f"{score.tempos[0].bpm:g} bpm", f"{score.bars.n_bars} bars", f"{score.n_notes:,} notes"]
    parts.append(f"the first {n_shown:,} shown" if n_shown < score.n_notes else "")
    return " · ".join(part for part in parts if part)


def roll_svg(score: Score) -> str:
    """Return the piano roll of a score as SVG: a color a part, lines at the bars, chords above."""
    shown = _shown(score)
    notes = [n for track in shown for n in track.notes]
    low = min((n.pitch for n in notes), default=60) - 1
    high = max((n.pitch for n in notes), default=72) + 1
    row = min(_ROW, (_MAX_HEIGHT - _TOP) / (high - low + 1))
    height = _TOP + row * (high - low + 1)
    end = max(score.bars.end_steps, 1)
    shapes = [f'<rect width="{_WIDTH:g}" height="{height:.1f}" fill="#fff"/>', *_bar_lines(score, end, height)]
    shapes += _chord_names(score, end)
    for index, track in enumerate(shown):
        color = _COLORS[index % len(_COLORS)]
        shapes.append(f'<g fill="{color}"><title>{_text(track.name)}</title>')
        for n in track.notes:
            x, width = _x(n.onset_steps, end), max(_x(n.duration_steps, end) - 0.4, 0.6)
            y, alpha = _TOP + (high - n.pitch) * row, 0.35 + 0.65 * n.velocity / 127
            shapes.append(
                f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{row:.1f}" opacity="{alpha:.2f}"/>'
            )
        shapes.append("</g>")
    shapes.append(f'<line class="now" y1="0" y2="{height:.1f}" stroke="#000" visibility="hidden"/>')
    box = f'viewBox="0 0 {_WIDTH:g} {height:.1f}" width="100%" style="max-width:{_WIDTH:g}px"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box}>{"".join(shapes)}</svg>'


def _x(step: int, end: int) -> float:
    return step * _WIDTH / end


def _bar_lines(score: Score, end: int, height: float) -> list[str]:
    every = -(-score.bars.n_bars // 200)  # a line that is a pixel from the next tells nothing
    return [
        f'<line x1="{_x(start, end):.2f}" x2="{_x(start, end):.2f}" y1="{_TOP:g}" y2="{height:.1f}" stroke="#ddd"/>'
        for start in score.bars.starts[:-1:every].tolist()
    ]


def _chord_names(score: Score, end: int) -> list[str]:
    shapes, free = [], -1.0
    for change in score.chords:
        x, text = _x(change.onset_steps, end) + 2, str(change.chord)
        if x > free:  # where they would overlap, the earlier one stays
            shapes.append(f'<text x="{x:.1f}" y="15" font-size="12" font-family="sans-serif">{_text(text)}</text>')
            free = x + 7.5 * len(text)
    return shapes
