"""PyTorch modules with code of their own are read as they answer themselves, or refused in one sentence."""

import numpy as np
import pytest

import lpnet
from lpnet import InputError
from lpnet.io import read

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
D = 4


class Own(nn.Module):
    """A module whose forward is a function of its layers, functional or not."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.calculation = forward
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.head = nn.LazyLinear(1)

    def forward(self, x):
        return self.head(self.calculation(self, x))


def residual(m, x):
    return x + m.b(F.relu(m.a(x)))


def joined(m, x):
    first, second = torch.chunk(m.a(x), 2, dim=1)
    return torch.cat([F.leaky_relu(first, 0.3), x, second.abs()], dim=-1)


def arithmetic(m, x):
    z = (2 - m.a(x) / 3) * m.scale - m.mean
    return torch.maximum(z.relu(), x[:, :2].sum(1, keepdim=True)) + torch.minimum(z, m.mean).clamp(-1, max=0.5)


def by_hand(m, x):
    z = torch.add(F.linear(x, m.scale[:, None] * m.square, bias=m.mean), x @ m.square, alpha=0.5)
    return torch.stack([F.hardtanh(z), F.relu6(z)], dim=1).transpose(1, 2).flatten(1)


def rearranged(m, x):
    z = m.a(x).view(x.size(0), 2, -1).permute(0, 2, 1)
    z = torch.relu(z).mean(dim=1) - F.hardsigmoid(z)[..., 0, :]
    return torch.cat([z.unsqueeze(1).squeeze(1), torch.split(F.pad(x, (1, -1)), [1, 3], dim=1)[1]], 1)


def image(m, x):
    return F.avg_pool2d(F.relu(m.c(x.unflatten(1, (1, 2, 2)))), 2, padding=1).flatten(1)


def parts():
    return {
        residual: {"a": nn.Linear(D, 6), "b": nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(), nn.Linear(6, D))},
        joined: {"a": nn.Linear(D, 6)},
        arithmetic: {"a": nn.Linear(D, D), "scale": nn.Parameter(torch.randn(D)), "mean": nn.Buffer(torch.randn(D))},
        by_hand: {name: nn.Parameter(torch.randn(*shape)) for name, shape in [("square", (D, D)), ("scale", (D,))]}
        | {"mean": nn.Buffer(torch.randn(D))},
        rearranged: {"a": nn.Linear(D, 6)},
        image: {"c": nn.ConvTranspose2d(1, 2, 2)},
    }


def prepared(model, inputs=D):
    """In evaluation mode, its statistics of training not those it began with."""
    model = model.double()
    with torch.no_grad():
        model.train()(torch.randn(50, *np.atleast_1d(inputs), dtype=torch.float64))
    return model.eval()


def check(network, model, shape=(D,)):
    points = np.random.default_rng(0).standard_normal((100, *shape)) * 2
    with torch.no_grad():
        scores = model(torch.from_numpy(points)).numpy().ravel()
    flat = points.reshape(len(points), -1)
    np.testing.assert_allclose(network.score(flat), scores, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(network(flat), np.where(scores > 0, 1, -1))


@pytest.mark.parametrize("calculation", [residual, joined, arithmetic, by_hand, rearranged, image])
def test_forwards(calculation):
    torch.manual_seed(4)
    model = prepared(Own(calculation, **parts()[calculation]))
    reading = read(model)
    check(reading.network, model)
    assert reading.network.inputs == D


CONVOLUTIONS = {
    "plain": [nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
    "groups": [nn.Conv2d(1, 2, 3, padding="same"), nn.PReLU(2), nn.Conv2d(2, 4, (1, 2), groups=2, dilation=2), nn.ReLU()],
    "means": [
        nn.Conv2d(1, 2, 2, bias=False), nn.BatchNorm2d(2), nn.Hardtanh(),
        nn.AvgPool2d(2, 2, ceil_mode=True), nn.ReLU(),
        nn.AvgPool2d(2, 1, 1, count_include_pad=False), nn.ReLU(),
    ],
    "back": [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.ConvTranspose2d(2, 2, 3, 2, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 4))],
    "overlapping": [nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Conv2d(1, 2, 1), nn.LeakyReLU(0.2)],
}  # fmt: skip


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_images(name):
    torch.manual_seed(1)
    model = prepared(nn.Sequential(nn.Unflatten(1, (1, 4, 4)), *CONVOLUTIONS[name], nn.Flatten(), nn.LazyLinear(1)), 16)
    check(lpnet.load(model), model, (16,))


def test_sequences_and_their_size():
    torch.manual_seed(0)
    model = prepared(nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.LazyLinear(1)), (2, 5))
    check(lpnet.load(nn.Sequential(nn.Unflatten(1, (2, 5)), model)), model, (2, 5))
    with pytest.raises(InputError, match=r"inputs of several shapes, \(2, 5\), \(2, 6\); put a layer in front that says which"):
        lpnet.load(model)
    model = prepared(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(1)), (1, 4, 4))
    reading = read(model)
    assert reading.assumed == "the module does not say of what shape its inputs are; (1, 4, 4), a square"
    check(reading.network, model, (1, 4, 4))


def branching(m, x):
    return m.a(x) if x.sum() > 0 else x


def random(m, x):
    return F.relu(m.a(x)) + torch.randn(3)


def changed(m, x):
    z = m.a(x)
    return F.relu_(z) + z - m.a(x)


@pytest.mark.parametrize(
    ("calculation", "telling"),
    [
        (branching, "a Own runs code that torch.fx does not follow (symbolically traced variables cannot be used as inputs to"),
        (random, "disagrees with its own evaluation"),
        (lambda m, x: F.gelu(m.a(x)), "the operation gelu 'gelu' cannot be taken: gelu is not affine or linear in pieces"),
        (lambda m, x: m.ln(m.a(x)), "the layer LayerNorm 'ln' cannot be taken: layer_norm is not"),
        (lambda m, x: F.dropout(m.a(x)), "drops entries also when the model predicts"),
        (lambda m, x: m.a(x) * m.a(x), "takes two computed values; wanted one of them constant"),
        (lambda m, x: 1 / m.a(x), "divides by a computed value"),
        (lambda m, x: m.a(x[:, :D]), "takes inputs of several shapes, (4,), (5,)"),
        (lambda m, x: F.max_pool1d(m.a(x), 2, return_indices=True)[0], "max_pool1d_with_indices is not affine"),
        (lambda m, x: F.pad(F.relu(m.a(x)), (1, 1), value=2.0), "pads with 2.0; wanted zeros"),
    ],
)
def test_refusals(calculation, telling):
    torch.manual_seed(0)
    model = Own(calculation, a=nn.Linear(D, 3), ln=nn.LayerNorm(3))
    model.eval()(torch.zeros(2, D))
    with pytest.raises(InputError) as caught:
        lpnet.load(model)
    assert telling in str(caught.value)


def test_what_is_overwritten_is_read_rightly_or_not_at_all():
    torch.manual_seed(0)
    model = Own(changed, a=nn.Linear(D, 3))
    model.eval()(torch.zeros(2, D))
    with pytest.raises(InputError, match="disagrees with its own evaluation"):
        lpnet.load(model)


def test_several_inputs_and_outputs():
    class Two(nn.Linear):
        def forward(self, x, y):
            return super().forward(x) + y

    class Pair(nn.Linear):
        def forward(self, x, mask=None):
            return F.relu(super().forward(x)), x

    for model, telling in [(Two(D, 1), "its forward takes 'y' as well"), (Pair(D, 1), "gives no single tensor")]:
        with pytest.raises(InputError, match=telling):
            lpnet.load(model)


JUMPS = {
    "sign": lambda m, x: m.c(torch.sign(m.b(torch.sign(m.a(x))))),
    "float": lambda m, x: m.c((m.b(torch.relu(m.a(x))) > 0).float() * 2 - 1),
    "where": lambda m, x: m.c(torch.where(m.b((m.a(x) >= 0).to(torch.float32)) < 0, 1.0, -2.0)),
    "both": lambda m, x: m.c(((m.b(torch.relu(m.a(x))) > 0) & (m.a(x)[:, :3] <= 1)).float()),
    "compared": lambda m, x: m.c(2.0 * (m.a(x)[:, :3] > m.b(m.a(x).relu())) - 1),
}


@pytest.mark.parametrize("name", JUMPS)
def test_gates_that_jump(name):
    """Whole weights on a lattice: sums are 0 at many points, where sign is 0 and comparisons are ties."""

    class Jumping(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(2, 4), nn.Linear(4, 3), nn.Linear(3, 1)

        def forward(self, x):
            return JUMPS[name](self, x)

    torch.manual_seed(1)
    module = Jumping()
    for parameter in module.parameters():
        parameter.data = torch.round(4 * parameter.data)
    points = np.stack(np.meshgrid(*[np.arange(-6, 7) / 2] * 2), axis=-1).reshape(-1, 2)
    with torch.no_grad():
        scores = module(torch.from_numpy(points).float()).numpy()
    network = lpnet.load(module)
    np.testing.assert_array_equal(network(points), np.where(scores[:, 0] >= 0, 1, -1))
    assert torch.get_default_dtype() == torch.float32
    assert isinstance(network, lpnet.StepNetwork | lpnet.SignCircuit)


def test_a_product_of_a_comparison_and_a_score_is_refused():
    class Switched(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 3), nn.Linear(3, 1)

        def forward(self, x):
            return self.b(torch.where(self.a(x) > 0, 2 * self.a(x) + 1, 0.0))

    with pytest.raises(lpnet.InputError, match="'where' takes two computed values"):
        lpnet.load(Switched())
