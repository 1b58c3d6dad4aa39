"""One Hypothesis profile for all tests: no time limits, these machines are shared; the same examples every time."""

from hypothesis import settings

settings.register_profile("lpnet", deadline=None, derandomize=True)
settings.load_profile("lpnet")
