"""fastText's classifier and its compression, for `npm run bench -- compress`.

    python bench/compress/fasttext.py TRAIN TEST FOLDER THREADS SIZE...

TRAIN and TEST are in fastText's format. Writes one line of JSON for the whole model, and one for each size: bytes, and accuracy on TEST.
"""

import json
import os
import sys

# The script has the module's name.
sys.path.pop(0)
import fasttext  # noqa: E402

train, test, folder, threads, *sizes = sys.argv[1:]
DIM = 50


def said(model, name):
    path = os.path.join(folder, name)
    model.save_model(path)
    rows, precision, _ = model.test(test)
    print(json.dumps({"bytes": os.path.getsize(path), "accuracy": precision, "rows": rows}), flush=True)
    return os.path.getsize(path), path


def learned():
    return fasttext.train_supervised(
        train, dim=DIM, wordNgrams=2, epoch=5, lr=0.5, thread=int(threads), verbose=0
    )


whole, path = said(learned(), "whole.bin")
for size in map(int, sizes):
    # fastText's own estimate (autotune.cc, getCutoffForFileSize), made smaller until the file fits.
    cutoff = (size - 107 - 4 * 256 * DIM) // ((DIM + 1) // 2 + 11)
    for _ in range(3):
        model = fasttext.load_model(path)
        if cutoff < 256:
            print(json.dumps(None), flush=True)
            break
        model.quantize(
            input=train, qnorm=True, retrain=True, cutoff=cutoff, epoch=5, lr=0.5, thread=int(threads), verbose=0
        )
        small = os.path.join(folder, "small.ftz")
        model.save_model(small)
        if os.path.getsize(small) <= size:
            said(model, "small.ftz")
            break
        cutoff = int(cutoff * 0.98 * size / os.path.getsize(small))
    else:
        print(json.dumps(None), flush=True)
