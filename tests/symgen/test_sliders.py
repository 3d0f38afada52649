"""Sliders: more of what is asked for, and lines for what can't be read."""

import numpy as np
import pytest

from symgen.errors import RequestError
from symgen.pipeline.generate import generate
from symgen.sliders import checked_sliders, read_sliders


def measured(score):
    """Return the attributes of a melody, measured plainly."""
    notes = score.track("Melody").notes
    moves = np.abs(np.diff([n.pitch for n in notes])) if len(notes) > 1 else np.zeros(1)
    bars = [[n.pitch for n in notes if n.onset_steps // 48 == bar] for bar in range(score.bars.n_bars)]
    return {
        "density": len(notes),
        "syncopation": np.mean([n.onset_steps % 12 != 0 for n in notes]),
        "range": np.mean([max(bar) - min(bar) for bar in bars if bar]),
        "leaps": moves.mean(),
        "repetition": (moves == 0).mean(),
    }


@pytest.mark.parametrize("name", ["density", "syncopation", "range", "leaps", "repetition"])
def test_a_slider_gives_more_or_less(name):
    asked = {"bars": 8, "chords": "C | F | G | C", "rules": ["range C3 C7"], "decoder": "chain"}
    less, more = (
        np.mean([measured(generate(seed=seed, sliders={name: value}, **asked))[name] for seed in range(3)])
        for value in (-1.0, 1.0)
    )
    assert more > 1.3 * less + 0.05


def test_a_song_says_its_sliders_and_those_at_rest_do_nothing():
    plain, rest = (generate(bars=2, seed=1, sliders=s, decoder="chain") for s in (None, {"leaps": 0.0}))
    assert plain == rest
    assert dict(generate(bars=2, seed=1, sliders={"leaps": -0.5}).recipe)["sliders"] == "leaps=-0.5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("swing=1", "slider 'swing': expected one of density, syncopation"),
        ("density", "slider 'density': expected a name and a number, such as density=0.5"),
        ("density=loud", "slider 'density=loud': expected a name and a number"),
        ("density=nan", "expected a name and a number"),
        ("density=2", "slider density 2: expected -1 (as little as there is) to 1 (as much)"),
    ],
)
def test_what_is_no_slider_is_said(text, words):
    with pytest.raises(RequestError) as error:
        read_sliders([text])
    assert words in str(error.value)


def test_sliders_at_rest_are_dropped():
    assert checked_sliders({"density": 0, "leaps": 1}) == {"leaps": 1.0}
    assert checked_sliders(None) == {}
