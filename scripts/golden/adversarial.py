"""Writes the small fixture of test/classifier/adversarial.test.ts: adversarial training as PyTorch 2.11.0 computes it.

Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification", 2017, with noise whose length
is a share of that of the embedded tokens of a text. Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/adversarial.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
VOCABULARY, CLASSES, ROWS, DIMS, HIDDEN, PADDING = 14, 3, 7, 5, 4, 1
EPS, RATE, STEPS = 0.3, 0.5, 3
WEIGHTS = [0.3, 2.5, 1.0]

CASES = {
    "lstm_max": {"cell": "lstm", "pooling": "max"},
    "lstm_attention_two_layers": {"cell": "lstm", "pooling": "attention", "layers": 2},
    "lstm_last_one_direction": {"cell": "lstm", "pooling": "last", "bidirectional": False},
    "gru_mean_two_layers": {"cell": "gru", "pooling": "mean", "layers": 2, "bidirectional": False},
    "gru_max": {"cell": "gru", "pooling": "max"},
    "rnn_last_two_layers": {"cell": "rnn", "pooling": "last", "layers": 2},
    "rnn_attention_one_direction": {"cell": "rnn", "pooling": "attention", "bidirectional": False},
    "weighted_smoothed": {"cell": "lstm", "pooling": "mean", "weights": WEIGHTS, "smoothing": 0.15},
    "several_labels": {"cell": "gru", "pooling": "max", "multi_label": True, "weights": WEIGHTS},
    "frozen": {"cell": "lstm", "pooling": "max", "frozen": True},
}


class Classifier(torch.nn.Module):
    def __init__(self, cell, pooling, layers=1, bidirectional=True, **_):
        super().__init__()
        self.pooling = pooling
        self.embedding = torch.nn.Embedding(VOCABULARY, DIMS, padding_idx=PADDING)
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
        self.rnn = kind(DIMS, HIDDEN, layers, batch_first=True, bidirectional=bidirectional)
        features = HIDDEN * (2 if bidirectional else 1)
        if pooling == "attention":
            self.attention = torch.nn.Module()
            self.attention.proj = torch.nn.Linear(features, features)
            self.attention.query = torch.nn.Linear(features, 1, bias=False)
        self.fc = torch.nn.Linear(features, CLASSES)

    def scores(self, embedded, lengths):
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        h, last = self.rnn(packed)
        h, _ = pad_packed_sequence(h, batch_first=True)
        mask = (torch.arange(h.shape[1]) < lengths[:, None]).unsqueeze(2)
        if self.pooling == "last":
            last = last[0] if isinstance(last, tuple) else last
            pooled = torch.cat(list(last[-2 if self.rnn.bidirectional else -1:]), 1)
        elif self.pooling == "mean":
            pooled = (h * mask).sum(1) / lengths[:, None]
        elif self.pooling == "max":
            pooled = h.masked_fill(~mask, float("-inf")).amax(1)
        else:
            scores = self.attention.query(torch.tanh(self.attention.proj(h))).masked_fill(~mask, float("-inf"))
            pooled = (torch.softmax(scores, 1) * h).sum(1)
        return self.fc(pooled)


def step(model, rows, lengths, loss):
    """Gradients of L(e) + L(e + r) in the parameters; returns L(e)."""
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PADDING)
    e = model.embedding(padded)
    if not e.requires_grad:
        e.requires_grad_()
    first = loss(model.scores(e, lengths))
    (g,) = torch.autograd.grad(first, e, retain_graph=True)
    # Behind the end of a text both are zero.
    norm = lambda x: x.flatten(1).norm(dim=1)[:, None, None]
    length, steepest = norm(e.detach()), norm(g)
    assert steepest.min() > 0
    second = loss(model.scores(e + EPS * length * g / steepest, lengths))
    model.zero_grad()
    (first + second).backward()
    return first.detach()


def main():
    tensors, cases = {}, {}
    torch.manual_seed(23)
    lengths = torch.tensor([4, 1, 6, 2, 6, 3, 5])
    rows = [torch.randint(2, VOCABULARY, (int(length),)) for length in lengths]
    rows[4][2] = PADDING  # A text may have the padding word; its vector is zero and stays so.
    rows[2][3] = rows[2][1]
    labels = torch.randint(0, CLASSES, (ROWS,))
    sets = torch.randint(0, 3, (ROWS, CLASSES)) == 0
    tensors |= {"tokens": torch.cat(rows).int(), "lengths": lengths.int(), "labels": labels.int(), "sets": sets.int()}
    for name, case in CASES.items():
        model = Classifier(**case)
        # Larger than they begin, so that the noise changes the gradients much.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.0)
        tensors |= {f"{name}.weight.{key}": value.clone() for key, value in model.state_dict().items()}
        # In float64, so that the differences are the engines' own.
        model.double()
        weights = torch.tensor(case["weights"], dtype=torch.float64) if "weights" in case else None
        if case.get("multi_label"):
            loss = lambda scores: binary_cross_entropy_with_logits(scores, sets.double(), pos_weight=weights)
        else:
            loss = lambda scores: cross_entropy(scores, labels, weights, label_smoothing=case.get("smoothing", 0.0))
        model.embedding.weight.requires_grad = not case.get("frozen", False)
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=RATE)
        losses = []
        for number in range(STEPS):
            losses.append(float(step(model, rows, lengths, loss)))
            optimizer.step()
            if number in (0, STEPS - 1):
                state = model.state_dict().items()
                tensors |= {f"{name}.after{number + 1}.{key}": value.clone().float() for key, value in state}
        cases[name] = case | {"losses": losses}
    save_file({key: value.contiguous() for key, value in tensors.items()}, out / "adversarial.safetensors")
    about = {"eps": EPS, "rate": RATE, "steps": STEPS, "cases": cases}
    (out / "adversarial.json").write_text(json.dumps(about, indent=1) + "\n")


main()
