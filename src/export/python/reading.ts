/** How texts become tokens, in Python. It needs the modules `json`, `re` and `unicodedata`. */
export const READING = String.raw`
_MARKS = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
_UNKNOWN, _PADDING = "<unk>", "<pad>"
# White space of JavaScript, which differs from Python's.
_BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def basic_english(text):
    """torchtext's basic_english."""
    text = text.lower()
    for sign in "'.,()!?":
        text = text.replace(sign, " " + sign + " ")
    for sign in ('"', "<br />", ";", ":"):
        text = text.replace(sign, "" if sign == '"' else " ")
    return text.split()


def unicode_words(text, split):
    """Words by the rules of Unicode (UAX 29). split cuts what has no white space into its words; the standard library has no
    function for that."""
    if split is None:
        raise ValueError(
            "this model splits texts into words by UAX 29, for which Python has no function: give split, which cuts a text "
            "without white space into its words, such as lambda text: list(uniseg.wordbreak.words(text))"
        )
    chunks = re.split("[" + _BLANKS + "]+", unicodedata.normalize("NFKC", text).lower())
    return [word for chunk in chunks if chunk for word in split(chunk)]


def shaped(tokens, ngrams, most, truncate):
    """The tokens read of a text: truncated, followed by pairs and triples."""
    tokens = [_UNKNOWN if token == _PADDING else token for token in tokens]
    parts = [tokens]
    if len(tokens) > most:
        head = {"head": most, "tail": 0, "both": (most + 1) // 2}[truncate]
        parts = [tokens[:head], tokens[len(tokens) - (most - head):]]
    read = [token for part in parts for token in part]
    for n in range(2, ngrams + 1):
        for part in parts:
            read += [" ".join(part[at:at + n]) for at in range(len(part) - n + 1)]
    return read


def text_tokens(settings, split=None, tokenize=None):
    """The function from a text to the tokens that a classifier reads."""
    name = settings["tokenizer"]
    if tokenize is not None:
        own = tokenize
    elif name == "basic_english":
        own = basic_english
    elif name == "characters":
        own = list
    elif name == "unicode_words":
        def own(text):
            return unicode_words(text, split)
    else:
        own = hugging_face(settings["tokenizerJson"])

    def tokens(text):
        return shaped(own(text.lstrip(_MARKS)), settings["ngrams"], settings["maxLength"], settings["truncate"])

    return tokens


def hugging_face_tokenizer(description):
    """A tokenizer of the package tokenizers."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(description)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    if getattr(tokenizer.model, "dropout", None) is not None:
        tokenizer.model.dropout = None
    return tokenizer


def hugging_face(description):
    """The function from a text to the tokens of a tokenizer of the package tokenizers."""
    tokenizer = hugging_face_tokenizer(description)
    model = json.loads(description)["model"]
    unknown = model.get("unk_token")
    if unknown is None and model.get("unk_id") is not None:
        unknown = tokenizer.id_to_token(model["unk_id"])

    def tokens(text):
        return [_UNKNOWN if token == unknown else token for token in tokenizer.encode(text, add_special_tokens=False).tokens]

    return tokens
`;
