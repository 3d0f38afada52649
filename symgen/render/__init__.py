"""Sound and pictures: the parts of the package that need FluidSynth, soundfile or matplotlib.

Nothing here loads one of these libraries before it is used.
"""

from symgen.io.smf import Limits
from symgen.render.audio import Rendered, render, write_audio
from symgen.render.plot import plot_score, plot_spectrogram
from symgen.render.soundfont import find_soundfont

__all__ = ["Limits", "Rendered", "find_soundfont", "plot_score", "plot_spectrogram", "render", "write_audio"]
