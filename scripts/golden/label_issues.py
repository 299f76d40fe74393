"""Writes test/fixtures/golden/label_issues.json: the rows that cleanlab 2.9.0 finds mislabelled.

Run with a Python that has cleanlab and numpy:

    python scripts/golden/label_issues.py test/fixtures/golden
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from cleanlab.filter import find_label_issues

warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
random = np.random.default_rng(23)

cases = []
for rows, classes, noise, sharpness in [(40, 2, 0.2, 2), (80, 3, 0.1, 4), (150, 6, 0.3, 1), (60, 3, 0.0, 6), (30, 5, 0.5, 0.2)]:
    truth = np.concatenate([np.arange(classes), random.integers(classes, size=rows - classes)])
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), truth] += sharpness
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = np.round(probabilities, 6)
    probabilities[:, 0] += 1 - probabilities.sum(1)
    labels = np.where(random.random(rows) < noise, random.integers(classes, size=rows), truth)
    labels[:classes] = np.arange(classes)
    ranked = find_label_issues(
        labels, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    cases.append(dict(labels=labels.tolist(), probabilities=probabilities.tolist(), issues=ranked.tolist()))
(out / "label_issues.json").write_text(json.dumps(dict(cleanlab="2.9.0", cases=cases)) + "\n")
