"""Writes test/fixtures/tokenizers: small tokenizers of each kind, and what HuggingFace's own package makes of some texts.

Run with a Python that has tokenizers==0.23.2:

    python scripts/golden/tokenizers.py test/fixtures/tokenizers
"""
import json
import pathlib
import sys

# The folder of this script comes first in the path, where its own name would shadow the package.
sys.path.pop(0)
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)

CORPUS = [
    "The cat sat on the mat, and the dogs were barking at the cats.",
    "Oil prices soar as traders fear new sanctions; shares fell 3.5% on Tuesday.",
    "Tokenization splits texts into tokens, words into pieces and pieces into bytes.",
    "It's the traders' fear that moves prices, isn't it? Yes!",
    "Straße, naïve café, Ærø and jalapeño are words with letters beyond ASCII.",
    "Привет, мир! Это простой текст для проверки.",
    "你好世界。今天天气很好。",
    "const answer = 42; // a comment <b>bold</b>",
] * 3

TEXTS = [
    "",
    " ",
    "The cat sat on the mat.",
    "tokenization of unknowable words: zyzzyva",
    "  leading, trailing\tand\nother   blanks  ",
    "[CLS] typed by [SEP] a user <pad> <unk> <s> [UNK]",
    "It's naïve — nai\u0308ve; ﬁne Ａ",
    "Привет 世界 🙂👨‍👩‍👧 \u0000 NUL \ufffd \u202eright to left\u202c שלום مرحبا",
    "a" * 300,
    "supercalifragilisticexpialidocious" * 4,
    "3.5% 42 1,000,000",
]


def byte_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=340, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, trainers.WordPieceTrainer(
        vocab_size=260, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
    )


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("``", '"')])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )


def word_level():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer, trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False)


def split_bpe():
    """As recent models have it: a regular expression with look-ahead, bytes for what is unknown, an added word."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    from tokenizers import Regex

    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=260,
        special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)][:128],
        show_progress=False,
    )


expected = {}
for make in (byte_bpe, word_piece, unigram, word_level, split_bpe):
    name = make.__name__
    tokenizer, trainer = make()
    tokenizer.train_from_iterator(CORPUS, trainer)
    if name == "word_piece":
        # What a file may ask for, and what reading a text for a classifier leaves out.
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        tokenizer.enable_truncation(4)
        tokenizer.enable_padding(length=8)
    tokenizer.save(str(out / f"{name}.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    unknown = {"word_piece": "[UNK]", "unigram": "<unk>", "word_level": "<unk>", "split_bpe": "<unk>"}.get(name)
    unknown_id = None if unknown is None else tokenizer.token_to_id(unknown)
    expected[name] = [
        ["<unk>" if id == unknown_id else tokenizer.id_to_token(id) for id in tokenizer.encode(text, add_special_tokens=False).ids]
        for text in TEXTS
    ]

with open(out / "expected.json", "w", encoding="utf-8") as file:
    json.dump({"texts": TEXTS, "tokens": expected}, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
