"""The linear model that docs/choosing-a-model.md names, on as many rows of AG News (needs scikit-learn).

    python scripts/docs/linear.py FOLDER [ROWS]
"""

import csv
import random
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression


def rows(name):
    with open(f"{sys.argv[1]}/{name}.csv", newline="", encoding="utf-8") as file:
        return [(int(label), f"{title} {text}") for label, title, text in csv.reader(file)]


train, test = rows("train"), rows("test")
random.Random(0).shuffle(train)
train = train[: int(sys.argv[2]) if len(sys.argv) > 2 else 8000]
begun = time.process_time()
words = TfidfVectorizer()
model = LogisticRegression(C=5, max_iter=300).fit(words.fit_transform([text for _, text in train]), [label for label, _ in train])
seconds = time.process_time() - begun
accuracy = model.score(words.transform([text for _, text in test]), [label for label, _ in test])
print(f"{len(train)} rows: {100 * accuracy:.1f} %, {seconds:.1f} s of the processor")
