/** How a tagger's sentences become the numbers of words, in Python. Comes after `reading.ts`. */
export const SENTENCES = String.raw`
class Sentences:
    """How a tagger reads: settings are those of the model, and split cuts a text without white space into words."""

    def __init__(self, settings, split):
        self.settings, self.split = settings, split
        self.numbers = {token: number for number, token in enumerate(settings["vocabulary"])}
        self.unknown = settings["unknown"]

    def tokens(self, text):
        """The tokens of a text, or the given tokens."""
        if not isinstance(text, str):
            return list(text)
        if self.settings["tokenizer"] == "characters":
            return [character for character in text if not re.match("[" + _BLANKS + "]", character)]
        if self.split is None:
            unicode_words(text, None)
        return [word for chunk in re.split("[" + _BLANKS + "]+", text) if chunk for word in self.split(chunk)]

    def word(self, token):
        """The number of a token's word."""
        if len(token.encode("utf-16-le", "surrogatepass")) > 1024 or re.search("[\ud800-\udfff]", token):
            return self.unknown
        word = token.lower() if self.settings["lowercase"] else token
        return self.unknown if word == _PADDING else self.numbers.get(word, self.unknown)

    def features(self, rows):
        """The numbers of the characters of each token of some rows of tokens; None for a model that sees no characters."""
        characters = self.settings["characters"]
        if not characters:
            return None
        found = {token: character_features(token, characters) for row in rows for token in row}
        array = np.full((len(rows), max(1, max(map(len, rows))), max(1, max(map(len, found.values())))), -1, np.int64)
        for at, row in enumerate(rows):
            for place, token in enumerate(row):
                array[at, place, :len(found[token])] = found[token]
        return array
`;
