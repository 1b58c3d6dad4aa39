"""Files that Marabou writes as .nnet, and its own evaluation of what it reads in them: pip install maraboupy numpy"""

import numpy as np
from maraboupy.MarabouNetworkNNet import MarabouNetworkNNet
from writing import INPUTS, RELUS, done, path, points

END = 20.0  # of the inputs' ranges, beyond which Marabou clips them
NORMALISATION = {"inputMeans": [0.3, -1.7, 2.25], "inputRanges": [2.5, 0.3, 3.7], "outputMean": 2.5, "outputRange": 3.1}

assert np.abs(points).max() < END
random = np.random.default_rng(0)
predictions = {}
for outputs in (1, 2, 5):
    for kind, scaling in (("plain", {}), ("scaled", NORMALISATION)):
        name = f"{kind}-{outputs}.nnet"
        weights = [random.normal(size=size).tolist() for size in ((RELUS, INPUTS), (outputs, RELUS))]
        biases = [random.normal(size=size).tolist() for size in (RELUS, outputs)]
        ends = {"inputMinimums": [-END] * INPUTS, "inputMaximums": [END] * INPUTS}
        made = MarabouNetworkNNet()
        made.resetNetworkFromParameters(weights, biases, normalize=True, **ends, **scaling)
        made.writeNNet(path(name))
        read = MarabouNetworkNNet(path(name), normalize=True)  # it writes six digits of each weight
        predictions[name] = [read.evaluateWithoutMarabou(point)[0] for point in points]
done(predictions)
