"""spaCy's text categorizer: `theirs.py` runs it.

The configuration is what `spacy init config --lang en --pipeline textcat` writes: a bag of words and their neighbours, trained until
the score of the development rows has not risen for 1,600 steps. These are every tenth row of those to train on.
"""

import contextlib
import pathlib
import sys
import tempfile
import time


def spacy_textcat(train, test, seed, threads, tools):
    import spacy
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train as run
    from spacy.tokens import DocBin

    (texts, labels), (others, expected) = train, test
    known = sorted(set(labels))
    # Standard output is for the figures alone.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        folder = pathlib.Path(folder)
        training = tools.Training()
        blank = spacy.blank("en")
        parts = {"train": DocBin(), "dev": DocBin()}
        for row, (text, label) in enumerate(zip(texts, labels)):
            doc = blank.make_doc(text)
            doc.cats = {name: float(name == label) for name in known}
            parts["dev" if row % 10 == 9 else "train"].add(doc)
        for name, part in parts.items():
            part.to_disk(folder / f"{name}.spacy")
        config = init_config(lang="en", pipeline=["textcat"], optimize="efficiency", silent=True)
        config.to_disk(folder / "config.cfg")
        overrides = {
            "paths.train": str(folder / "train.spacy"),
            "paths.dev": str(folder / "dev.spacy"),
            "training.seed": seed,
        }
        run(folder / "config.cfg", folder / "model", overrides=overrides)
        training.done()
        best = folder / "model" / "model-best"
        size = sum(file.stat().st_size for file in best.rglob("*") if file.is_file())
        nlp = spacy.load(best)
        begun = time.perf_counter()
        found = [doc.cats for doc in nlp.pipe(others)]
        answered = time.perf_counter() - begun
    import numpy as np

    probabilities = np.array([[cats[name] for name in known] for cats in found], dtype=np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    given = [known[best] for best in probabilities.argmax(axis=1)]
    return training.figures(tools.measures(known, expected, given, probabilities), answered, len(others), size)
