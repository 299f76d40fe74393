"""Writes test/fixtures/golden/intervals.json: intervals of scikit-learn's measures by a bootstrap of rows (numpy), and Wilson's by scipy.

Run with a Python that has scikit-learn and scipy; the file tells their versions:

    python scripts/golden/intervals.py test/fixtures/golden
"""
import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy.stats import binomtest
from sklearn.metrics import f1_score

out = pathlib.Path(sys.argv[1])
random = np.random.default_rng(5)
RESAMPLES = 20_000

# Rows by right and given label. The last label is rare, the matrix is not symmetric.
matrix = np.array([[310, 20, 5], [31, 160, 2], [4, 3, 9]])
truth = np.repeat(np.arange(9) // 3, matrix.ravel())
given = np.repeat(np.arange(9) % 3, matrix.ravel())
rows = len(truth)


def measures(y, p):
    hits = np.bincount(y[y == p], minlength=3)
    support, predicted = np.bincount(y, minlength=3), np.bincount(p, minlength=3)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall, f1 = hits / predicted, hits / support, 2 * hits / (support + predicted)
    return [(y == p).mean(), np.nan_to_num(f1).mean(), *precision, *recall, *f1]


drawn = np.array([measures(truth[rows_], given[rows_]) for rows_ in random.integers(rows, size=(RESAMPLES, rows))])
values = measures(truth, given)
assert np.isclose(values[1], f1_score(truth, given, average="macro"))
bounds = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
names = ["accuracy", "macroF1", *(f"{name}{label}" for name in ["precision", "recall", "f1"] for label in range(3))]
wilson = []
for part, all_ in [(0, 5), (3, 10), (50, 50), (912, 1000), (1, 100_000)]:
    interval = binomtest(part, all_).proportion_ci(method="wilson")
    wilson.append({"part": part, "rows": all_, "low": interval.low, "high": interval.high})
written = {
    "versions": {"sklearn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
    "matrix": matrix.tolist(),
    "bootstrap": {name: {"value": float(v), "low": float(l), "high": float(h)} for name, v, l, h in zip(names, values, *bounds)},
    "wilson": wilson,
}
(out / "intervals.json").write_text(json.dumps(written, indent=1) + "\n")
