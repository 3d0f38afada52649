"""Settings for the whole suite: hypothesis draws the same examples every time, however slow the machine."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

# Read when numba is first imported, which may be long before the tests that hear a render by librosa: to compile what
# they need takes 15 s, and there is little to compute.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
