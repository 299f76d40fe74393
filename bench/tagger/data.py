"""What the Python programs of the tagger's benchmark share: rows, entities, and their score on the dev part."""
import json
import statistics
import time


def rows_of(path):
    """Rows of JSON lines `{"tokens": [...], "tags": [...]}`."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def entities(tags):
    """`(start, end, label)` of IOB2 tags, read as the conlleval script reads them."""
    found, start, label = set(), None, None
    for at, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if start is not None and (prefix != "I" or name != label):
            found.add((start, at, label))
            start = None
        if prefix != "O" and start is None:
            start, label = at, name
    return found


def score(rows, predicted, scheme):
    """Entity F1 of tags in a scheme, else the share of right tags."""
    if scheme is None:
        pairs = [(a, b) for row, tags in zip(rows, predicted, strict=True) for a, b in zip(row["tags"], tags, strict=True)]
        return sum(a == b for a, b in pairs) / len(pairs)
    hits = both = 0
    for row, tags in zip(rows, predicted, strict=True):
        truth, found = entities(row["tags"]), entities(tags)
        hits += len(truth & found)
        both += len(truth) + len(found)
    return 2 * hits / both if both else 0.0


def median_microseconds(call, seconds):
    """Median time of a call, after a tenth of the calls to warm up."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 10:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return 1e6 * statistics.median(times[len(times) // 10 :])


def rate(call, seconds):
    """What a call says that it did, a second, once the first call has warmed up."""
    call()
    done, begun = 0, time.perf_counter()
    while True:
        done += call()
        passed = time.perf_counter() - begun
        if passed >= seconds:
            return done / passed
