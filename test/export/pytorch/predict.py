"""Answers of an exported model: predict.py FOLDER, with texts as JSON on standard input."""

import json
import pathlib
import sys

sys.path.insert(0, sys.argv[1])
import model as exported  # noqa: E402

model = exported.load(pathlib.Path(sys.argv[1]), split=lambda text: [text])
texts = json.load(sys.stdin)
if isinstance(model, exported.LanguageModel):
    answers = [model.score(text) for text in texts]
else:
    answers = model.predict(texts)
json.dump(answers, sys.stdout)
