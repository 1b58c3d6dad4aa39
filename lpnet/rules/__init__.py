"""Threshold networks as rules in words, and as functions in Python and C."""

from lpnet.rules.rules import Rules, rules

__all__ = ["Rules", "card", "code", "few", "logic", "rules", "seen"]
