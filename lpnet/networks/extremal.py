"""Networks that need as many half-spaces as any with one sign."""

import itertools
from math import isqrt

import numpy as np
from flint import fmpq_mat, fmpz_mat

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.networks.relu import ReLUNetwork


def extremal_network(relus: int, inputs: int) -> ReLUNetwork:
    """f = −1 + Σ R(u_k·x) with n ReLUs on d inputs that needs T(n, d) half-spaces (`lpnet.laws.one_sign_bound`).

    For d ≥ n the u_k are the first n unit vectors, independent: 2^n − 1 half-spaces, [PS16] Theorem 2.
    For d < n they are v_k = (1, k, k², …, k^{d−1}) mod p, 0 ≤ k < n ≤ p, p prime, and some of them −v_k. Any d have a
    determinant that is not 0 modulo p (Vandermonde), so they are independent, and in Σ_{k≤d} c_k v_k = 0 no c_k is 0. With
    u_k = sgn(c_k) v_k for k ≤ d, Σ |c_k| u_k = 0: no x makes all u_k·x < 0. So `lpnet.laws.central_number` is T(n, d).
    All weights are whole numbers below p, exact as floats. Raises InputError unless n ≥ 1 and d ≥ 1.
    """
    if relus < 1 or inputs < 1:
        raise InputError(f"extremal network: wanted at least one ReLU and one input, got {relus} and {inputs}")
    if inputs >= relus:
        weight = np.eye(relus, inputs)
    else:
        prime = next(p for p in itertools.count(max(relus, 2)) if all(p % q for q in range(2, isqrt(p) + 1)))
        weight = np.array([[pow(k, j, prime) for j in range(inputs)] for k in range(relus)], dtype=np.float64)
        weight[:inputs] *= dependency_signs(weight[: inputs + 1])[:, None]
    return ReLUNetwork(weight, np.zeros(relus), np.ones(relus), -1.0)


def dependency_signs(rows: FloatArray) -> FloatArray:
    """The signs of c_k in v_d + Σ_{k<d} c_k v_k = 0 for d + 1 rows of integers, (d + 1, d) → (d,)."""
    *first, last = rows.astype(int).tolist()
    solution = fmpq_mat(fmpz_mat(first).transpose()).solve(fmpq_mat(len(last), 1, [-entry for entry in last]))
    return np.array([1.0 if solution[k, 0] > 0 else -1.0 for k in range(len(last))])
