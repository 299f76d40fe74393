/**
 * The features of the linear model, in Python, as in `crates/linear`; comes after `READING`. It needs `base64`, `math`,
 * `re`, `unicodedata` and `numpy as np`.
 */
export const NGRAMS = String.raw`
_ODD = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
_64 = (1 << 64) - 1
# The characters that Unicode calls alphabetic: runs, each by its distance from the one before and its length, in base 36.
_ALPHABETIC = (
    "1t q 6 q 1b 1 a 1 4 1 5 n 1 v 1 cq 4 c e 5 7 1 1 1 2e 1 t i 1 2 2 4 1 1 6 1 1 3 1 1 1 k 1 2b 1 3v 8 4m 1 12 2 1 "
    "6 15 13 e 1 1 1 2 1 2 1 1 8 r 4 4 t b 5 1k 1 7 e 2u 1 8 4 8 4 3 a 3 2 1 g 1c d 2t o x 9 2 4 1 5 o 2 j j p 7 b 5 "
    "o 1 7 7 1 8 16 a c 3 7 6 24 1 g 1 3 4 f d j 1 8 2 2 2 m 1 7 1 1 3 4 3 8 2 2 2 2 1 1 8 1 4 2 1 5 c 2 a 1 4 3 1 6 "
    "4 2 2 m 1 7 1 2 1 2 1 2 4 5 4 2 2 2 4 1 7 4 1 1 h 6 b 3 1 9 1 3 1 m 1 7 1 2 1 5 3 9 1 3 1 2 3 1 f 4 l 4 4 3 1 8 "
    "2 2 2 m 1 7 1 2 1 5 3 8 2 2 2 2 9 2 4 2 1 5 d 1 g 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 3 3 1 6 1 14 d "
    "1 3 1 n 1 g 3 8 1 3 1 3 8 2 1 3 1 2 2 4 s 4 1 8 1 3 1 n 1 a 1 5 3 8 1 3 1 3 8 2 5 3 1 4 d 3 c d 1 3 1 15 2 8 1 3 "
    "1 3 1 1 5 4 7 5 m 6 1 3 1 i 3 o 1 9 1 1 2 7 8 6 1 1 1 8 i 2 d 1m 5 7 6 1 1f 2 1 1 1 5 1 o 1 1 1 j 1 3 2 5 1 1 6 "
    "1 e 4 w 1 1r 8 1 10 4 j 4 g 1 10 1v 1j 1 1 2 5 g 1s a 4 2 12 1 1 5 1 2 17 1 99 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 "
    "2 7 1 1 1 4 2 f 1 1l 1 4 2 1v 11 g g 2e 2 6 3 h8 2 h 1 q 5 23 3 b 7 k b l c k c d 1 3 1 2 c 1g 2 j e 1 4 1 1v 2h "
    "7 17 5 1y a v 1 c 4 9 n u 2 5 b 18 4 q 1i s 4 1r 2 k 1e 1 n 2 b 3 1d 1g 1 f 1 8 1f 16 2 4 a 18 1 b e 1j m 3 a 10 "
    "2 b 5 17 2 3 15 4 1 6 1 2 3 1 5 5c j y b 7q 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 7 1 1 3 3 1 7 3 4 2 6 4 d 5 "
    "3 1 7 38 1 d 1 g d 2t 1 4 1 2 a 1 1 3 5 6 1 1 1 1 1 1 4 1 b 2 4 5 5 4 1 h 15 ml 1g 1ee 6d 6 4 3 2 c 12 1 1 5 1 2 "
    "1k 7 1 g n 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 w 1b 1 d1 3 p 9 7 5 2 5 4 2e 6 3 1 2i 1 4 5 17 1 2m h w 1c g e8 534 "
    "1s h3h 1v 1a 2 7h 3 g a 2 k 1b 5 8 3 35 13 9 2 2v 2 2a k l 1 x o 1g c 1w 1 1 18 6 3 1 1 3 a x 5 z d t 3 1f 1 c f "
    "1 g g a 5 1 1j 9 e i n 3 1x 1 1 1 1 o 3 2 g 2 4 b 6 2 6 2 6 9 7 1 7 1 17 1 e 6 3f l 8mc c n 4 1d 6is a6 2 2y 12 "
    "7 c 5 5 c 1 d 1 5 1 1 1 2 1 2 1 30 x a3 i 1s 2 1i 14 c 38 5 1 3r 10 q 6 q b 2h 3 6 2 6 2 6 2 3 z c 1 q 1 j 1 2 1 "
    "f 2 e y 3f 1x 1h 7f t 3 1d 1b w d u 5 17 5 u 2 10 4 8 1 5 16 4e i 10 4 10 4 14 8 1g c b 1 f 1 7 1 2 1 b 1 f 1 7 "
    "1 2 3 1g c 8n 9 m a 8 o 6 1 16 1 9 1x 6 2 1 1 18 1 2 3 1 2 n a n 9 v 1t j 1 2 a m a q 6 q 12 1k 6 2 1s 4 1 2 5 8 "
    "1 3 1 t 16 t 3 t z 8 1 s r 1i a m a j d i 32 21 1j 1f d 1f d 14 y s 3 1 5 n 6y 16 1 2 3 2 g 6 1e 3 3 t a 1 8 m "
    "16 i 1a l r n 9 1y 17 5 a 1l 9 1 d p n 1f h 4 8 z 3 1 9 1s 1 4 9 2 a 1 1 1 z i 1 y 2 1 6 4 1q 7 1 1 1 4 1 f 1 a "
    "7 1l n 4 1 8 2 2 2 m 1 7 1 2 1 5 3 8 2 2 2 2 3 1 6 1 5 7 s a 1 1 2 1 1 12 1 a 1 1 2 1 1 4 1 2 3 1 1 1 18 1u 1 3 "
    "1 4 k 3 u 1u 2 2 1 1 54 1i 2 7 p 6 y 1r 1 1 3 1 1n 1i 2 1 1z r 2 e l 7 55 1l 2v 1s v 8 2 1 2 8 1 2 1 u 1 2 2 2 2 "
    "4 2l 8 2 1a 2 6 1 1 1 2 r 1f 2 a h 20 5 1 i 21 2v 8 2g x v 9 1 19 1 7 1 1 1d u 2 m 1 e 21 7 1 2 1 18 3 1 1 2 1 3 "
    "1 1 2 2 o 6 1 2 1 11 1 2 1 4 1 1 n 18 78 n 9 h 1 15 3 3 33 1 27 pm 2u 33 h 5g 218 2p f ts h 6 p 32z 5 g7 5a1 1b "
    "1ch ft 7 v h 27 h u i 1c g 4 v l 5 j c0 19 5v 1s w p 2 p 18 23 4 1l 7 h 1s 2 1 1 c 7 9 5p2 15 w 2p 37 6pp 4 1 7 "
    "1 2 1 83 f 1 t 3 2 1 e 4 8 b0 1s4 2z 5 d 3 9 7 a 4 1 4m9 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 "
    "s 1 4 1 5 1 1 3 7 1 9g 2 p 1 p 1 v 1 p 1 v 1 p 1 v 1 p 1 v 1 p 1 8 1f8 v 6 6 5x 7 1 h 2 7 1 2 1 5 5 1q x 1 34 19 "
    "a 7 g 1 8x u i 18 dg s 6c u 2 1 5r v 1 m 8 2 68 7 1 4 1 2 1 f 1 5h 1n 1w 3 1 3 1 xg 4 1 r 1 2 1 1 2 1 1 a 1 4 1 "
    "1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7 1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h hg q 6 q 6 "
    "q 2uu wyo w 3dq 2 4ge 2 5rl f ha 1wi f2 15u 3t7 5 6ju "
)


def _alphabetic():
    numbers = [int(number, 36) for number in "".join(_ALPHABETIC).split()]
    found, end = set(), 0
    for gap, length in zip(numbers[::2], numbers[1::2]):
        end += gap
        found.update(map(chr, range(end, end + length)))
        end += length
    return frozenset(found)


ALPHABETIC = _alphabetic()


def _in_word(character):
    return character in ALPHABETIC or character == "_" or unicodedata.category(character)[0] == "N"


def _fold(a, b):
    product = a * b
    return (product & _64) ^ (product >> 64)


def _hash(word):
    data = word.encode("utf-8")
    state = (len(data) + 1) * _ODD[0] & _64
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        state = _fold(state ^ int.from_bytes(data[at:at + 8], "little"), _ODD[1])
    return _fold(_fold(state ^ int.from_bytes(data[whole:], "little"), _ODD[1]) ^ _ODD[2], _ODD[0])


def _word_print(hashes):
    state = len(hashes)
    for word in hashes:
        state = _fold(state ^ ((word << 17 | word >> 47) & _64), _ODD[2] ^ state)
    return _fold(state ^ _ODD[3], _ODD[1]) >> 32


def _weight(count):
    """1 + ln(count); counts above 160 share values that are 4 % apart."""
    count = min(count, 65535)
    if count <= 160:
        return 1 + math.log(count)
    step = min(94, int(np.float32(math.log(np.float32(count) / np.float32(160))) * np.float32(25)))
    return 1 + math.log(160) + (step + 0.5) / 25


def _numbers(runs, prints):
    """The number of each n-gram by its fingerprint, and its document frequency; fingerprints are LEB128 differences."""
    runs = np.frombuffer(base64.b64decode(runs), "<u4").reshape(-1, 2)
    data = np.frombuffer(base64.b64decode(prints), np.uint8)
    ends = np.flatnonzero(data < 128)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)[:len(ends)]
    shifts = 7 * (np.arange(len(data)) - np.repeat(starts, ends - starts + 1))
    steps = np.add.reduceat((data & 127).astype(np.int64) << shifts, starts) if len(data) else np.zeros(0, np.int64)
    numbers, at = {}, 0
    for count in runs[:, 1].tolist():
        for print_ in np.cumsum(steps[at:at + count]).tolist():
            numbers[print_] = len(numbers)
        at += count
    return numbers, np.repeat(runs[:, 0], runs[:, 1])


class Ngrams:
    """The features of a linear model: TF-IDF values of n-grams of words and of characters."""

    def __init__(self, settings):
        self.settings = settings
        self.words, with_word = _numbers(settings["wordRows"], settings["wordPrints"])
        self.chars, with_char = _numbers(settings["charRows"], settings["charPrints"])
        rows = np.concatenate((with_word, with_char)).astype(np.float64)
        self.idf = (np.log((1 + settings["rows"]) / (1 + rows)) + 1).astype(np.float32)

    def __call__(self, text):
        """The numbers of a text's features, and their values without the idf, which is part of the model's weights."""
        settings = self.settings
        text = re.sub("[\ud800-\udfff]", "\ufffd", text).lower()
        hashes, prints = [], []
        shortest, longest = settings["chars"]
        for stretch in text.lstrip(_MARKS).split():
            if settings["words"] > 0:
                words = "".join(character if _in_word(character) else " " for character in stretch).split(" ")
                hashes += [_hash(word) for word in words if word and len(word) >= settings["minWord"]]
            if longest > 0:
                points = [32, *map(ord, stretch), 32]
                least = min(shortest, len(points))
                for first in range(len(points) - least + 1):
                    state = _ODD[3]
                    for length, point in enumerate(points[first:first + longest], 1):
                        state = (state ^ point) * _ODD[0] & _64
                        state ^= state >> 29
                        if length >= least:
                            prints.append(((state ^ state >> 32) * _ODD[1] & _64) >> 32)
        words = []
        for first in range(len(hashes)):
            for length in range(1, min(settings["words"], len(hashes) - first) + 1):
                words.append(_word_print(hashes[first:first + length]))
        indices, values = [], []
        for kind, numbers, before in ((words, self.words, 0), (prints, self.chars, len(self.words))):
            counts = {}
            for print_ in kind:
                number = numbers.get(print_)
                if number is not None:
                    counts[number + before] = counts.get(number + before, 0) + 1
            weights = np.array([_weight(count) for count in counts.values()], np.float32)
            norm = np.sqrt(np.sum((weights * self.idf[list(counts)]) ** 2, dtype=np.float32)) if counts else 1
            indices += counts
            values += (weights / norm).tolist()
        return indices, values
`;
