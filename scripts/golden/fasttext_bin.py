"""Small models of fastText and what it gives for words, known and unknown (made by fasttext-wheel 0.9.2).

    python scripts/golden/fasttext_bin.py test/fixtures/vectors

Writes `skipgram.bin` (subwords of 2 to 4 characters), `single.bin` (of 1 to 3), `whole.bin` and `supervised.bin` (none), and
`fasttext.json` with the vectors.
"""

import json
import pathlib
import sys
import tempfile

import fasttext

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
TEXT = "the small cat sat on the straße\nthe dog saw 東京 and the cat 😀\n" * 20
KNOWN = ["the", "cat", "straße", "東京", "😀", "</s>"]
UNKNOWN = ["cats", "x", "straßen", "Ñandú", "东京塔", "🙂😀", "é", "a" * 100]

with tempfile.TemporaryDirectory() as place:
    text = pathlib.Path(place) / "text"
    text.write_text(TEXT)
    labelled = pathlib.Path(place) / "labelled"
    labelled.write_text("".join(f"__label__{i % 2} {line}\n" for i, line in enumerate(TEXT.splitlines())))
    # Each thread draws a tenth of the initial values: with fewer, most rows would stay zero.
    common = {"dim": 5, "epoch": 2, "thread": 10, "lr": 0.5, "verbose": 0}
    models = {
        "skipgram.bin": fasttext.train_unsupervised(
            str(text), model="skipgram", minCount=1, bucket=37, minn=2, maxn=4, **common
        ),
        "single.bin": fasttext.train_unsupervised(
            str(text), model="cbow", minCount=1, bucket=11, minn=1, maxn=3, **common
        ),
        "whole.bin": fasttext.train_unsupervised(
            str(text), model="cbow", minCount=1, bucket=0, minn=0, maxn=0, **common
        ),
        "supervised.bin": fasttext.train_supervised(str(labelled), minCount=1, bucket=0, **common),
    }
    vectors = {}
    for name, model in models.items():
        model.save_model(str(folder / name))
        vectors[name] = {word: [float(f"{x:.9g}") for x in model.get_word_vector(word)] for word in KNOWN + UNKNOWN}
golden = {"known": KNOWN, "unknown": UNKNOWN, "vectors": vectors}
(folder / "fasttext.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
