"""Proofs that somebody has changed."""

import json
import zipfile

from lpnet.checker import BadProof, Refuted, check


class Forged:
    """A proof as a dictionary of members, to be spoilt and put together again."""

    def __init__(self, path):
        self.path, self.report = path, None
        with zipfile.ZipFile(path) as file:
            self.members = {name: file.read(name) for name in file.namelist()}
        self.header = json.loads(self.members["header.json"])

    def verdict(self, changes, **header):
        """None where the checker accepts it, whose report is then kept, else what it says."""
        target = self.path.with_suffix(".forged")
        with zipfile.ZipFile(target, "w") as file:
            for name, value in {**self.members, "header.json": json.dumps({**self.header, **header}), **changes}.items():
                file.writestr(name, value)
        try:
            self.report = check(target)
        except (Refuted, BadProof) as error:
            return str(error)
        return None
