"""No deadlines: an oracle's first import takes longer than any example."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
