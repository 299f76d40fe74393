/**
 * The features of a word's characters, in Python, as in `crates/text`; comes after `NGRAMS`, whose table of characters
 * it uses.
 */
export const CHARACTERS = String.raw`
def _fnv(data, state=2166136261):
    """fastText's hash of bytes; bytes from 128 on count as negative numbers."""
    for byte in data:
        state = (state ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 & 0xFFFFFFFF
    return state


def _bytes(text):
    return text.encode("utf-8", "surrogatepass")


def _shape(word):
    """The hash of a word's shape: X for an upper-case letter, x for another one, d for a digit, and any other character itself, no more
    than four of a kind side by side."""
    state, before, count = _fnv(b"\xff"), None, 0
    for character in word:
        kind = character
        if character.isupper():
            kind = "X"
        elif character in ALPHABETIC:
            kind = "x"
        elif unicodedata.category(character)[0] == "N":
            kind = "d"
        count = count + 1 if kind == before else 1
        before = kind
        if count <= 4:
            state = _fnv(_bytes(kind), state)
    return state


def character_features(word, settings):
    """The numbers of the features of a word's characters."""
    if len(word) > 64:
        word = word[:32] + word[-32:]
    runs = "<" + ("".join(character.lower() for character in word) if settings["lowercase"] else word) + ">"
    found = []
    for first in range(len(runs)):
        for length in range(1, min(settings["maxn"], len(runs) - first) + 1):
            border = length == 1 and (first == 0 or first + 1 == len(runs))
            if length >= settings["minn"] and not border:
                found.append(_fnv(_bytes(runs[first:first + length])) % settings["buckets"])
    if settings["shape"]:
        share = settings["shapeShare"]
        count = max(1, math.floor(len(found) * share / (1 - share) + 0.5))
        found += [_shape(word) % settings["buckets"]] * count
    return found
`;
