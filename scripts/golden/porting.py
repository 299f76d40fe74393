"""Writes test/fixtures/golden/porting.json: how PyTorch 2.11.0 prints modules, what it says of state dicts that do not fit, and what
it computes in place.

Run with a Python that has torch==2.11.0:

    python scripts/golden/porting.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 3, padding_idx=1)
        self.rnn = nn.LSTM(3, 2, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True)
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)])
        self.last = nn.Sequential(nn.Dropout(0.1), nn.Linear(2, 2))

    def extra_repr(self):
        return "k=3"


modules = {
    "LSTM(64, 32, { numLayers: 2, batchFirst: true, dropout: 0.5, bidirectional: true })": nn.LSTM(
        64, 32, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True
    ),
    "LSTM(8, 4, { projSize: 2, bias: false })": nn.LSTM(8, 4, proj_size=2, bias=False),
    "RNN(4, 3, { nonlinearity: 'relu' })": nn.RNN(4, 3, nonlinearity="relu"),
    "GRU(4, 3, { batchFirst: true })": nn.GRU(4, 3, batch_first=True),
    "RNNCell(4, 3, { nonlinearity: 'relu' })": nn.RNNCell(4, 3, nonlinearity="relu"),
    "LSTMCell(4, 3, { bias: false })": nn.LSTMCell(4, 3, bias=False),
    "GRUCell(4, 3)": nn.GRUCell(4, 3),
    "Embedding(10, 3)": nn.Embedding(10, 3),
    "Embedding(10, 3, { paddingIdx: 1 })": nn.Embedding(10, 3, padding_idx=1),
    "EmbeddingBag(10, 3)": nn.EmbeddingBag(10, 3),
    "EmbeddingBag(10, 3, { mode: 'sum', paddingIdx: 1 })": nn.EmbeddingBag(10, 3, mode="sum", padding_idx=1),
    "Linear(2, 3)": nn.Linear(2, 3),
    "Linear(2, 3, { bias: false })": nn.Linear(2, 3, bias=False),
    "Dropout(0.1)": nn.Dropout(0.1),
    "CrossEntropyLoss({ labelSmoothing: 0.1 })": nn.CrossEntropyLoss(label_smoothing=0.1),
    "ReLU()": nn.ReLU(),
    "Tanh()": nn.Tanh(),
    "Sigmoid()": nn.Sigmoid(),
    "Softmax(1)": nn.Softmax(1),
    "LogSoftmax({ dim: 1 })": nn.LogSoftmax(dim=1),
    "NLLLoss()": nn.NLLLoss(),
    "ModuleList()": nn.ModuleList(),
    "Sequential()": nn.Sequential(),
    "Net()": Net(),
}


def message(function):
    try:
        function()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("no error")


linear = nn.Linear(2, 3)
incompatible = nn.Linear(2, 3).load_state_dict({"weight": torch.zeros(3, 2), "extra": torch.zeros(1)}, strict=False)


def nll(**options):
    """Loss and gradient by the logits of log_softmax and NLLLoss; with reduction none, of the losses' sum."""
    logits = torch.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [2.0, 0.0, 0.75], [-1.0, 1.0, 4.0]], requires_grad=True)
    loss = nn.NLLLoss(**options)(nn.LogSoftmax(dim=1)(logits), torch.tensor([0, 2, -100, 1]))
    loss.sum().backward()
    return {"loss": loss.tolist(), "grad": logits.grad.tolist()}




def in_place(dtype):
    """Results of operations in place, on tensors whose elements every dtype holds."""
    floats = dtype.is_floating_point

    def x():
        return torch.tensor([[1, -2, 3], [40, 5, -60]], dtype=dtype)

    y, row = torch.tensor([[7, 3, -2], [1, 9, 4]], dtype=dtype), torch.tensor([2, -1, 3], dtype=dtype)
    mask = torch.tensor([True, False, True])
    results = {
        "add_(y)": x().add_(y),
        "add_(row, { alpha: 3 })": x().add_(row, alpha=3),
        "add_(5, { alpha: 2 })": x().add_(5, alpha=2),
        "sub_(y)": x().sub_(y),
        "sub_(row, { alpha: 3 })": x().sub_(row, alpha=3),
        "sub_(5, { alpha: 2 })": x().sub_(5, alpha=2),
        "mul_(row)": x().mul_(row),
        "mul_(3)": x().mul_(3),
        "clamp_(-2, 5)": x().clamp_(-2, 5),
        "clamp_({ max: 3 })": x().clamp_(max=3),
        "maskedFill_(mask, 9)": x().masked_fill_(mask, 9),
        "copy_(row)": x().copy_(row),
        "fill_(4)": x().fill_(4),
        "zero_()": x().zero_(),
    }
    if floats:
        results |= {
            "add_(0.3, { alpha: 0.7 })": x().add_(0.3, alpha=0.7),
            "sub_(0.3, { alpha: 0.7 })": x().sub_(0.3, alpha=0.7),
            "sub_(row, { alpha: 0.1 })": x().sub_(row, alpha=0.1),
            "mul_(0.3)": x().mul_(0.3),
            "div_(y)": x().div_(y),
            "div_(0.3)": x().div_(0.3),
            "clamp_(-0.5, 2.5)": x().clamp_(-0.5, 2.5),
        }
    return {name: tensor.tolist() for name, tensor in results.items()}


weight = torch.tensor([1.0, 2.0, 0.5])
result = {
    "modules": {name: repr(module) for name, module in modules.items()},
    "errors": {
        "strict": message(lambda: linear.load_state_dict({"weight": torch.zeros(2, 3), "a": torch.zeros(1), "b": torch.zeros(1)})),
        "loose": message(lambda: linear.load_state_dict({"weight": torch.zeros(2, 3)}, strict=False)),
        "labels": message(lambda: nn.functional.cross_entropy(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int32))),
    },
    "nll": {
        "mean": nll(),
        "mean weighted": nll(weight=weight),
        "sum": nll(reduction="sum"),
        "none": nll(reduction="none"),
        "none weighted": nll(reduction="none", weight=weight),
    },
    "incompatible": incompatible._asdict(),
    "inPlace": {name: in_place(getattr(torch, name)) for name in ["float32", "float64", "bfloat16", "int64", "int32"]},
}
path = pathlib.Path(sys.argv[1]) / "porting.json"
path.write_text(json.dumps(result, indent=2) + "\n")
