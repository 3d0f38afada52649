"""What happens to sound after the synthesiser: effects, fades, level; in this order.

Levels: dBFS is of samples, full scale 0. dBTP is of the true peak, the signal's own between its samples. LUFS is
loudness as it is heard.

References
----------
ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", 2015.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RenderError
from symgen.render.effects import Effect, apply_effects

__all__ = ["Finish", "Levelled", "faded", "levelled", "loudness_lufs", "peak_of", "true_peaks"]

_RANGES = {  # field -> what it may be, and its words
    "peak_dbfs": (-100, 0, "peak {:g} dBFS"),
    "loudness_lufs": (-60, -5, "loudness {:g} LUFS"),
    "ceiling_dbtp": (-20, 0, "ceiling {:g} dBTP"),
    "gain_db": (-60, 30, "gain {:g} dB"),
    "fade_in_seconds": (0, 600, "fade-in of {:g} seconds"),
    "fade_out_seconds": (0, 600, "fade-out of {:g} seconds"),
}
_CEILING_DBTP = -1.0
_OVERSAMPLING = 4
_CHUNK_FRAMES = 2**18
_MARGIN_FRAMES = 64  # more than the filter of the oversampling is long
_LOOK_AHEAD_SECONDS = 0.005
_RELEASE_DB_A_SECOND = 60.0
_SHORTEST_SECONDS = 0.4  # one block of BS.1770
_CLOSE_ENOUGH_LU = 0.1
_MISSED_LU = 0.5
_MAX_ROUNDS = 8
_LEAST_SLOPE = 0.2


@dataclass(frozen=True, slots=True)
class Finish:
    """What is to happen to the sound.

    Parameters
    ----------
    peak_dbfs
        Scale so that the loudest sample has this level, -100 to 0; ``None`` leaves the synthesiser's own.
    loudness_lufs
        Scale to this loudness instead, -60 to -5, under the ceiling.
    ceiling_dbtp
        Let a limiter keep the true peak below this, -20 to 0; ``None`` for -1 where a loudness or a gain above 0 is
        asked for, and else for no limiter.
    gain_db
        Added to the level, -60 to 30.
    fade_in_seconds, fade_out_seconds
        At the ends, 0 to 600.
    effects
        Before all that; see :mod:`symgen.render.effects`.
    """

    peak_dbfs: float | None = -1.0
    loudness_lufs: float | None = None
    ceiling_dbtp: float | None = None
    gain_db: float = 0.0
    fade_in_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    effects: tuple[Effect, ...] = ()

    def __post_init__(self) -> None:
        for name, (low, high, words) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                msg = f"{words.format(value)}: expected {low} to {high}"
                raise RenderError(msg)

    @property
    def limit_dbtp(self) -> float | None:
        """The ceiling that holds, if one does."""
        if self.ceiling_dbtp is None and (self.loudness_lufs is not None or self.gain_db > 0):
            return _CEILING_DBTP
        return self.ceiling_dbtp

    def with_effects(self, samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Return samples that went through the effects."""
        return apply_effects(samples, sample_rate, self.effects)

    @property
    def is_linear(self) -> bool:
        """Whether what is done to a sum is the sum of what is done to its parts."""
        return all(effect.kind.is_linear for effect in self.effects)

    @property
    def rings(self) -> bool:
        """Whether it sounds on after its input."""
        return any(effect.kind.rings for effect in self.effects)


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """What the level of a sound was multiplied by.

    Parameters
    ----------
    gain
        The one factor, or one for each frame, shape (n_frames,), where a limiter was at work.
    loudness_lufs
        What came of it; measured only where a loudness was asked for.
    warning
        What could not be met; else empty.
    """

    gain: np.float32 | NDArray[np.float32]
    loudness_lufs: float | None = None
    warning: str = ""

    def apply(self, samples: NDArray[np.float32]) -> None:
        """Change the level of samples in place."""
        samples *= self.gain if np.ndim(self.gain) == 0 else np.asarray(self.gain)[:, None]


def faded(samples: NDArray[np.float32], sample_rate: int, finish: Finish) -> NDArray[np.float32]:
    """Fade the ends in place; return the samples.

    Raises
    ------
    RenderError
        If a fade is longer than the sound.
    """
    for seconds, is_in in ((finish.fade_in_seconds, True), (finish.fade_out_seconds, False)):
        n = round(seconds * sample_rate)
        if n > len(samples):
            which = "in" if is_in else "out"
            msg = f"fade-{which} of {seconds:g} seconds: expected at most the {len(samples) / sample_rate:.1f} of sound"
            raise RenderError(msg)
        slope = np.square(np.sin(np.linspace(0, math.pi / 2, n, dtype=np.float32)))[:, None]
        if is_in:
            samples[:n] *= slope
        else:
            samples[len(samples) - n :] *= slope[::-1]
    return samples


def levelled(samples: NDArray[np.float32], sample_rate: int, finish: Finish) -> Levelled:
    """Return what to multiply samples by.

    Parameters
    ----------
    samples
        Not silent.
    sample_rate
        Frames a second.
    finish
        The level wanted.

    Raises
    ------
    RenderError
        If a loudness is asked for of a sound too short to have one.
    """
    if finish.loudness_lufs is not None:
        return _at_loudness(samples, sample_rate, finish)
    gain = _factor(finish.gain_db) * (1.0 if finish.peak_dbfs is None else _factor(finish.peak_dbfs) / peak_of(samples))
    if finish.limit_dbtp is None:
        return Levelled(np.float32(gain))
    peaks, ceiling = _peaks_between(samples), _factor(finish.limit_dbtp)
    return Levelled(_corrected(samples, _limited(peaks, sample_rate, gain, ceiling), ceiling))


