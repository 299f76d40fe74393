"""Writes the fixture of crates/kernels/tests/language.rs: language models as PyTorch 2.11.0 trains them, by the example
`word_language_model` of pytorch/examples: Embedding, recurrent layers, Linear; equal windows of some streams; the state that
a window ends with, detached, is that which the next one begins with.

Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/language.py test/fixtures/golden
"""
import json
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
UNITS, EMBEDDING, HIDDEN, STREAMS, WINDOW = 17, 6, 5, 3, 4
# The last window of an epoch is shorter.
WINDOWS = [WINDOW] * 5 + [2]


MASK = 2**64 - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def mask_of(p, step, what, number, rows, columns):
    """The kernels' dropout mask (crates/kernels/src/random.rs, seed 0) of a matrix whose rows are padded to 16 values."""
    key = mix(0)
    for part in (step, what, number):
        key = mix(key ^ ((part * 0x9E3779B97F4A7C15) & MASK))
    x = numpy.arange(rows * 16, dtype=numpy.uint32) ^ numpy.uint32(key & 0xFFFFFFFF)
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x21F0AAAD)
    x = (x ^ (x >> numpy.uint32(15))) + numpy.uint32(key >> 32)
    x *= numpy.uint32(0x735A2D97)
    x ^= x >> numpy.uint32(15)
    x *= numpy.uint32(0x2C1B3C6D)
    x ^= x >> numpy.uint32(16)
    p = numpy.float32(p)
    kept = (x >= numpy.uint32(float(p) * 2**32)).reshape(rows, 16)[:, :columns]
    return torch.tensor(kept * (1 / (1 - p)), dtype=torch.float64)


class Model(torch.nn.Module):
    def __init__(self, cell, layers, tied=False, dropouts=None):
        super().__init__()
        embedding = HIDDEN if tied else EMBEDDING
        self.embedding = torch.nn.Embedding(UNITS, embedding)
        self.rnn = getattr(torch.nn, cell)(embedding, HIDDEN, layers, batch_first=True)
        self.fc = torch.nn.Linear(HIDDEN, UNITS)
        if tied:
            self.fc.weight = self.embedding.weight
        self.dropouts, self.steps = dropouts, 0

    def forward(self, units, state):
        if self.dropouts and self.training:
            return self.dropping(units, state)
        outputs, state = self.rnn(self.embedding(units), state)
        return self.scores(outputs), state

    def scores(self, outputs):
        return self.fc(outputs)

    def loss(self, scores, targets):
        return torch.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), targets.reshape(-1))

    def positions(self, x, share, what, number=0):
        """Drops values of `[streams, time, width]`; the masks are those of the kernels, whose positions are time by time."""
        streams, time, width = x.shape
        mask = mask_of(self.dropouts[share], self.steps, what, number, time * streams, width)
        return x * mask.reshape(time, streams, width).transpose(0, 1)

    def dropping(self, units, state):
        """An LSTM with given masks: of inputs, between layers, of outputs, and of the recurrent weights."""
        x, last = self.positions(self.embedding(units), "embedding", 1), []
        for layer in range(self.rnn.num_layers):
            w_ih, w_hh, b_ih, b_hh = (getattr(self.rnn, f"{name}_l{layer}") for name in NAMES)
            # Each gate begins at a whole vector.
            mask = mask_of(self.dropouts["recurrent"], self.steps, 5, layer, 4 * 16, HIDDEN)
            mask = torch.cat([mask[gate * 16 : gate * 16 + HIDDEN] for gate in range(4)])
            zeros = x.new_zeros(1, x.shape[0], HIDDEN)
            begin = (zeros, zeros) if state is None else tuple(part[layer : layer + 1] for part in state)
            weights = [w_ih, w_hh * mask, b_ih, b_hh]
            x, h, c = torch._VF.lstm(x, begin, weights, True, 1, 0.0, False, False, True)
            last.append((h, c))
            if layer + 1 < self.rnn.num_layers:
                x = self.positions(x, "layers", 2, layer)
        x = self.positions(x, "outputs", 3)
        self.steps += 1
        return self.scores(x), tuple(torch.cat(parts) for parts in zip(*last, strict=True))


