"""Writes test/fixtures/golden/comparison.json: McNemar's exact test by SciPy 1.17.1, and the interval of Agresti and Min (2005).

Run with a Python that has SciPy and numpy:

    python scripts/golden/comparison.py test/fixtures/golden

SciPy has the binomial test; McNemar's exact test is that of the rows that one model alone has right. The interval is Wald's with half a row
more in each of the four cells, computed here from the cells' probabilities.
"""
import json
import pathlib
import sys

import numpy as np
from scipy import stats

out = pathlib.Path(sys.argv[1])
cases = []
for cells in [(50, 3, 9, 4), (0, 0, 1, 0), (10, 0, 0, 2), (900, 40, 75, 30), (5000, 700, 640, 100), (20, 12, 0, 1), (0, 5, 5, 0), (100000, 2600, 2400, 900)]:
    both, first, second, none = cells
    total = first + second
    p = stats.binomtest(min(first, second), total, 0.5).pvalue if total else 1.0
    table = np.array(cells, float) + 0.5
    share = table / table.sum()
    centre = share[2] - share[1]
    deviation = np.sqrt((share[1] + share[2] - centre**2) / table.sum())
    z = stats.norm.ppf(0.975)
    cases.append(dict(cells=cells, pValue=float(p), interval=[max(-1, centre - z * deviation), min(1, centre + z * deviation)]))
(out / "comparison.json").write_text(json.dumps(dict(scipy="1.17.1", cases=cases)) + "\n")