def _at_loudness(samples: NDArray[np.float32], sample_rate: int, finish: Finish) -> Levelled:
    """Change the gain until the loudness behind the limiter is what was asked for."""
    assert finish.loudness_lufs is not None
    assert finish.limit_dbtp is not None
    wanted, ceiling = finish.loudness_lufs + finish.gain_db, _factor(finish.limit_dbtp)
    peaks = _peaks_between(samples)
    gain_db = -20 * math.log10(peak_of(samples))  # loud enough for the gate of the measurement
    found = _loudness_of_short(samples * np.float32(_factor(gain_db)), sample_rate)
    slope = 1.0  # of loudness over gain: less, the harder the limiter works
    for _ in range(_MAX_ROUNDS):
        step = (wanted - found) / slope
        factors = _limited(peaks, sample_rate, _factor(gain_db + step), ceiling)
        tried = samples.copy()
        Levelled(factors).apply(tried)
        before, found = found, loudness_lufs(tried, sample_rate)
        gain_db += step
        if abs(found - wanted) <= _CLOSE_ENOUGH_LU:
            break
        slope = min(max((found - before) / step, _LEAST_SLOPE), 1.0)
    factors = _corrected(samples, factors, ceiling)
    missed = f"loudness {found:.1f} LUFS: {wanted:g} cannot be had under a true peak of {finish.limit_dbtp:g} dBTP"
    return Levelled(factors, found, missed if abs(found - wanted) > _MISSED_LU else "")


def _loudness_of_short(samples: NDArray[np.float32], sample_rate: int) -> float:
    seconds = len(samples) / sample_rate
    if seconds <= _SHORTEST_SECONDS:
        msg = f"sound of {seconds:.2f} seconds: expected more than {_SHORTEST_SECONDS} to measure its loudness"
        raise RenderError(msg)
    found = loudness_lufs(samples, sample_rate)
    if not math.isfinite(found):
        msg = "too quiet nearly throughout to measure its loudness: expected a louder sound, or set its peak instead"
        raise RenderError(msg)
    return found


def loudness_lufs(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the integrated loudness by BS.1770-4; minus infinity for what is quieter than -70 LUFS throughout."""
    import pyloudnorm

    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(sample_rate).integrated_loudness(samples))


def true_peaks(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each frame the largest magnitude from it to the next one, of all channels.

    Parameters
    ----------
    samples
        Shape (n_frames, n_channels).

    Notes
    -----
    Oversampled four times, as BS.1770-4 does, which may miss 0.6 dB of a sine at a quarter of the sample rate.
    """
    return np.concatenate([np.zeros(0, dtype=np.float32), *_true_peaks(samples)])


def _true_peaks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    from scipy.signal import resample_poly

    for start in range(0, len(samples), _CHUNK_FRAMES):
        first, stop = max(0, start - _MARGIN_FRAMES), min(start + _CHUNK_FRAMES, len(samples))
        channels = np.ascontiguousarray(samples[first : stop + _MARGIN_FRAMES].T)
        fine = np.abs(resample_poly(channels, _OVERSAMPLING, 1, axis=1))
        fine = fine[:, (start - first) * _OVERSAMPLING : (stop - first) * _OVERSAMPLING]
        fine[:, ::_OVERSAMPLING] = np.abs(samples[start:stop].T)  # the filter only comes near the samples
        loudest = reduce(np.maximum, fine)  # quicker than the largest along so short an axis
        yield reduce(np.maximum, (loudest[phase::_OVERSAMPLING] for phase in range(_OVERSAMPLING)))


def _peaks_between(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return for each frame the largest true peak next to it: what lies between two frames counts for both."""
    peaks = true_peaks(samples).astype(np.float64)
    peaks[1:] = np.maximum(peaks[1:], peaks[:-1])
    return peaks


def _limited(
    peaks: NDArray[np.float64], sample_rate: int, gain: float, ceiling: float
) -> np.float32 | NDArray[np.float32]:
    """Return the gain for each frame under which no peak is above the ceiling, or the one for all.

    It goes down within 5 ms before a peak and comes back at 60 dB a second.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    if peaks.max() * gain <= ceiling:
        return np.float32(gain)
    needed_db = np.minimum(0.0, -20 * np.log10(np.maximum(peaks * (gain / ceiling), 1e-9)))
    rise = np.arange(len(needed_db)) * (_RELEASE_DB_A_SECOND / sample_rate)
    released = np.minimum(np.minimum.accumulate(needed_db - rise) + rise, 0.0)
    reach = max(1, round(_LOOK_AHEAD_SECONDS * sample_rate / 4))
    # Twice a mean over what the minimum has reached: smooth, and nowhere above what is needed.
    held = minimum_filter1d(released, 4 * reach + 1, mode="nearest")
    smooth = uniform_filter1d(uniform_filter1d(held, 2 * reach + 1, mode="nearest"), 2 * reach + 1, mode="nearest")
    factors: NDArray[np.float32] = (gain * 10 ** (np.minimum(smooth, 0.0) / 20)).astype(np.float32)
    return factors


def _corrected(
    samples: NDArray[np.float32], factors: np.float32 | NDArray[np.float32], ceiling: float
) -> np.float32 | NDArray[np.float32]:
    """Return the gain a little lower where a gain that moves has moved a true peak above the ceiling."""
    if not isinstance(factors, np.ndarray):
        return factors
    over = float(true_peaks(samples * factors[:, None]).max()) / ceiling
    factors /= np.float32(max(over, 1.0))
    return factors


def peak_of(samples: NDArray[np.float32]) -> float:
    """Return the largest magnitude of any sample."""
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def _factor(db: float) -> float:
    return float(10 ** (db / 20))
