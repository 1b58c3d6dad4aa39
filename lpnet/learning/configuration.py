"""The protocol of [PS16] section 5 in one object, with a name for every choice that the paper leaves open."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Configuration:
    """What Figure 4 is made from.

    Said in the paper: inputs (d) and relus (n) of the settings; points a network, test_points among them; rates to choose the
    learning rate from; l2, the coefficient; batch; epochs, the most there are; compression c of tanh(c z).

    Chosen here, the paper being silent:
    networks: how many a setting (the paper shows one), so that there are error bars; seed: everything follows from it.
    Data: points x ~ N(0, 1)^d; hidden weights ~ N(0, 1/d) and biases ~ N(0, 1), so that u·x and b vary alike; every output
    weight is +1, the case for which two threshold layers of 2^n units suffice (the corollary of Theorem 1); w0 is minus the
    median of the other terms, so that half of the labels are +1.
    Loss: the logistic loss log(1 + exp(−y·score)), averaged over the minibatch, + l2/2 · (squared length of all parameters).
    Optimiser: plain stochastic gradient descent without momentum, examples shuffled anew in each epoch.
    Initialisation: all parameters of a layer uniform in ±1/√(its inputs), the default of Torch in 2016.
    folds, fold_epochs: the rate is the one with the smallest mean error on the held-out folds, each at its best epoch of
    fold_epochs, the larger one where they tie.
    validation_points: then the network is trained anew on the training points but these, which tell when to stop: when their
    error has not fallen for `patience` epochs. The parameters of the best epoch count, epoch 0 included.
    starts: this is done from so many random starts; the errors are means over them, and next to them those of the start
    with the smallest validation error.
    exact_epochs: how long the exact equivalent is trained, at each rate, without early stopping.
    """

    inputs: tuple[int, ...] = (3, 10, 50)
    relus: tuple[int, ...] = (3, 10)
    networks: int = 5
    points: int = 10_000
    test_points: int = 1_500
    rates: tuple[float, ...] = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
    l2: float = 1e-4
    batch: int = 20
    epochs: int = 1000
    compression: float = 1e4
    folds: int = 3
    fold_epochs: int = 50
    validation_points: int = 1_500
    patience: int = 50
    starts: int = 3
    exact_epochs: int = 50
    seed: int = 2016


QUICK = Configuration(
    inputs=(3,), relus=(3, 6), networks=2, points=2_000, test_points=500, epochs=60, fold_epochs=10, validation_points=300,
    patience=15, starts=2, exact_epochs=10,
)  # fmt: skip
