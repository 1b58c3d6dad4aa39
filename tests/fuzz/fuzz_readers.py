"""Coverage-guided fuzzing of one reader: python tests/fuzz/fuzz_readers.py SUFFIX [SECONDS]; needs atheris (Python ≤ 3.13).

Starts from files of the real libraries. A file may be read or refused with an InputError of one line; any other exception, a
crash, more than 20 s or more than 3 GiB stops the run with the file that did it, in the folder the run was started in.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import torch  # noqa: F401, before what is instrumented imports it

with atheris.instrument_imports(include=["lpnet"]):
    from lpnet.errors import InputError
    from lpnet.io import keras_, nnet, onnx_, read, torch_  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent.parent))
from real_files import write_all


def main(suffix, seconds):
    """Fuzz the reader of a suffix."""
    with tempfile.TemporaryDirectory() as folder:
        seeds, target = Path(folder) / "seeds", Path(folder) / f"target{suffix}"
        seeds.mkdir()
        write_all(seeds, suffix)

        def read_bytes(content):
            target.write_bytes(content)
            try:
                read(target)
            except InputError as error:
                if "\n" in str(error) or len(str(error)) > 500 + len(str(target)):
                    raise RuntimeError("more than one short line") from error

        options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3072", "-max_len=40000"]
        atheris.Setup([sys.argv[0], str(seeds), *options], read_bytes)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300)
