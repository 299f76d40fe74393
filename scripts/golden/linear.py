"""Features and scores of scikit-learn that crates/linear is compared with (made by scikit-learn 1.9.1).

    python scripts/golden/linear.py > crates/linear/tests/golden.jsonl
"""

import json

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

SUBJECTS = {
    "sport": ["The keeper saved a late penalty", "Our team won the match 3-1", "She ran the 400m in 49.3s"],
    "money": ["Shares of the bank fell by 2.5%", "The bank's profit rose again", "Rates, says the bank, may rise"],
    "science": ["A probe reached Saturn's moon", "The cell's DNA was read in full", "They measured a star's light"],
}
ENDINGS = ["", " today", " -- at last!", " in the\tend, the  end", " (again and again and again)"]
# Letters that change their length in lower case, a final sigma, scripts without blanks, blanks that are not a space.
OTHERS = [
    ("İstanbul ẞpitze ΟΔΟΣ ΣΟΦΟΣ", "sport"),
    ("银行利率上升 再次上升", "money"),
    ("תשואת הבנק עלתה\u00a0שוב\x1cשוב", "money"),
    ("a b c I_x x_1 é", "science"),
    ("   ", "science"),
    ("!!! ... ?", "sport"),
    ("naïve café 😀😀 ok", "science"),
    ("na " * 300, "sport"),
]
texts = [(text + ending, label) for label, all in SUBJECTS.items() for text in all for ending in ENDINGS] + OTHERS
tests = ["The bank won the match", "DNA of a star, again", "nothing known: zzz qqq", ""]


def union(**words):
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **words)),
            ("chars", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, **({"min_df": words["min_df"]} if "min_df" in words else {}))),
        ]
    )


def features(of, rows):
    found = []
    for name, vectorizer in of.transformer_list:
        names, values = vectorizer.get_feature_names_out(), vectorizer.transform(rows).tocsr()
        found.append([[[names[j], float(f"{v:.7g}")] for j, v in zip(row.indices, row.data)] for row in (values[i] for i in range(len(rows)))])
    return [{"words": words, "chars": chars} for words, chars in zip(*found)]


def case(min_word, min_rows):
    of = union(token_pattern=r"(?u)\b\w+\b" if min_word == 1 else r"(?u)\b\w\w+\b", min_df=min_rows)
    of.fit([text for text, _ in texts])
    shown = [0, 4, 16, 32, *range(len(texts) - len(OTHERS), len(texts) - 1)]
    return {
        "min_word": min_word,
        "min_rows": min_rows,
        "sizes": [len(vectorizer.vocabulary_) for _, vectorizer in of.transformer_list],
        "rows": [{"text": texts[i][0], **row} for i, row in zip(shown, features(of, [texts[i][0] for i in shown]))]
        + [{"text": text, **row} for text, row in zip(tests, features(of, tests))],
    }


labels = sorted(SUBJECTS)
y = np.array([labels.index(label) for _, label in texts])
rng = np.random.default_rng(0)
row_weights = np.round(rng.uniform(0.2, 3, len(texts)), 3)
class_weights = np.array([1.0, 0.5, 2.0])
of = union(token_pattern=r"(?u)\b\w+\b")
X, T = of.fit_transform([text for text, _ in texts]), of.transform(tests)


def scores(cost, weights=None, positives=None):
    """One label against all others; the weight of the constant 1 is penalized, as LIBLINEAR does."""
    all = []
    for k in range(len(labels)):
        weight = np.ones(len(y)) if weights is None else weights.copy()
        if positives is not None:
            weight[y == k] *= positives[k]
        model = LogisticRegression(solver="liblinear", C=cost, tol=1e-10, max_iter=10_000)
        model.fit(X, y == k, sample_weight=weight)
        all.append(model.decision_function(T))
    return np.array(all).T.round(7).tolist()


def hinge(cost):
    return LinearSVC(C=cost, tol=1e-10, max_iter=1_000_000).fit(X, y).decision_function(T).round(7).tolist()


print(
    json.dumps(
        {
            "texts": [text for text, _ in texts],
            "labels": y.tolist(),
            "features": [case(1, 1), case(2, 2)],
            "tests": tests,
            "row_weights": row_weights.tolist(),
            "class_weights": class_weights.tolist(),
            "scores": {"1": scores(1), "20": scores(20), "100": scores(100)},
            "hinge": {"0.3": hinge(0.3), "1": hinge(1)},
            "weighted": scores(20, row_weights * class_weights[y]),
            "several": scores(20, None, class_weights),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
)
