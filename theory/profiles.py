"""Key finding from the weights of the pitch classes, for a whole piece or by place.

*Weights* have shape (12,): how long each pitch class sounds, from C, in any unit. A *profile* holds
what is expected of them in a major and in a minor key, from the tonic up. The 24 keys are numbered
0 to 11 for the major keys from C and 12 to 23 for the minor keys from C.

>>> import numpy as np
>>> weights = np.zeros(12)
>>> weights[[9, 0, 4, 11, 8]] = 4, 2, 3, 1, 1  # A C E B G#
>>> find_key(weights)
Key('A minor')
>>> int(key_correlations(weights).argmax())
21

A piece that modulates has its weights given window by window, and keys by place:

>>> bar_of_c = np.zeros(12)
>>> bar_of_c[[0, 2, 4, 5, 7, 9, 11]] = 3, 1, 2, 1, 2, 1, 1
>>> key_segments([bar_of_c] * 8 + [np.roll(bar_of_c, 2)] * 8)
[(0, Key('C major')), (8, Key('D major'))]
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.errors import TheoryError
from theory.key import Key
from theory.paths import best_path

__all__ = ["PROFILES", "find_key", "key_correlations", "key_segments"]

_NO_KEY = "weights that are all equal have no key: expected some pitch classes to sound longer than others"

PROFILES = MappingProxyType(
    {
        "krumhansl-kessler": (
            (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
            (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
        ),
        "temperley": (
            (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
            (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
        ),
        "albrecht-shanahan": (
            (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
            (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
        ),
        "pop": (
            (0.216, 0.001, 0.132, 0.002, 0.146, 0.088, 0.003, 0.208, 0.006, 0.126, 0.006, 0.066),
            (0.235, 0.002, 0.082, 0.148, 0.003, 0.121, 0.002, 0.197, 0.068, 0.004, 0.127, 0.010),
        ),
    }
)
"""The profiles by name: the weights above a major tonic, and above a minor one.

