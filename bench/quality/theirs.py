"""scikit-learn, fastText, spaCy and MiniLM on the rows that recurra gets: one training in its own process.

    python bench/quality/theirs.py check
    python bench/quality/theirs.py PROGRAM TRAIN.jsonl TEST.jsonl --seed N --threads N

A row is `{"text": ..., "label": ...}`. PROGRAM is a key of `PROGRAMS`. The last line that is written to standard output is JSON.

- accuracy, macroF1 and logLoss are scikit-learn's, calibration is the calibration error of the most probable label in 15 bins of equal
  width (Guo et al. 2017), `sum over bins of rows in it / rows * |accuracy - mean probability|`.
- seconds run from texts in memory to a trained model, microseconds from texts in memory to labels, per text, all test texts in one call
  and for the second time. bytes is the saved model.
- processorSeconds are those of all threads, megabytes its largest resident memory until the model was trained.
- A support vector machine has no probabilities: `CalibratedClassifierCV(ensemble=False)` makes them of three folds, after the clock has
  stopped; where a label has fewer than three rows, they are those of `LogisticRegression(C=20)`. They are used for logLoss and
  calibration only.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import resource
import sys
import tempfile
import time

BINS = 15


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def calibration_error(probabilities, truth):
    import numpy as np

    best = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(best)), best]
    right = best == truth
    # Bins are open on the left: (0, 1/15], (1/15, 2/15], ...
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    error = 0.0
    for number in range(BINS):
        here = bins == number
        if here.any():
            error += here.mean() * abs(right[here].mean() - confidence[here].mean())
    return float(error)


def measures(labels, expected, given, probabilities):
    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    numbers = {label: number for number, label in enumerate(labels)}
    truth = np.array([numbers[label] for label in expected])
    return {
        "accuracy": float(accuracy_score(expected, given)),
        "macroF1": float(f1_score(expected, given, average="macro")),
        "logLoss": float(log_loss(truth, probabilities, labels=range(len(labels)))),
        "calibration": calibration_error(probabilities, truth),
    }


class Training:
    """What a training takes, from when this is made until `done`."""

    def __init__(self):
        self.before, self.begun = processor(), time.perf_counter()

    def done(self):
        self.seconds, self.spent = time.perf_counter() - self.begun, processor() - self.before
        self.held = megabytes()

    def figures(self, measured, answered, texts, size):
        """The line of the results: `answered` seconds for `texts` texts, `size` bytes of the model."""
        return {
            **measured,
            "seconds": self.seconds,
            "microseconds": 1e6 * answered / texts,
            "bytes": size,
            "processorSeconds": self.spent,
            "megabytes": self.held,
        }


def scikit_learn(train, test, seed, threads):
    import joblib
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion
    from sklearn.svm import LinearSVC

    (texts, labels), (others, expected) = train, test
    training = Training()
    features = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)),
        ]
    )
    counted = features.fit_transform(texts)
    model = LinearSVC(random_state=seed).fit(counted, labels)
    training.done()
    for _ in range(2):
        begun = time.perf_counter()
        given = model.predict(features.transform(others))
        answered = time.perf_counter() - begun
    folds = min(collections.Counter(labels).values()) >= 3
    probable = (
        CalibratedClassifierCV(LinearSVC(random_state=seed), cv=3, ensemble=False)
        if folds
        else LogisticRegression(C=20, max_iter=100)
    )
    probable.fit(counted, labels)
    probabilities = probable.predict_proba(features.transform(others))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model"
        joblib.dump((features, model), file)
        size = file.stat().st_size
    measured = measures(list(probable.classes_), expected, given, probabilities)
    return training.figures(measured, answered, len(others), size)


def spaced(text):
    """Words and other characters in lower case, apart from each other, as fastText's own examples have them."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def fast_text(options):
    def run(train, test, seed, threads):
        import fasttext
        import numpy as np

        (texts, labels), (others, expected) = train, test
        known = sorted(set(labels))
        numbers = {label: number for number, label in enumerate(known)}
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/train.txt"
            training = Training()
            with open(file, "w", encoding="utf-8") as out:
                for text, label in zip(texts, labels):
                    out.write(f"__label__{numbers[label]} {spaced(text)}\n")
            model = fasttext.train_supervised(
                file, epoch=25, lr=0.5, dim=50, bucket=200_000, thread=threads, seed=seed, verbose=0, **options
            )
            training.done()
            model.save_model(f"{folder}/model")
            size = pathlib.Path(f"{folder}/model").stat().st_size
        for _ in range(2):
            begun = time.perf_counter()
            # `model.predict` of the released package does not work with numpy 2.
            best = [model.f.predict(spaced(text) + "\n", 1, 0.0, "strict") for text in others]
            answered = time.perf_counter() - begun
        first = known[0]
        given = [known[int(found[0][1].removeprefix("__label__"))] if found else first for found in best]
        probabilities = np.zeros((len(others), len(known)))
        for row, text in enumerate(others):
            for probability, name in model.f.predict(spaced(text) + "\n", len(known), 0.0, "strict"):
                probabilities[row, int(name.removeprefix("__label__"))] = probability
        # A text without a known word has none.
        probabilities[probabilities.sum(axis=1) == 0] = 1
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return training.figures(measures(known, expected, given, probabilities), answered, len(others), size)

    return run


def with_tools(module, name):
    """A program of another file, which is imported when it is asked for: its packages are large."""

    def run(train, test, seed, threads):
        import importlib

        return getattr(importlib.import_module(module), name)(train, test, seed, threads, sys.modules[__name__])

    return run


PROGRAMS = {
    "scikit-learn": scikit_learn,
    "fasttext-words": fast_text({"wordNgrams": 2}),
    "fasttext-subwords": fast_text({"minn": 2, "maxn": 5}),
    "minilm": with_tools("pretrained", "minilm"),
    "spacy": with_tools("categorizer", "spacy_textcat"),
}


def check():
    """The versions of what is there, and what is missing."""
    found = {"python": sys.version.split()[0]}
    import importlib.metadata

    import numpy
    import sklearn

    found |= {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__}
    import fasttext  # noqa: F401

    for name in ("fasttext", "fasttext-wheel", "fasttext-numpy2"):
        try:
            found["fasttext"] = f"{importlib.metadata.version(name)} ({name})"
        except importlib.metadata.PackageNotFoundError:
            continue
    try:
        found["spacy"] = importlib.metadata.version("spacy")
    except importlib.metadata.PackageNotFoundError:
        pass
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
        sys.exit()
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)
    result = PROGRAMS[given.program](rows_of(given.train), rows_of(given.test), given.seed, given.threads)
    print(json.dumps(result))
