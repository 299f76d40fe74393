"""Writes a set of `compare.py` as `NAME.train.jsonl` and `NAME.test.jsonl`, for programs that are not Python.

    python bench/quality/sets.py SHARED FOLDER SET [SET ...]
"""

import json
import pathlib
import sys

from compare import sets

if __name__ == "__main__":
    shared, folder, *names = sys.argv[1:]
    for name in names:
        for part, rows in zip(("train", "test"), sets(pathlib.Path(shared) / "data")[name](), strict=True):
            with open(pathlib.Path(folder) / f"{name}.{part}.jsonl", "w", encoding="utf-8") as file:
                file.writelines(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