``krumhansl-kessler`` are listeners' ratings of probe tones (Krumhansl and Kessler, "Tracing the dynamic
changes in perceived tonal organization in a spatial representation of musical keys", Psychological
Review 89, 1982). ``temperley`` counts the Kostka-Payne corpus (Temperley, "Music and Probability", MIT
Press, 2007). ``albrecht-shanahan`` counts the first and last bars of 490 works (Albrecht and Shanahan,
"The use of large corpora to train a new type of key-finding algorithm", Music Perception 31, 2013).
``pop`` is our own count: the shares of sounding time above the labelled tonic in every other song of POP909,
from the first.
"""


def key_correlations(weights: ArrayLike, profile: str = "albrecht-shanahan") -> NDArray[np.float64]:
    """Return how well each key explains the weights: the correlation with its profile.

    Parameters
    ----------
    weights
        Shape (12,): the duration of each pitch class, not negative.
    profile
        A name in :data:`PROFILES`.

    Returns
    -------
    ndarray of shape (24,)
        Between -1 and 1, major keys first; all 0 where the weights are all equal.

    Raises
    ------
    TheoryError
        If the weights are no twelve finite durations, or no profile has that name.

    References
    ----------
    Krumhansl, "Cognitive Foundations of Musical Pitch", Oxford University Press, 1990, chapter 4.
    """
    table = _standardised(_check_profile(profile))
    durations = _check_durations(weights, "twelve, one for each pitch class from C", n_dimensions=1)
    centred = _centred(durations)
    length = float(np.linalg.norm(centred))
    result: NDArray[np.float64] = table @ (centred / length if length else centred)
    return result


def find_key(weights: ArrayLike, *, profile: str = "albrecht-shanahan") -> Key:
    """Return the major or minor key that explains the weights best, spelled with the fewest accidentals.

    Parameters
    ----------
    weights
        Shape (12,): the duration of each pitch class, not negative.
    profile
        A name in :data:`PROFILES`.

    Raises
    ------
    TheoryError
        As :func:`key_correlations`, and where the weights are all equal, which fits every key alike.

    Notes
    -----
    Of 177 four-part Bach chorales, every other one of those that come with music21, this finds the
    signed key (the signature at least) of 122 (129) by ``krumhansl-kessler``, of 136 (152) by
    ``temperley`` and of 142 (152) by ``albrecht-shanahan``. Some of the others are modal, signed with a
    flat fewer than the minor key they come near to.
    """
    correlations = key_correlations(weights, profile)
    if not correlations.any():
        raise TheoryError(_NO_KEY)
    return _key(int(correlations.argmax()))


def key_segments(
    weights: ArrayLike, *, change_cost: float = 6.0, profile: str = "albrecht-shanahan"
) -> list[tuple[int, Key]]:
    """Return the keys of a piece by place: where each begins, and which it is.

    Parameters
    ----------
    weights
        Shape (n_windows, 12): the duration of each pitch class in each window, such as a bar; not negative.
    change_cost
        How much better a new key must explain what it covers before the change is made: one unit is a window of
        average weight that correlates perfectly with the new key and not at all with the old one. The default
        is for windows of a bar; for beats it is as many times that as a bar has beats. Infinite for a single key.
    profile
        A name in :data:`PROFILES`.

    Returns
    -------
    list of (int, Key)
        The first window of each key, from 0 on; keys that follow one another differ. Empty without windows.

    Raises
    ------
    TheoryError
        As :func:`find_key`, or if the cost is negative.

    Notes
    -----
    The exact best path (Viterbi) of 24 keys. A window gains the scalar product of its centred weights with the
    key's standardised profile, which adds up over windows: the best single key of any stretch is what
    :func:`find_key` gives for its sum.

    The cost was chosen on every other song of POP909; ``docs/analysis.md`` has the figures on the rest.

    References
    ----------
    Temperley, "The Cognition of Basic Musical Structures", MIT Press, 2001, chapter 7: keys by segment with a
    penalty for change.
    """
    table = _standardised(_check_profile(profile))
    if not change_cost >= 0:
        msg = f"change cost {change_cost:g}: expected 0 or more"
        raise TheoryError(msg)
    centred = _centred(_check_durations(weights, "(windows, 12)", n_dimensions=2))
    if not len(centred):
        return []
    length = float(np.linalg.norm(centred, axis=1).mean())
    if not length:
        raise TheoryError(_NO_KEY)
    gains = centred @ table.T / length
    path = best_path(gains, np.zeros((24, 24)), np.full(len(gains), float(change_cost)))
    starts = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist()]
    return [(start, _key(int(path[start]))) for start in starts]


def _key(number: int) -> Key:
    """Return one of the 24 keys, spelled with the fewest accidentals."""
    is_minor, tonic = divmod(number, 12)
    return Key.from_pitch_class(tonic, "minor" if is_minor else "major")


@cache
def _standardised(profile: str) -> NDArray[np.float64]:
    """Return the profile of every key, shape (24, 12), each row with mean 0 and length 1."""
    rows = np.array([np.roll(weights, tonic) for weights in PROFILES[profile] for tonic in range(12)])
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows.setflags(write=False)
    return rows


def _check_profile(name: str) -> str:
    if name not in PROFILES:
        msg = f"key profile {name!r}: expected one of {', '.join(PROFILES)}"
        raise TheoryError(msg)
    return name


def _check_durations(weights: ArrayLike, expected: str, *, n_dimensions: int) -> NDArray[np.float64]:
    durations = np.asarray(weights, dtype=np.float64)
    if n_dimensions == 2 and not durations.size:
        durations = durations.reshape(0, 12)
    if durations.ndim != n_dimensions or durations.shape[-1] != 12:
        msg = f"weights of shape {durations.shape}: expected {expected}"
        raise TheoryError(msg)
    if not (np.isfinite(durations).all() and (durations >= 0).all()):
        wrong = next(row for row in durations.reshape(-1, 12) if not (np.isfinite(row) & (row >= 0)).all())
        msg = f"weights {wrong.tolist()}: expected finite durations from 0"
        raise TheoryError(msg)
    return durations


def _centred(durations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows with mean 0; all 0 where the twelve are equal but for rounding."""
    result: NDArray[np.float64] = durations - durations.mean(axis=-1, keepdims=True)
    spread = np.linalg.norm(result, axis=-1, keepdims=True)
    result[np.broadcast_to(spread <= 1e-12 * durations.max(axis=-1, keepdims=True, initial=0.0), result.shape)] = 0.0
    return result
