"""Makes `tightness.parquet` and `trained.parquet` in this folder: `python data/studies.py FOLDER`; the work is done in FOLDER.

Needs `pip install "lpnet[sklearn,studies]"`. Stopped or killed, it goes on where it was. The files are the tables of the two
studies without their times; what made them is in the metadata. The same versions of numpy and scikit-learn make the same rows.
"""

import sys
from pathlib import Path

from pyarrow import parquet

from lpnet.console import watched
from lpnet.studies.grid import RandomStudy
from lpnet.studies.run import run
from lpnet.studies.trained import TrainedStudy

HERE = Path(__file__).parent
RANDOM = RandomStudy(relus=tuple(range(2, 15)), inputs=tuple(range(1, 9)), bias=(0.0, 1.0), trials=33, seed=7)


def main(folder: Path) -> None:
    """Do both studies and write what they found."""
    for study in (RANDOM, TrainedStudy(seed=7)):
        with watched(study.name, None, None, "networks") as watch:
            table = run(study, folder / study.name, watch=watch)
        parquet.write_table(
            table.drop_columns(["seconds"]), HERE / f"{study.name}.parquet", compression="zstd", compression_level=19
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
