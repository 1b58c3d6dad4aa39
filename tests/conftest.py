"""One Hypothesis profile for all tests."""

from hypothesis import settings

# No time limits, these machines are shared; the same examples every time.
settings.register_profile("lpnet", deadline=None, derandomize=True)
settings.load_profile("lpnet")
