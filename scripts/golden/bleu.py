"""Writes the fixture of test/measures/bleu.test.ts: BLEU of random and of chosen texts. Run with a Python that has sacrebleu==2.6.0:

    python scripts/golden/bleu.py test/fixtures/golden
"""
import json
import pathlib
import random
import sys
from importlib.metadata import version

from sacrebleu.metrics import BLEU

assert version("sacrebleu") == "2.6.0", version("sacrebleu")
out = pathlib.Path(sys.argv[1])
rng = random.Random(19)
WORDS = ["the", "The", "cat", "sat", "on", "a", "mat", "3.14", "1,000", "don't", "e.g.", "well-known", "7-8", "(so)", "&quot;", "&amp;",
         "$5", "50%", "naïve", "日本", "🙂", ",", ".", "...", "\u00a0", "<skipped>", "-\n", "x\ny", "A/B", "[1]", "a_b", "\ufeff", "\u0085"]
CHOSEN = [
    ("", ["the cat"]), ("the cat", [""]), ("", [""]), ("the", ["the"]), ("the cat", ["the cat"]), ("the cat sat", ["the cat sat"]),
    ("the cat sat on the mat", ["the cat sat on the mat"]), ("the the the the", ["the cat the mat", "the"]),
    ("It is a guide to action.", ["It is a guide to action that ensures.", "It is the guiding principle."]),
    ("a b c d e ", ["a b c d  e"]), ("HH AH L OW", ["HH EH L OW", "HH AH L OW ER"]),
]


def text(least=0):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, 12)))


def near(sentence):
    words = sentence.split(" ")
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(words))
        words[at] = rng.choice(WORDS + [words[at]])
    return " ".join(words[: rng.randint(1, len(words))] + words[:0])


def pair():
    right = [text(1) for _ in range(rng.randint(1, 3))]
    return (near(rng.choice(right)) if rng.random() < 0.8 else text(), right)


def score(result):
    return dict(score=result.score, precisions=list(result.precisions), brevityPenalty=result.bp,
                hypothesisLength=result.sys_len, referenceLength=result.ref_len)


cases = []
for number in range(14):
    pairs = CHOSEN if number == 0 else [pair() for _ in range(rng.randint(1, 9))]
    # sacrebleu takes as many references for each text; one that is there twice changes nothing.
    columns = [[right[min(i, len(right) - 1)] for _, right in pairs] for i in range(3)]
    case = dict(hypotheses=[hypothesis for hypothesis, _ in pairs], references=[right for _, right in pairs], results=[])
    for tokenize in ("13a", "char", "none"):
        for smoothing in ("exp", "none"):
            for lowercase in (False, True):
                options = dict(tokenize=tokenize, smooth_method=smoothing, lowercase=lowercase)
                corpus = BLEU(**options, force=True).corpus_score(case["hypotheses"], columns)
                alone = BLEU(**options, force=True, effective_order=True)
                case["results"].append(dict(
                    options=dict(tokenize=tokenize, smoothing=smoothing, lowercase=lowercase), corpus=score(corpus),
                    sentences=[alone.sentence_score(hypothesis, right).score for hypothesis, right in pairs]))
    cases.append(case)
(out / "bleu.json").write_text(json.dumps(cases, ensure_ascii=False))
