"""Writes the small fixture of crates/kernels/tests/subwords.rs: a classifier of forms as PyTorch 2.11.0 computes it.

The input of a form is `torch.cat` of its word's row of an `nn.Embedding` and the mean that an `nn.EmbeddingBag` gives of its
features. Several forms have the same word, several the same feature, one has a feature twice and one has none. Run with a Python
that has torch==2.11.0 and safetensors:

    python scripts/golden/subwords.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
VOCABULARY, BUCKETS, DIMS, SUBDIMS, HIDDEN, CLASSES, PADDING = 7, 11, 5, 6, 4, 3, 1
RATE, EPS, STEPS = 0.5, 0.3, 3
# Words and features of each form. Several forms are the unknown word 0.
WORDS = [2, 3, 3, 4, 0, 0, 0, 5, 1, 6]
FEATURES = [[0, 3, 5], [1, 3], [1, 3, 3, 8], [9], [2, 5, 7, 8, 4], [2, 7], [], [10, 5], [6, 0], [3, 1, 3, 3, 9]]
LENGTHS = [4, 1, 6, 2, 6, 3, 5]

CASES = {
    "lstm_max": {"cell": "lstm", "pooling": "max"},
    "lstm_max_noise": {"cell": "lstm", "pooling": "max", "noise": True},
    "lstm_mean_two_layers_clipped": {"cell": "lstm", "pooling": "mean", "layers": 2, "clip": 0.2},
    "gru_last_one_direction": {"cell": "gru", "pooling": "last", "bidirectional": False},
    "rnn_last_two_layers_noise": {"cell": "rnn", "pooling": "last", "layers": 2, "noise": True},
    "frozen": {"cell": "lstm", "pooling": "max", "frozen": True},
    "frozen_noise": {"cell": "gru", "pooling": "mean", "frozen": True, "noise": True},
    "adam": {"cell": "lstm", "pooling": "mean", "optimizer": "adam"},
    "decayed_momentum": {"cell": "gru", "pooling": "max", "optimizer": "sgd"},
}


class Classifier(torch.nn.Module):
    def __init__(self, cell, pooling, layers=1, bidirectional=True, **_):
        super().__init__()
        self.pooling = pooling
        self.embedding = torch.nn.Embedding(VOCABULARY, DIMS, padding_idx=PADDING)
        self.subwords = torch.nn.EmbeddingBag(BUCKETS, SUBDIMS, mode="mean")
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
        self.rnn = kind(DIMS + SUBDIMS, HIDDEN, layers, batch_first=True, bidirectional=bidirectional)
        self.fc = torch.nn.Linear(HIDDEN * (2 if bidirectional else 1), CLASSES)

    def embed(self, row):
        features = [FEATURES[form] for form in row]
        offsets = torch.tensor([sum(map(len, features[:at])) for at in range(len(features))])
        bags = self.subwords(torch.tensor(sum(features, []), dtype=torch.long), offsets)
        return torch.cat([self.embedding(torch.tensor([WORDS[form] for form in row])), bags], 1)

    def scores(self, embedded):
        lengths = torch.tensor(LENGTHS)
        h, last = self.rnn(pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False))
        h, _ = pad_packed_sequence(h, batch_first=True)
        mask = (torch.arange(h.shape[1]) < lengths[:, None]).unsqueeze(2)
        if self.pooling == "last":
            last = last[0] if isinstance(last, tuple) else last
            return self.fc(torch.cat(list(last[-2 if self.rnn.bidirectional else -1:]), 1))
        if self.pooling == "mean":
            return self.fc((h * mask).sum(1) / lengths[:, None])
        return self.fc(h.masked_fill(~mask, float("-inf")).amax(1))


def backward(model, rows, labels, noise):
    """Gradients of L(e), or of L(e) + L(e + r); returns L(e)."""
    e = torch.nn.utils.rnn.pad_sequence([model.embed(row) for row in rows], batch_first=True)
    model.zero_grad()
    loss = cross_entropy(model.scores(e), labels)
    if not noise:
        loss.backward()
        return loss.detach()
    (g,) = torch.autograd.grad(loss, e, retain_graph=True)
    norm = lambda x: x.flatten(1).norm(dim=1)[:, None, None]
    second = cross_entropy(model.scores(e + EPS * norm(e.detach()) * g / norm(g)), labels)
    (loss + second).backward()
    return loss.detach()


def optimizer_of(model, name):
    parameters = [p for p in model.parameters() if p.requires_grad]
    if name == "adam":
        return torch.optim.Adam(parameters, lr=0.05)
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=RATE, momentum=0.9, weight_decay=0.01)
    return torch.optim.SGD(parameters, lr=RATE)


def main():
    tensors, cases = {}, {}
    torch.manual_seed(29)
    # At each step other forms: rows of both tables then miss steps.
    batches = [[torch.randint(0, len(WORDS), (n,)).tolist() for n in LENGTHS] for _ in range(STEPS)]
    batches[1] = [[min(form, 4) for form in row] for row in batches[1]]
    labels = torch.randint(0, CLASSES, (len(LENGTHS),))
    for name, case in CASES.items():
        model = Classifier(**case)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.0)
        tensors |= {f"{name}.weight.{key}": value.clone() for key, value in model.state_dict().items()}
        # In float64, so that the differences are the kernels' own.
        model.double()
        model.embedding.weight.requires_grad = not case.get("frozen", False)
        optimizer = optimizer_of(model, case.get("optimizer"))
        losses = []
        for number, rows in enumerate(batches):
            losses.append(float(backward(model, rows, labels, case.get("noise", False))))
            if number == 0:
                grads = [(key, p.grad) for key, p in model.named_parameters() if p.grad is not None]
                tensors |= {f"{name}.grad.{key}": grad.clone().float() for key, grad in grads}
            if "clip" in case:
                torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
            optimizer.step()
        tensors |= {f"{name}.after.{key}": value.clone().float() for key, value in model.state_dict().items()}
        with torch.no_grad():
            e = torch.nn.utils.rnn.pad_sequence([model.embed(row) for row in batches[0]], batch_first=True)
            tensors[f"{name}.scores"] = model.scores(e).float()
        cases[name] = case | {"losses": losses}
    save_file({key: value.contiguous() for key, value in tensors.items()}, out / "subwords.safetensors")
    sizes = dict(vocabSize=VOCABULARY, buckets=BUCKETS, dims=DIMS, subdims=SUBDIMS, hidden=HIDDEN, classes=CLASSES, padding=PADDING)
    batches = [sum(rows, []) for rows in batches]
    data = dict(words=WORDS, features=FEATURES, lengths=LENGTHS, labels=labels.tolist(), batches=batches)
    about = dict(rate=RATE, eps=EPS, **sizes, **data, cases=cases)
    (out / "subwords.json").write_text(json.dumps(about) + "\n")


main()
