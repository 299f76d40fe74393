"""Writes test/fixtures/golden/unknown_labels.json: what scikit-learn 1.9.1 measures where some rows have labels that the predictor lacks.

Such a label is a column of zeros in the probabilities. Run with a Python that has scikit-learn and numpy:

    python scripts/golden/unknown_labels.py test/fixtures/golden
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from sklearn import metrics

warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
random = np.random.default_rng(3)
KNOWN, LABELS, ROWS = 3, ["a", "b", "c", "x", "y"], 40


def averages(truth, predicted, names):
    found = {}
    for name in names:
        values = metrics.precision_recall_fscore_support(truth, predicted, average=name, zero_division=0)[:3]
        found[name] = dict(zip(("precision", "recall", "f1"), map(float, values)))
    return found


def exclusive():
    scores = np.zeros((ROWS, len(LABELS)), dtype=np.float32)
    scores[:, :KNOWN] = random.dirichlet(np.ones(KNOWN), ROWS).astype(np.float32)
    truth = random.integers(0, KNOWN, ROWS)
    truth[[4, 9, 30]] = [3, 4, 3]
    predicted = scores.argmax(1)
    confusion = metrics.confusion_matrix(truth, predicted, labels=range(len(LABELS)))
    tiny = np.finfo(np.float32).eps
    clipped = np.clip(scores.astype(np.float64), tiny, 1 - tiny)
    return {
        "scores": scores[:, :KNOWN].tolist(),
        "truth": truth.tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "confusionMatrix": confusion.tolist(),
        "averages": averages(truth, predicted, ["macro", "weighted"]),
        "logLoss": float(-np.log(clipped[np.arange(ROWS), truth]).mean()),
    }


def several():
    scores = np.zeros((ROWS, len(LABELS)), dtype=np.float32)
    scores[:, :KNOWN] = random.random((ROWS, KNOWN)).astype(np.float32)
    truth = np.zeros((ROWS, len(LABELS)), dtype=int)
    truth[:, :KNOWN] = random.random((ROWS, KNOWN)) < 0.4
    truth[[4, 9, 30], [3, 4, 3]] = 1
    predicted = (scores >= 0.5).astype(int)
    return {
        "scores": scores[:, :KNOWN].tolist(),
        "truth": truth.tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "hammingLoss": metrics.hamming_loss(truth, predicted),
        "averages": averages(truth, predicted, ["micro", "macro", "weighted", "samples"]),
        "averagePrecision": [float(metrics.average_precision_score(truth[:, i], scores[:, i])) for i in range(len(LABELS))],
        "rocAuc": [float(metrics.roc_auc_score(truth[:, i], scores[:, i])) for i in range(len(LABELS))],
    }


(out / "unknown_labels.json").write_text(json.dumps({"exclusive": exclusive(), "several": several()}, indent=1) + "\n")
