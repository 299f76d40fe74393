"""Writes the fixture of crates/kernels/tests/language.rs: language models as PyTorch 2.11.0 trains them, by the example
`word_language_model` of pytorch/examples: Embedding, recurrent layers, Linear; equal windows of some streams; the state that
a window ends with, detached, is that which the next one begins with.

Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/language.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
UNITS, EMBEDDING, HIDDEN, STREAMS, WINDOW = 17, 6, 5, 3, 4
# The last window of an epoch is shorter.
WINDOWS = [WINDOW] * 5 + [2]


class Model(torch.nn.Module):
    def __init__(self, cell, layers):
        super().__init__()
        self.embedding = torch.nn.Embedding(UNITS, EMBEDDING)
        self.rnn = getattr(torch.nn, cell)(EMBEDDING, HIDDEN, layers, batch_first=True)
        self.fc = torch.nn.Linear(HIDDEN, UNITS)

    def forward(self, units, state):
        outputs, state = self.rnn(self.embedding(units), state)
        return self.fc(outputs), state


def detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def optimizer_of(model, name):
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), 0.8)
    return torch.optim.Adam(model.parameters(), 0.02)


def train(cell, layers, name, clip):
    """Two epochs; the state begins with zeros in each."""
    torch.manual_seed(11)
    model = Model(cell, layers)
    tensors = {f"initial.{key}": value.clone() for key, value in model.state_dict().items()}
    streams = torch.randint(0, UNITS, (STREAMS, sum(WINDOWS) + 1))
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
            loss = torch.nn.functional.cross_entropy(scores.reshape(-1, UNITS), targets.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            losses.append(loss.item())
            state, start = detach(state), start + window
    tensors |= {f"final.{key}": value.clone() for key, value in model.state_dict().items()}
    # What the trained model says of a stream, read from its beginning.
    with torch.no_grad():
        scores, _ = model(streams[:1], None)
    tensors["scores"] = scores[0]
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    return tensors


cases, all_tensors = [], {}
for cell, layers, name, clip in [
    ("LSTM", 2, "sgd", 0.25),
    ("LSTM", 1, "adam", 0.0),
    ("GRU", 2, "adam", 0.0),
    ("RNN", 2, "sgd", 0.25),
]:
    case = f"{cell.lower()}{layers}_{name}"
    cases.append({"name": case, "cell": cell.lower(), "layers": layers, "optimizer": name, "clip": clip})
    for key, value in train(cell, layers, name, clip).items():
        value = value.float() if value.is_floating_point() else value
        all_tensors[f"{case}/{key}"] = value.contiguous()
sizes = {"units": UNITS, "embedding": EMBEDDING, "hidden": HIDDEN, "streams": STREAMS, "windows": WINDOWS}
(out / "language.json").write_text(json.dumps({**sizes, "cases": cases}))
save_file(all_tensors, out / "language.safetensors")
