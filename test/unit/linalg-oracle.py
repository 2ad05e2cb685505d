"""Writes linalg-golden.json: factors, eigenvalues and singular values by numpy (LAPACK) of matrices that linalg.test.ts makes by the same formulas.

python3 test/unit/linalg-oracle.py
"""

import json
from pathlib import Path

import numpy as np

N, M, K = 20, 9, 14


def wave(rows, cols, phase):
    i, j = np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij")
    return np.sin(1.3 * i + 0.7 * j + phase) + np.cos(0.2 * i * j + phase)


x = wave(3 * N, N, 0.5)
h = x.T @ x + 0.01 * np.eye(N)
w = wave(M, K, 1.5)
y = wave(40, K, 2.5)
gram = y.T @ y
values, vectors = np.linalg.eigh(gram)
root = vectors * np.sqrt(np.maximum(values, 0))


def best(weighted, rank):
    """The product of the best factors of that rank, weighting undone by projecting w on the left singular vectors."""
    u = np.linalg.svd(weighted)[0][:, :rank]
    return u @ (u.T @ w)


def parts(weights, context, rank):
    """Singular values of weights @ damped context, and the sums of the strongest and the weakest components u uᵀ weights."""
    damped = context + 0.01 * np.mean(np.diag(context)) * np.eye(len(context))
    u, s, _ = np.linalg.svd(weights @ damped, full_matrices=False)
    sums = {name: chosen @ (chosen.T @ weights) for name, chosen in (("ipa", u[:, :rank]), ("kpa", u[:, -rank:]))}
    return {"singular": s, **sums}


golden = {
    "numpy": np.__version__,
    "cholesky": np.linalg.cholesky(h),
    "inverseUpper": np.linalg.cholesky(np.linalg.inv(h)).T,
    "eigenvalues": np.linalg.eigvalsh(h)[::-1],
    "singular": {str(p): np.linalg.svd(m, compute_uv=False) for p, m in ((0, w), (0.5, w @ root), (1, w @ gram))},
    "parts": {"wide": parts(w, gram, 3), "tall": parts(w.T, w @ w.T, 3)},
    "product": {str(p): best(m, 3) for p, m in ((0, w), (0.5, w @ root), (1, w @ gram))},
}
path = Path(__file__).with_name("linalg-golden.json")
path.write_text(json.dumps(golden, default=lambda a: a.ravel().tolist(), indent=1) + "\n")
