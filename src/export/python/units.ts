/** The units of a language model, in Python; comes after `READING`. */
export const UNITS = `
def _kind(character):
    if re.match("[" + _BLANKS + "]", character):
        return " "
    kind = unicodedata.category(character)[0]
    return {"L": "L", "M": "L", "N": "N"}.get(kind, ".")


def word_units(text):
    """Letters with a preceding space, digits, other characters, and white space."""
    kinds, found, at = [_kind(character) for character in text], [], 0
    while at < len(text):
        end = at
        if text[at] == " " and at + 1 < len(text) and kinds[at + 1] != " ":
            end += 1
        kind = kinds[end]
        while end < len(text) and kinds[end] == kind:
            end += 1
        found.append(text[at:end])
        at = end
    return found


class Units:
    """Converts texts to the numbers of a language model's units, and back."""

    def __init__(self, settings):
        self.name = settings["units"]
        self.vocabulary = settings["vocabulary"]
        self.unknown, self.end = settings["unknown"], settings["end"]
        self.numbers = {unit: number for number, unit in enumerate(self.vocabulary)}
        self.tokenizer = hugging_face_tokenizer(settings["tokenizerJson"]) if self.name == "pieces" else None

    def encode(self, text):
        """The numbers of a text's units."""
        if self.name == "bytes":
            return [byte + 2 for byte in text.encode("utf-8")]
        if self.tokenizer is not None:
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            return [unit if unit < len(self.vocabulary) else self.unknown for unit in ids]
        units = text if self.name == "characters" else word_units(text)
        return [self.numbers.get(unit, self.unknown) for unit in units]

    def decode(self, numbers):
        """The text of some numbers."""
        numbers = [int(number) for number in numbers if number not in (self.unknown, self.end)]
        if self.name == "bytes":
            return bytes(number - 2 for number in numbers).decode("utf-8", "replace")
        if self.tokenizer is not None:
            return self.tokenizer.decode(numbers)
        return "".join(self.vocabulary[number] for number in numbers)
`;
