"""Networks in other places than files: the standard input, and folders as model hubs have them."""

import atexit
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from lpnet.errors import InputError
from lpnet.io.files import FORMATS, look
from lpnet.io.kinds import MOST_BYTES
from lpnet.io.reading import Reading

STDIN = "-"
WEIGHTS = "model.safetensors", "pytorch_model.bin", "model.onnx", "model.json", "model.keras"
ACTIVATIONS = "hidden_act", "activation", "activation_function"


@cache
def from_stdin() -> Path:
    """The standard input as a file, with the suffix of what it looks like; removed at the end."""
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not content:
        raise InputError("is empty; wanted a network, as in: lpnet minimal - < net.onnx")
    with tempfile.NamedTemporaryFile(prefix="lpnet-", delete=False) as file:
        file.write(content)
    path = Path(file.name)
    atexit.register(path.unlink, missing_ok=True)
    looks = look(path)
    suffixes = FORMATS.get(looks, ())
    if not suffixes:
        raise InputError(f"looks like {looks or 'nothing known'}; wanted a network")
    return path.rename(path.with_suffix(suffixes[-1] if looks == "a text file" else suffixes[0]))


def in_folder(folder: Path) -> Path:
    """The file of weights in a folder of a model hub; InputError where there is none."""
    if (folder / "saved_model.pb").is_file():
        raise InputError(
            "is a SavedModel of TensorFlow; python -m tf2onnx.convert --saved-model FOLDER --output net.onnx makes a file of it"
        )
    found = [folder / name for name in WEIGHTS if (folder / name).is_file()] or sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise InputError(
            f"is a directory with {len(found)} files of weights; wanted a file, or one of {', '.join(WEIGHTS)} in it"
        )
    return found[0]


def configuration(folder: Path) -> dict[str, Any]:
    """What config.json says; InputError for another activation than ReLU."""
    try:
        said = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    said = said if isinstance(said, dict) else {}
    for key in ACTIVATIONS:
        if isinstance(said.get(key), str) and said[key].lower() != "relu":
            raise InputError(f"config.json has the {key} {said[key]!r:.40}; wanted relu")
    return said


def with_labels(reading: Reading, said: dict[str, Any]) -> Reading:
    """The same with the names of two classes that config.json gives, and those of features."""
    network, names = reading.network, said.get("id2label")
    if isinstance(names, dict) and len(names) == 2 and hasattr(network, "output_weight"):
        ordered = [str(names[key]) for key in sorted(names, key=str)]
        reading = reading.of(network.named(labels=ordered)) if len(set(ordered)) == 2 else reading
    features = said.get("feature_names", said.get("features"))
    return reading.with_features(features) if isinstance(features, list) else reading
