"""One Hypothesis profile for all tests, and compiled code that is never older than its source."""

import hashlib
import os
import tempfile
from pathlib import Path

from hypothesis import settings

# No time limits, these machines are shared; the same examples every time.
settings.register_profile("lpnet", deadline=None, derandomize=True)
settings.load_profile("lpnet")

# numba's cache looks at the file of a compiled function only, not at those of the functions that it calls.
_sources = sorted(Path(__file__).parent.parent.joinpath("lpnet").rglob("*_kernel.py"))
_digest = hashlib.sha256(b"".join(source.read_bytes() for source in _sources)).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"lpnet-compiled-{_digest}"))
