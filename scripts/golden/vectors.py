"""Updates, subwords and sampling that crates/vectors is compared with (made by numpy 2 and fasttext-wheel 0.9.2).

    python scripts/golden/vectors.py > crates/vectors/tests/golden.jsonl
"""

import json
import tempfile

import fasttext
import numpy as np

random = np.random.default_rng(7)


def rounded(values):
    return [[float(f"{value:.9g}") for value in row] for row in values]


def update(dim, inputs, negatives, rate):
    """Negative sampling in float64: the mean of the inputs speaks for the first output, and against the others."""
    rows = random.normal(0, 0.7, (inputs, dim)).astype(np.float32)
    outputs = random.normal(0, 0.7, (1 + negatives, dim)).astype(np.float32)
    x, o = rows.astype(np.float64), outputs.astype(np.float64)
    hidden = x.mean(0)
    scores = 1 / (1 + np.exp(-o @ hidden))
    labels = np.eye(1, 1 + negatives)[0]
    step = rate * (labels - scores)
    return {
        "dim": dim,
        "rate": rate,
        "inputs": rounded(rows),
        "outputs": rounded(outputs),
        "loss": -np.log(scores[0]) - np.log(1 - scores[1:]).sum(),
        "new_inputs": rounded(x + step @ o),
        "new_outputs": rounded(o + np.outer(step, hidden)),
    }


def subwords():
    """What fastText itself gives for words: the number of a bucket is behind those of the words."""
    words = ["the", "goalkeeper", "naïve", "Ωmega", "日本語", "a", "😀x", "it's"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(" ".join(words * 5) + "\n")
        file.flush()
        cases = []
        for minn, maxn, bucket in [(3, 6, 2_000_000), (1, 4, 1_000), (2, 2, 77)]:
            model = fasttext.train_unsupervised(file.name, minCount=1, epoch=1, dim=2, minn=minn, maxn=maxn, bucket=bucket, verbose=0, thread=1)
            known = len(model.words)
            for word in words:
                ids = [int(number) for number in model.get_subwords(word)[1]]
                cases.append({"word": word, "minn": minn, "maxn": maxn, "buckets": bucket, "ids": [number - known for number in ids if number >= known]})
    return cases


def sampling():
    """fastText's formulas: Dictionary::initTableDiscard and NegativeSamplingLoss."""
    counts = np.array([90_000, 30_000, 4_000, 900, 70, 5, 5, 3])
    share = counts / (counts.sum() + 1_000)
    t = 1e-3
    kept = np.minimum(1, np.sqrt(t / share) + t / share)
    drawn = np.sqrt(counts) / np.sqrt(counts).sum()
    return {"counts": counts.tolist(), "all": int(counts.sum() + 1_000), "threshold": t, "kept": kept.tolist(), "drawn": drawn.tolist()}


print(
    json.dumps(
        {
            "updates": [update(64, 1, 5, 0.05), update(64, 3, 5, 0.5), update(6, 1, 1, 0.1), update(20, 7, 18, 0.025)],
            "subwords": subwords(),
            "sampling": sampling(),
        }
    )
)
