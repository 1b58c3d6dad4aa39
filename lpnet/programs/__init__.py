"""The linear programs behind every answer, and the exact arithmetic that confirms them."""

from lpnet.programs.alternative import Certificate, alternative
from lpnet.programs.signs import SignProgram

__all__ = ["Certificate", "SignProgram", "alternative"]
