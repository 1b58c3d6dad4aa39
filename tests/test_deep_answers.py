"""Commands and functions on networks of several hidden layers: right answers, or one sentence that says why not."""

import pytest
from deep import chain, tangled
