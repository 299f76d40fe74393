"""Networks of PyTorch as people write them, and their answers (made by torch 2.11).

    python scripts/golden/imported.py test/fixtures/imported

Writes for each network its state dict and its vocabulary, and `imported.json` with the options of importModel and the probabilities of texts.
"""

import collections
import json
import pathlib
import sys

import torch
from torch import nn

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(5)
WORDS = ["the", "cat", "sat", "on", "mat", "dog", "ran", "far", "away", "today"]
TEXTS = ["the cat sat on the mat", "dog", "the dog ran far far away today", "cat on mat"]


class Network(nn.Module):
    """An embedding, recurrent layers, pooling over the tokens of one text, and a linear layer."""

    def __init__(self, rows, kind, dim, hidden, outputs, pooling, padding=None, **options):
        super().__init__()
        self.embedding = nn.Embedding(rows, dim, padding_idx=padding)
        self.rnn = kind(dim, hidden, batch_first=True, **options)
        self.fc = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), outputs)
        self.pooling = pooling

    def forward(self, ids):
        outputs, state = self.rnn(self.embedding(ids))
        final = state[0] if isinstance(state, tuple) else state
        if self.pooling == "last":
            pooled = torch.cat([final[-2], final[-1]], 1) if self.rnn.bidirectional else final[-1]
        else:
            pooled = outputs.mean(1) if self.pooling == "mean" else outputs.amax(1)
        return self.fc(pooled)


def renamed(state, **names):
    return collections.OrderedDict((names[name.split(".")[0]] + name[name.index("."):], value) for name, value in state.items())


golden = []


def add(name, network, vocab, numbers, options, texts=TEXTS, sigmoid=False, wrap=lambda state: state, **save):
    """Saves a network; `numbers` gives the row of each word."""
    network.eval()
    torch.save(wrap(network.state_dict()), folder / f"{name}.pt", **save)
    kind = "txt" if isinstance(vocab, list) else "json"
    text = "".join(f"{word}\n" for word in vocab) if kind == "txt" else json.dumps(vocab)
    (folder / f"{name}.{kind}").write_text(text)
    rows = []
    for text in texts:
        with torch.no_grad():
            logits = network(torch.tensor([[numbers(word) for word in text.split()]]))[0].double()
        if not sigmoid:
            probabilities = logits.softmax(0)
        elif len(logits) == 1:
            probabilities = torch.cat([1 - logits.sigmoid(), logits.sigmoid()])
        else:
            probabilities = logits.sigmoid()
        rows.append({"text": text, "probabilities": [float(f"{p:.9g}") for p in probabilities]})
    golden.append({"name": name, "vocab": f"{name}.{kind}", "options": options, "rows": rows})


tokens = ["<pad>", "<unk>", *WORDS]
stoi = {token: i for i, token in enumerate(tokens)}
add(
    "lstm",
    Network(12, nn.LSTM, 5, 4, 3, "last", padding=0, num_layers=2, bidirectional=True, dropout=0.5),
    stoi,
    lambda word: stoi.get(word, 1),
    {"labels": ["a", "b", "c"]},
    texts=[*TEXTS, "the unheard cat"],
)
network = Network(12, nn.GRU, 6, 6, 2, "mean")
optimizer = torch.optim.Adam(network.parameters())
network(torch.tensor([[1, 2]])).sum().backward()
optimizer.step()
add(
    "gru",
    network,
    tokens,
    lambda word: stoi.get(word, 1),
    {"pooling": "mean", "labels": ["no", "yes"]},
    wrap=lambda state: {
        "epoch": 3,
        "loss": 0.25,
        "best": None,
        "done": False,
        "model_state_dict": renamed(state, embedding="word_embeddings", rnn="encoder", fc="classifier.out"),
        "optimizer_state_dict": optimizer.state_dict(),
    },
)
add(
    "rnn",
    Network(11, nn.RNN, 3, 5, 3, "max", bidirectional=True, bias=False),
    {"itos": ["[UNK]", *WORDS]},
    lambda word: WORDS.index(word) + 1 if word in WORDS else 0,
    {"pooling": "max"},
    texts=[*TEXTS, "unheard of"],
    pickle_protocol=4,
)
add(
    "binary",
    Network(11, nn.LSTM, 4, 3, 1, "last", padding=0).double().float().double(),
    {"word_index": {word: i + 1 for i, word in enumerate(WORDS)}},
    lambda word: WORDS.index(word) + 1,
    {"labels": ["negative", "positive"]},
    sigmoid=True,
    wrap=lambda state: collections.OrderedDict(("module." + name, value) for name, value in state.items()),
)
half = Network(12, nn.GRU, 4, 3, 3, "last", num_layers=2)
half.load_state_dict({name: value.half().float() for name, value in half.state_dict().items()})
add(
    "multi",
    half,
    tokens,
    lambda word: stoi.get(word, 1),
    {"multiLabel": True},
    sigmoid=True,
    # A transposed view of other numbers, and a half of a larger tensor.
    wrap=lambda state: {
        name: (value.half() if "bias" in name else value.t().contiguous().t() if value.dim() == 2 else value)
        for name, value in state.items()
    },
)
(folder / "imported.json").write_text(json.dumps(golden) + "\n")
