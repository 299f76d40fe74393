"""Writes the small fixtures of test/classifier/golden.test.ts: what PyTorch 2.11.0 and scikit-learn compute.

Run with a Python that has torch==2.11.0, numpy, safetensors and scikit-learn:

    python scripts/golden/classifier.py test/fixtures/golden
"""
import json
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from sklearn.metrics import precision_recall_curve
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
VOCABULARY, CLASSES, ROWS = 30, 4, 12


class Attention(torch.nn.Module):
    def __init__(self, features):
        super().__init__()
        self.proj = torch.nn.Linear(features, features)
        self.query = torch.nn.Linear(features, 1, bias=False)

    def forward(self, h, mask):
        scores = self.query(torch.tanh(self.proj(h))).masked_fill(~mask, float("-inf"))
        return (torch.softmax(scores, 1) * h).sum(1)


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, 6, padding_idx=1)
        self.rnn = torch.nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.attention = Attention(10)
        self.fc = torch.nn.Linear(10, CLASSES)

    def forward(self, tokens, lengths):
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        mask = (torch.arange(h.shape[1]) < lengths[:, None]).unsqueeze(2)
        return self.fc(self.attention(h, mask))


def steps():
    """Loss, gradients and answers of a classifier with attention, for each loss."""
    torch.manual_seed(17)
    model = Classifier()
    tensors = {f"initial.{name}": value.clone() for name, value in model.state_dict().items()}
    # Larger than they begin, so that the attention is not nearly even and its gradients count.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(1.0 if name == "embedding.weight" else 4.0)
    tensors |= {f"weight.{name}": value.clone() for name, value in model.state_dict().items()}
    lengths = torch.randint(1, 9, (ROWS,))
    rows = [torch.randint(2, VOCABULARY, (int(length),)) for length in lengths]
    labels = torch.randint(0, CLASSES, (ROWS,))
    sets = torch.randint(0, 3, (ROWS, CLASSES)) == 0
    weights = torch.tensor([0.3, 2.5, 1.0, 0.8], dtype=torch.float64)
    tensors |= {"tokens": torch.cat(rows).int(), "lengths": lengths.int(), "labels": labels.int()}
    tensors |= {"sets": sets.int(), "class_weights": weights.float()}
    # In float64, so that the differences are the kernels' own.
    model.double()
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)
    logits = model(padded, lengths)
    tensors["softmax"] = torch.softmax(logits, 1).detach().float()
    tensors["sigmoid"] = torch.sigmoid(logits).detach().float()
    entropy = torch.nn.functional.cross_entropy
    binary = torch.nn.functional.binary_cross_entropy_with_logits
    losses = {
        "plain": entropy(logits, labels),
        "weighted": entropy(logits, labels, weight=weights),
        "smoothed": entropy(logits, labels, label_smoothing=0.15),
        "weighted_smoothed": entropy(logits, labels, weight=weights, label_smoothing=0.15),
        "binary": binary(logits, sets.double()),
        "binary_weighted": binary(logits, sets.double(), pos_weight=weights),
    }
    for case, loss in losses.items():
        model.zero_grad()
        loss.backward(retain_graph=True)
        tensors[f"{case}.loss"] = loss.detach().reshape(1).float()
        for name, parameter in model.named_parameters():
            tensors[f"{case}.grad.{name}"] = parameter.grad.clone().float()
    save_file({key: value.contiguous() for key, value in tensors.items()}, out / "classifier_losses.safetensors")


def choices():
    """scikit-learn's balanced weights, and the best F1 that any threshold gives."""
    random = numpy.random.default_rng(5)
    labels = random.choice(4, 60, p=[0.5, 0.3, 0.15, 0.05])
    weights = compute_class_weight("balanced", classes=numpy.arange(4), y=labels)
    cases = []
    for rows, rate in [(1, 1.0), (6, 0.5), (40, 0.3), (200, 0.05), (200, 0.6), (30, 1.0)]:
        present = (random.random(rows) < rate).astype(int)
        present[0] = 1
        # Some are equal, as those of a small model are.
        scores = numpy.clip(numpy.round(0.3 * present + 0.7 * random.random(rows), 2), 0, 1).astype(numpy.float32)
        precision, recall, _ = precision_recall_curve(present, scores)
        best = numpy.max(2 * precision * recall / numpy.maximum(precision + recall, 1e-12))
        cases.append({"present": present.tolist(), "scores": scores.tolist(), "bestF1": float(best)})
    balanced = {"labels": labels.tolist(), "weights": weights.tolist()}
    (out / "classifier_choices.json").write_text(json.dumps({"balanced": balanced, "thresholds": cases}))


steps()
choices()
