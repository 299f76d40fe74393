"""Weights of every kind of layer, from PyTorch to recurra and back.

    python scripts/lesson/state_dict.py make FILE     writes a state dict made by PyTorch, with inputs and outputs: the test's fixture
    python scripts/lesson/state_dict.py check FILE    loads a state dict that scripts/lesson/saveState.ts wrote into PyTorch's layers,
                                                      strictly, and compares the outputs with those in the file

Tensors: state.<parameter>, in.<name>, out.<layer>.<number>. Needs torch and safetensors.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class Layers(nn.Module):
    """One of each; scripts/lesson/layers.ts has the same."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 5, padding_idx=1)
        self.bag = nn.EmbeddingBag(11, 5, mode="sum")
        self.linear = nn.Linear(5, 3)
        self.linear_no_bias = nn.Linear(5, 3, bias=False)
        self.rnn = nn.RNN(5, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.rnn_relu = nn.RNN(5, 4, nonlinearity="relu", batch_first=True)
        self.lstm = nn.LSTM(5, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.lstm_projected = nn.LSTM(5, 4, proj_size=3, num_layers=2, batch_first=True)
        self.gru = nn.GRU(5, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.gru_no_bias = nn.GRU(5, 4, bias=False, batch_first=True)
        self.rnn_cell = nn.RNNCell(5, 4)
        self.lstm_cell = nn.LSTMCell(5, 4)
        self.gru_cell = nn.GRUCell(5, 4)

    def outputs(self, ids):
        """Outputs of all layers for ids [batch, time]; the layers above the embedding read its vectors."""
        x = self.embedding(ids)
        h, c = (self.linear_no_bias(x[:, 0]).tanh().repeat(1, 2)[:, :4] for _ in range(2))
        result = {"embedding": [x], "bag": [self.bag(ids)], "linear": [self.linear(x)], "linear_no_bias": [self.linear_no_bias(x)]}
        for name in ["rnn", "rnn_relu", "gru", "gru_no_bias"]:
            output, hn = getattr(self, name)(x)
            result[name] = [output, hn]
        for name in ["lstm", "lstm_projected"]:
            output, (hn, cn) = getattr(self, name)(x)
            result[name] = [output, hn, cn]
        result["rnn_cell"] = [self.rnn_cell(x[:, 0], h)]
        result["lstm_cell"] = list(self.lstm_cell(x[:, 0], (h, c)))
        result["gru_cell"] = [self.gru_cell(x[:, 0], h)]
        return {f"out.{name}.{i}": value for name, values in result.items() for i, value in enumerate(values)}


def make(path):
    torch.manual_seed(7)
    layers = Layers()
    ids = torch.randint(0, 11, (3, 6))
    tensors = {"state." + name: value for name, value in layers.state_dict().items()}
    tensors["in.ids"] = ids
    tensors.update(layers.outputs(ids))
    save_file({name: value.detach().contiguous() for name, value in tensors.items()}, path, {"torch": torch.__version__})
    print(f"{path}: {len(layers.state_dict())} parameters")


def check(path):
    tensors = load_file(path)
    layers = Layers()
    layers.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("state.")}, strict=True)
    worst = 0.0
    for name, value in layers.outputs(tensors["in.ids"]).items():
        torch.testing.assert_close(tensors[name], value, rtol=1e-5, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")
        worst = max(worst, (tensors[name] - value).abs().max().item())
    print(f"{path}: {len(layers.state_dict())} parameters loaded strictly by PyTorch {torch.__version__}; largest difference of any output {worst:.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "check"):
        sys.exit(__doc__)
    with torch.no_grad():
        {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