class AdaptiveModel(Model):
    """More units, more hidden values, and an adaptive softmax: the groups begin after a sixteenth and a quarter of the units."""

    UNITS, HIDDEN = 48, 20

    def __init__(self, cell, layers, dropouts=None):
        super().__init__(cell, layers, False, dropouts)
        units, hidden = self.UNITS, self.HIDDEN
        self.embedding = torch.nn.Embedding(units, EMBEDDING)
        self.rnn = getattr(torch.nn, cell)(EMBEDDING, hidden, layers, batch_first=True)
        cutoffs = [units // 16, units // 4]
        self.adaptive = torch.nn.AdaptiveLogSoftmaxWithLoss(hidden, units, cutoffs, div_value=4.0, head_bias=True)
        del self.fc

    def scores(self, outputs):
        return outputs if self.training else self.adaptive.log_prob(outputs[0])[None]

    def loss(self, outputs, targets):
        return self.adaptive(outputs.reshape(-1, self.HIDDEN), targets.reshape(-1)).loss


NAMES = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def optimizer_of(model, name):
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), 0.8)
    return torch.optim.Adam(model.parameters(), 0.02)


def weights(model):
    """The state dict; what is tied is there once."""
    tied = not isinstance(model, AdaptiveModel) and model.fc.weight is model.embedding.weight
    return {key: value.clone() for key, value in model.state_dict().items() if not (tied and key == "fc.weight")}


def train(cell, layers, name, clip, tied=False, dropouts=None, adaptive=False):
    """Two epochs; the state begins with zeros in each."""
    torch.manual_seed(11)
    model = AdaptiveModel(cell, layers) if adaptive else Model(cell, layers, tied, dropouts)
    tensors = {f"initial.{key}": value for key, value in weights(model).items()}
    streams = torch.randint(0, model.UNITS if adaptive else UNITS, (STREAMS, sum(WINDOWS) + 1))
    tensors["streams"] = streams.long()
    # In float64, so that the differences are the kernels' own.
    model.double()
    optimizer = optimizer_of(model, name)
    losses = []
    for _ in range(2):
        state, start = None, 0
        for window in WINDOWS:
            units, targets = streams[:, start : start + window], streams[:, start + 1 : start + window + 1]
            scores, state = model(units, state)
            loss = model.loss(scores, targets)
            # A group of units without a target has a gradient of zeros, not none, and Adam moves it as it does in the kernels.
            for parameter in model.parameters():
                parameter.grad = torch.zeros_like(parameter)
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            losses.append(loss.item())
            state, start = detach(state), start + window
    model.eval()
    tensors |= {f"final.{key}": value for key, value in weights(model).items()}
    # What the trained model says of a stream, read from its beginning.
    with torch.no_grad():
        scores, _ = model(streams[:1], None)
    tensors["scores"] = scores[0]
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    return tensors


cases, all_tensors = [], {}
DROPOUTS = {"embedding": 0.1, "layers": 0.2, "outputs": 0.4, "recurrent": 0.3}
for cell, layers, name, clip, *more in [
    ("LSTM", 2, "sgd", 0.25),
    ("LSTM", 1, "adam", 0.0),
    ("GRU", 2, "adam", 0.0),
    ("RNN", 2, "sgd", 0.25),
    ("LSTM", 2, "adam", 0.25, {"tied": True}),
    ("GRU", 1, "sgd", 0.25, {"tied": True}),
    ("LSTM", 2, "adam", 0.25, {"dropouts": DROPOUTS}),
    ("LSTM", 2, "sgd", 0.25, {"tied": True, "dropouts": DROPOUTS}),
    ("LSTM", 1, "adam", 0.25, {"adaptive": True}),
    ("GRU", 2, "sgd", 0.25, {"adaptive": True}),
]:
    options = more[0] if more else {}
    case = "_".join([f"{cell.lower()}{layers}", name, *options])
    cases.append({"name": case, "cell": cell.lower(), "layers": layers, "optimizer": name, "clip": clip, **options})
    for key, value in train(cell, layers, name, clip, **options).items():
        value = value.float() if value.is_floating_point() else value
        all_tensors[f"{case}/{key}"] = value.contiguous()
sizes = {"units": UNITS, "embedding": EMBEDDING, "hidden": HIDDEN, "streams": STREAMS, "windows": WINDOWS}
sizes |= {"adaptive": {"units": AdaptiveModel.UNITS, "hidden": AdaptiveModel.HIDDEN}}
(out / "language.json").write_text(json.dumps({**sizes, "cases": cases}))
save_file(all_tensors, out / "language.safetensors")
