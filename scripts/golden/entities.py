"""Writes the fixture of test/measures/entities.test.ts: seqeval's entities and measures of random sequences of tags, most of which
do not follow their scheme. Run with a Python that has seqeval==1.2.2:

    python scripts/golden/entities.py test/fixtures/golden

The tags of a case are letters of one scheme with one of a few labels, or no label at all; `valid` ones are written from spans.
"""
import json
import pathlib
import random
import sys
import warnings
from importlib.metadata import version

from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_measures
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities, auto_detect

assert version("seqeval") == "1.2.2", version("seqeval")
warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
rng = random.Random(18)
SCHEMES = {"IOB1": (IOB1, "IB"), "IOB2": (IOB2, "BI"), "IOBES": (IOBES, "BIES"), "BILOU": (BILOU, "BILU")}
AVERAGES = ("micro", "macro", "weighted")


def random_tags(letters, labels, length):
    tag = lambda: "O" if rng.random() < 0.35 else f"{rng.choice(letters)}{rng.choice(labels)}"
    return [tag() for _ in range(length)]


def valid_tags(scheme, labels, length):
    tags, at = [], 0
    while at < length:
        if rng.random() < 0.4:
            tags.append("O")
            at += 1
            continue
        n, label = min(rng.randint(1, 3), length - at), rng.choice(labels)
        first, inner, last, single = {
            "IOB1": "IIII", "IOB2": "BIIB", "IOBES": "BIES", "BILOU": "BILU"}[scheme]
        if scheme == "IOB1" and tags and tags[-1].endswith(label) and tags[-1] != "O":
            first = single = "B"
        letters = single if n == 1 else first + inner * (n - 2) + last
        tags += [letter + label for letter in letters]
        at += n
    return tags


def measures(labels, function, truth, predicted, **options):
    p, r, f, s = function(truth, predicted, zero_division=0, **options)
    named = lambda p, r, f: dict(precision=float(p), recall=float(r), f1=float(f))
    averages = {} if not labels else {
        f"{how}Average": named(*function(truth, predicted, average=how, zero_division=0, **options)[:3]) for how in AVERAGES}
    return dict(perLabel=[dict(label=label, support=int(s[i]), **named(p[i], r[i], f[i])) for i, label in enumerate(labels)],
                **averages)


def case(scheme, truth, predicted):
    kind = SCHEMES[scheme][0]
    result = dict(scheme=scheme, yTrue=truth, yPred=predicted, accuracy=accuracy_score(truth, predicted))
    try:
        result["detected"] = auto_detect(truth).__name__
    except (ValueError, KeyError):
        result["detected"] = None
    if scheme != "BILOU":
        # seqeval's default mode does not know L and U. Its last index is inclusive.
        entities = [[[label, start, end + 1] for label, start, end in get_entities(tags)] for tags in truth]
        names = sorted({label for tags in truth + predicted for label, _, _ in get_entities(tags)})
        result["default"] = dict(entities=entities, **measures(names, precision_recall_fscore_support, truth, predicted))
    right, found = Entities(truth, kind), Entities(predicted, kind)
    entities = [[[e.tag, e.start, e.end] for e in sentence] for sentence in right.entities]
    names = sorted(right.unique_tags | found.unique_tags)
    result["strict"] = dict(entities=entities, **measures(names, strict_measures, truth, predicted, scheme=kind))
    return result


cases = []
for scheme, (_, letters) in SCHEMES.items():
    for labels in (["-PER"], ["-PER", "-LOC", "-work-of_art"], ["-A", ""]):
        for sentences, longest in ((1, 6), (5, 9)):
            lengths = [rng.randint(1, longest) for _ in range(sentences)]
            truth = [random_tags(letters, labels, n) for n in lengths]
            cases.append(case(scheme, truth, [random_tags(letters, labels, n) for n in lengths]))
    lengths = [rng.randint(1, 12) for _ in range(8)]
    truth = [valid_tags(scheme, ["-PER", "-LOC"], n) for n in lengths]
    other = [valid_tags(scheme, ["-PER", "-LOC", "-ORG"], n) for n in lengths]
    cases.append(case(scheme, truth, truth))
    cases.append(case(scheme, truth, [t if rng.random() < 0.5 else o for t, o in zip(truth, other)]))
    cases.append(case(scheme, truth, [["O"] * n for n in lengths]))
(out / "entities.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
