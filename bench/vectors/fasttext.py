"""Word vectors of fastText, for `npm run bench -- vectors`.

    python bench/vectors/fasttext.py TEXTS OUT MODEL THREADS MINN MAXN EPOCHS

TEXTS has a text on each line, its words apart by blanks. OUT becomes a file in word2vec's text format. The line that is written to
standard output is JSON: seconds, and processor seconds of all threads, from the file to vectors.
"""

import json
import resource
import sys
import time

# The script has the module's name.
sys.path.pop(0)
import fasttext  # noqa: E402

source, out, model, *numbers = sys.argv[1:]
threads, minn, maxn, epochs = map(int, numbers)


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


before, begun = processor(), time.perf_counter()
learned = fasttext.train_unsupervised(
    source,
    model=model,
    dim=64,
    ws=8,
    neg=5,
    epoch=epochs,
    lr=0.05,
    minCount=3,
    t=1e-4,
    minn=minn,
    maxn=maxn,
    bucket=2_000_000,
    thread=threads,
    verbose=0,
)
print(json.dumps({"seconds": time.perf_counter() - begun, "processor": processor() - before}))
words = [word for word in learned.words if word != "</s>"]
with open(out, "w", encoding="utf-8") as file:
    file.write(f"{len(words)} 64\n")
    for word in words:
        file.write(f"{word} {' '.join(f'{value:.7g}' for value in learned.get_word_vector(word))}\n")
