"""Small threshold circuits on given half-spaces: one unit, the smallest DNF or CNF, Theorem 1's own without its ballast."""
