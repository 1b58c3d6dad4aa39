"""lpnet: minimal threshold equivalents of ReLU networks, after Pan & Srikumar, ICML 2016 ([PS16])."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
LATER = {"draw": "lpnet.plots.draw", "report": "lpnet.pages.whole", "ThresholdClassifier": "lpnet.estimator"}

if TYPE_CHECKING:
    from lpnet.api import *  # noqa: F403
    from lpnet.estimator import ThresholdClassifier as ThresholdClassifier
    from lpnet.pages.whole import report as report
    from lpnet.plots.draw import draw as draw
else:

    def __getattr__(name):
        """What `lpnet.api` has, once something is asked for: until then, `lpnet` can answer Ctrl-C before it is loaded."""
        from importlib import import_module

        if name in LATER:
            globals()[name] = getattr(import_module(LATER[name]), name)
        elif name == "__all__" or not name.startswith("__"):
            api = import_module("lpnet.api")
            globals().update({each: getattr(api, each) for each in [*api.__all__, "__all__"]})
        if name in globals():
            return globals()[name]
        raise AttributeError(f"module 'lpnet' has no attribute {name!r}")
