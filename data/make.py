"""Makes every network in this folder: `python data/make.py [FOLDER]`; prints the table of README.md.

Needs `pip install "lpnet[onnx,sklearn]"`. Every seed is 0. The same versions of numpy and scikit-learn make the same bytes.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lpnet import ReLUNetwork
from lpnet.io import from_sklearn, load, save

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Task:
    """A data set with two classes, how many principal components are kept (0: no PCA), and the widths of the hidden layers."""

    load: Any
    positive: int
    negative: int | None
    components: int
    widths: tuple[int, ...]
    layers: str


TASKS = {
    "cancer_pca5": Task(load_breast_cancer, 1, None, 5, (10,), "Gemm"),
    "cancer_all30": Task(load_breast_cancer, 1, None, 0, (8,), "MatMul"),
    "wine_pca3": Task(load_wine, 0, None, 3, (5,), "MatMul"),
    "wine_pca3_deep": Task(load_wine, 0, None, 3, (5, 5), "Gemm"),
    "digits_3v8_pca6": Task(load_digits, 3, 8, 6, (14,), "Gemm"),
}


def running_example() -> ReLUNetwork:
    """f = −1 + R(x + y + 2) − R(2x) − R(2y), [PS16] Eq. (4) with P = {1}, N = {2, 3}: f ≥ 0 is the square |x| + |y| ≤ 1."""
    return ReLUNetwork([[1, 1], [2, 0], [0, 2]], [2, 0, 0], [1, -1, -1], -1)


def extremal(n: int) -> ReLUNetwork:
    """f = −1 + Σ R(x_k) with d = n, the family of [PS16] Theorem 2: it needs 2^n − 1 threshold units."""
    return ReLUNetwork(np.eye(n), np.zeros(n), np.ones(n), -1)


def split(name: str) -> tuple[Any, Any, Any, Any]:
    """Training inputs, held-out inputs, and their classes (1: positive); standardised, then rotated to components.

    30 % are held out, stratified; the standardisation and the components come from the training part alone.
    """
    task = TASKS[name]
    points, labels = task.load(return_X_y=True)
    if task.negative is not None:
        kept = np.isin(labels, [task.positive, task.negative])
        points, labels = points[kept], labels[kept]
    classes = (labels == task.positive).astype(int)
    train, test, *parts = train_test_split(points, classes, test_size=0.3, random_state=0, stratify=classes)
    pca = [PCA(task.components, svd_solver="full")] if task.components else []
    prepare = make_pipeline(StandardScaler(), *pca).fit(train)
    return prepare.transform(train), prepare.transform(test), parts[0], parts[1]


def trained(name: str) -> ReLUNetwork:
    """The classifier fitted to the training part, its weights rounded to float32."""
    train, _, classes, _ = split(name)
    model = MLPClassifier(TASKS[name].widths, alpha=0.1, learning_rate_init=0.01, max_iter=3000, random_state=0)
    model.fit(train, classes)
    model.coefs_ = [weight.astype(np.float32) for weight in model.coefs_]
    model.intercepts_ = [bias.astype(np.float32) for bias in model.intercepts_]
    return from_sklearn(model)


def accuracy(name: str, network: Any) -> float:
    """The share of the held-out points that the network classifies correctly."""
    _, test, _, classes = split(name)
    return float((network(test) == 2 * classes - 1).mean())


def to_onnx(network: ReLUNetwork, layers: str) -> bytes:
    """Layers that read the one before, in float32: Gemm (transB = 1) and Relu, or MatMul, Add and Relu; at the end Sigmoid."""
    layer = gemm if layers == "Gemm" else matmul_add
    *hidden, output = network.given_layers
    nodes, stored, source, width = [], [], "x", network.inputs
    for number, dense in zip(["", *range(2, 1 + len(hidden))], hidden, strict=True):
        sums, tensors = layer(f"hidden{number}", source, f"sums{number}", dense.weight[:, -width:], dense.bias)
        source, width, stored = f"active{number}", len(dense.bias), stored + tensors
        nodes += [*sums, helper.make_node("Relu", [f"sums{number}"], [source], f"relu{number}")]
    score, tensors = layer("output", source, "score", output.weight[:, -width:], output.bias)
    sigmoid = helper.make_node("Sigmoid", ["score"], ["p"], "sigmoid")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", network.inputs])
    p = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["batch", 1])
    graph = helper.make_graph([*nodes, *score, sigmoid], "lpnet", [x], [p], stored + tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="lpnet")
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def gemm(name: str, source: str, target: str, weight: Any, bias: Any) -> tuple[list[Any], list[Any]]:
    """The node target = source·weightᵀ + bias and its tensors, as PyTorch exports them."""
    tensors = [tensor(f"{name}.weight", weight), tensor(f"{name}.bias", bias)]
    return [helper.make_node("Gemm", [source, *(t.name for t in tensors)], [target], f"{name}.gemm", transB=1)], tensors


def matmul_add(name: str, source: str, target: str, weight: Any, bias: Any) -> tuple[list[Any], list[Any]]:
    """The same as two nodes and with the transposed weights, as Keras models are exported."""
    tensors = [tensor(f"{name}.kernel", weight.T), tensor(f"{name}.bias", bias)]
    product = helper.make_node("MatMul", [source, tensors[0].name], [f"{name}.product"], f"{name}.matmul")
    return [product, helper.make_node("Add", [f"{name}.product", tensors[1].name], [target], f"{name}.add")], tensors


def tensor(name: str, numbers: Any) -> Any:
    """The numbers as a float32 tensor."""
    return numpy_helper.from_array(np.ascontiguousarray(numbers, dtype=np.float32), name)


def row(path: Path) -> str:
    """A line of the table in README.md: file, d, n by layers, |P|, |N| (of one hidden layer) and the held-out accuracy."""
    network = load(path)
    assert isinstance(network, ReLUNetwork)
    share = f"{accuracy(path.stem, network):.4f}" if path.stem in TASKS else "—"
    signs = ("—", "—") if network.deeper else (len(network.positive), len(network.negative))
    sizes = (network.inputs, " + ".join(map(str, network.widths)), *signs)
    return f"| `{path.name}` | {' | '.join(map(str, sizes))} | {share} |"


def main(folder: Path) -> None:
    """Write all files and print the table."""
    networks = {"running_example": running_example(), **{f"theorem2_n{n}": extremal(n) for n in range(3, 9)}}
    networks |= {name: trained(name) for name in TASKS}
    for name, network in networks.items():
        save(network, folder / f"{name}.json")
        if name in TASKS:
            (folder / f"{name}.onnx").write_bytes(to_onnx(network, TASKS[name].layers))
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".json", ".onnx")):
        print(row(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
