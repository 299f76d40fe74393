"""Writes test/fixtures/golden/measures.json: what scikit-learn 1.9.1 computes for random and degenerate predictions.

Run with a Python that has scikit-learn and numpy:

    python scripts/golden/measures.py test/fixtures/golden

Probabilities are in float64. For `float32` cases they are float32 values; scikit-learn then rounds its log loss to float32 as
well, so the exact value is that of the float64 function on probabilities clipped as float32 ones.
The expected calibration error is not in scikit-learn: it is put together from calibration_curve's bins.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
random = np.random.default_rng(17)


def prf(values):
    return dict(zip(("precision", "recall", "f1"), map(float, values[:3])))


def report(truth, predicted, labels=None):
    """Measures of exclusive labels; labels only as scikit-learn is told of them."""
    names = labels or sorted(set(truth) | set(predicted))
    p, r, f, s = metrics.precision_recall_fscore_support(truth, predicted, labels=names)
    average = lambda how: prf(metrics.precision_recall_fscore_support(truth, predicted, labels=labels, average=how))
    return dict(
        labels=names,
        accuracy=metrics.accuracy_score(truth, predicted),
        confusionMatrix=metrics.confusion_matrix(truth, predicted, labels=names).tolist(),
        perLabel=[dict(label=n, support=int(s[i]), **prf((p[i], r[i], f[i]))) for i, n in enumerate(names)],
        macroAverage=average("macro"),
        weightedAverage=average("weighted"),
    )


def exclusive():
    cases = []
    for rows, classes in [(1, 2), (2, 2), (7, 3), (50, 2), (120, 5), (200, 12)]:
        for skill in (0.0, 0.6, 1.0):
            names = [f"c{i:02}" for i in range(classes)]
            truth = random.integers(classes, size=rows) if rows > 1 else np.array([0])
            predicted = np.where(random.random(rows) < skill, truth, random.integers(classes, size=rows))
            cases.append((f"{rows} rows, {classes} labels, skill {skill}", truth, predicted, names))
    names = ["a", "b", "c", "d"]
    cases.append(("a label without rows, one never predicted", np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 1, 2]), names))
    cases.append(("everything predicted as one label", np.array([0, 1, 2, 3, 3]), np.zeros(5, int), names))
    cases.append(("everything wrong", np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]), names))
    cases.append(("one label alone", np.zeros(4, int), np.zeros(4, int), names))
    result = []
    for name, truth, predicted, names in cases:
        truth, predicted = [names[i] for i in truth], [names[i] for i in predicted]
        result.append(dict(name=name, yTrue=truth, yPred=predicted, occurring=report(truth, predicted),
                           withLabels=dict(allLabels=names, **report(truth, predicted, names))))
    return result


def calibration(truth, probabilities, bins):
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == truth
    accuracies, confidences = calibration_curve(right, confidence, n_bins=bins, strategy="uniform", pos_label=True)
    rows = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence), minlength=bins)
    rows = rows[rows > 0]
    distance = np.abs(accuracies - confidences)
    return dict(error=float((rows * distance).sum() / rows.sum()), largestError=float(distance.max()),
                rows=rows.tolist(), accuracies=accuracies.tolist(), confidences=confidences.tolist())


def probabilities():
    cases = []
    for rows, classes in [(1, 3), (20, 3), (80, 4), (30, 11)]:
        for sharpness in (0.5, 3, 40):
            logits = sharpness * random.normal(size=(rows, classes))
            truth = np.array([random.choice(classes, p=p) if random.random() < 0.5 else random.integers(classes)
                              for p in np.exp(logits - logits.max(1, keepdims=True))
                              / np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True)])
            e = np.exp(logits - logits.max(1, keepdims=True))
            cases.append((f"{rows} rows, {classes} labels, sharpness {sharpness}", truth, e / e.sum(1, keepdims=True)))
    exact = np.eye(3)[[0, 1, 2, 0, 1]]
    cases.append(("zeros and ones, some wrong", np.array([0, 1, 0, 2, 1]), exact))
    cases.append(("all the same", np.array([0, 1, 2, 2]), np.full((4, 3), 1 / 3)))
    ties = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.5, 0.25, 0.25]])
    cases.append(("ties", np.array([0, 1, 1, 1]), ties))
    edges = np.array([[i / 15, (15 - i) / 15 / 2, (15 - i) / 15 / 2] for i in range(6, 16)])
    cases.append(("on the bins' bounds", np.arange(10) % 3, edges))
    result = []
    for name, truth, p in cases:
        classes = p.shape[1]
        names = [f"c{i:02}" for i in range(classes)]
        for float32 in (False, True) if len(p) <= 20 else (False,):
            p = p.astype(np.float32) if float32 else p
            wide = p.astype(np.float64)
            eps = np.finfo(np.float32).eps
            clipped = np.clip(p, eps, 1 - eps).astype(np.float64) if float32 else p
            result.append(dict(
                name=name + (", float32" if float32 else ""), float32=float32, labels=names,
                yTrue=[names[i] for i in truth], probabilities=wide.tolist(),
                logLoss=metrics.log_loss([names[i] for i in truth], clipped, labels=names),
                logLossAsGiven=metrics.log_loss([names[i] for i in truth], p, labels=names),
                topK=[metrics.top_k_accuracy_score(truth, wide, k=k, labels=range(classes)) for k in range(1, classes + 1)],
                calibration={bins: calibration(truth, wide, bins) for bins in (15, 10, 1)}))
    return result


def multi_label():
    result = []
    cases = [(rows, labels, density) for rows, labels in [(1, 2), (30, 3), (80, 7)] for density in (0.05, 0.4, 0.9)]
    shapes = [(r, l, (random.random((r, l)) < d), random.random((r, l))) for r, l, d in cases]
    shapes.append((4, 3, np.zeros((4, 3), bool), np.full((4, 3), 0.2)))
    shapes.append((4, 3, np.ones((4, 3), bool), np.full((4, 3), 0.8)))
    shapes.append((3, 2, np.array([[1, 0], [0, 0], [0, 0]], bool), np.array([[0.9, 0.1], [0.1, 0.2], [0.7, 0.1]])))
    for rows, labels, truth, noise in shapes:
        scores = np.round(np.clip(0.4 * truth + 0.6 * noise, 0, 1), 2)
        predicted = scores > 0.5
        names = [f"l{i}" for i in range(labels)]
        t, q = truth.astype(int), predicted.astype(int)
        # One label alone would be taken for exclusive labels.
        p, r, f, s = metrics.precision_recall_fscore_support(t, q)
        average = lambda how: prf(metrics.precision_recall_fscore_support(t, q, average=how))
        auc = [metrics.roc_auc_score(t[:, i], scores[:, i]) for i in range(labels)]
        result.append(dict(
            labels=names,
            yTrue=[[names[i] for i in np.flatnonzero(row)] for row in truth],
            yPred=[[names[i] for i in np.flatnonzero(row)] for row in predicted],
            scores=scores.T.tolist(),
            subsetAccuracy=metrics.accuracy_score(t, q), hammingLoss=metrics.hamming_loss(t, q),
            perLabel=[dict(label=n, support=int(s[i]), **prf((p[i], r[i], f[i]))) for i, n in enumerate(names)],
            microAverage=average("micro"), macroAverage=average("macro"), weightedAverage=average("weighted"),
            samplesAverage=average("samples"),
            averagePrecision=[metrics.average_precision_score(t[:, i], scores[:, i]) for i in range(labels)],
            rocAuc=[None if np.isnan(a) else a for a in auc]))
    return result


assert sklearn.__version__ == "1.9.1", sklearn.__version__
data = dict(exclusive=exclusive(), probabilities=probabilities(), multiLabel=multi_label())
(out / "measures.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
