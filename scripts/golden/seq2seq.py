"""Writes the fixture of crates/kernels/tests/seq2seq.rs: networks from sequence to sequence as PyTorch 2.11.0 computes them, built from
Embedding, recurrent layers and Linear, row by row without padding, by the definitions of crates/kernels/src/seq2seq/mod.rs.

Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/seq2seq.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
SOURCES, TARGETS, EMBEDDING, TARGET_EMBEDDING, HIDDEN, DECODER = 9, 8, 4, 3, 5, 6
START, END = 0, 1
STEPS, LONGEST = 3, 7
nn = torch.nn


class Model(nn.Module):
    def __init__(self, cell, layers, decoder_layers, bidirectional, attention):
        super().__init__()
        rnn = getattr(nn, cell)
        self.lstm, self.layers, self.directions = cell == "LSTM", layers, 1 + bidirectional
        memory = HIDDEN * self.directions
        self.encoder = nn.ModuleDict({
            "embedding": nn.Embedding(SOURCES, EMBEDDING),
            "rnn": rnn(EMBEDDING, HIDDEN, layers, batch_first=True, bidirectional=bidirectional),
        })
        states = ["h", "c"] if self.lstm else ["h"]
        bridges = {state: nn.ModuleList(nn.Linear(memory, DECODER) for _ in range(decoder_layers)) for state in states}
        self.bridge = nn.ModuleDict(bridges)
        self.decoder = nn.ModuleDict({
            "embedding": nn.Embedding(TARGETS, TARGET_EMBEDDING),
            "rnn": rnn(TARGET_EMBEDDING + DECODER, DECODER, decoder_layers, batch_first=True),
        })
        scores = {"memory": nn.Linear(memory, DECODER, bias=attention == "bahdanau")}
        if attention == "bahdanau":
            scores |= {"query": nn.Linear(DECODER, DECODER, bias=False), "score": nn.Linear(DECODER, 1, bias=False)}
        self.attention = nn.ModuleDict(scores)
        self.combine = nn.Linear(memory + DECODER, DECODER)
        self.fc = nn.Linear(DECODER, TARGETS)

    def begin(self, source):
        """Memory [source, memory], and what the decoder begins with."""
        memory, finals = self.encoder["rnn"](self.encoder["embedding"](source)[None])
        finals = finals if self.lstm else (finals,)
        states = []
        for final, linears in zip(finals, self.bridge.values()):
            final = final.view(self.layers, self.directions, HIDDEN)
            # A layer that the encoder has not begins as its last one.
            of = [final[min(layer, self.layers - 1)].reshape(1, -1) for layer in range(len(linears))]
            states.append(torch.stack([torch.tanh(linear(f)) for linear, f in zip(linears, of)]))
        state = tuple(states) if self.lstm else states[0]
        return memory[0], (state, memory.new_zeros(1, DECODER))

    def step(self, memory, carried, unit):
        """Scores of the next unit, the weights of the source units, and what is carried on."""
        state, fed = carried
        embedded = self.decoder["embedding"](torch.tensor([unit]))
        output, state = self.decoder["rnn"](torch.cat([embedded, fed], 1)[None], state)
        h = output[0]
        keys = self.attention["memory"](memory)
        if "query" in self.attention:
            scores = self.attention["score"](torch.tanh(self.attention["query"](h) + keys))[:, 0]
        else:
            scores = keys @ h[0]
        weights = torch.softmax(scores, 0)
        tilde = torch.tanh(self.combine(torch.cat([(weights @ memory)[None], h], 1)))
        return self.fc(tilde)[0], weights, (state, tilde)

    def scores(self, source, target):
        memory, carried = self.begin(source)
        rows = []
        for unit in [START, *target[:-1].tolist()]:
            scores, _, carried = self.step(memory, carried, unit)
            rows.append(scores)
        return torch.stack(rows)


def search(model, source, beam, penalty):
    """The search of crates/kernels/src/seq2seq/decode.rs: (sum of log-probabilities, units, weights of each unit)."""
    memory, carried = model.begin(source)
    live, finished = [(0.0, [], [], carried)], []
    for time in range(LONGEST):
        extensions = []
        for score, units, weights, carried in live:
            scores, own, after = model.step(memory, carried, units[-1] if units else START)
            logs = torch.log_softmax(scores, 0).tolist()
            for unit in range(TARGETS):
                if unit != START:
                    extensions.append((score + logs[unit], units, weights, own, after, unit))
        extensions.sort(key=lambda one: -one[0])
        live = []
        for place, (score, units, weights, own, after, unit) in enumerate(extensions[: 2 * beam]):
            if unit == END:
                if place < beam:
                    finished.append((score, units, weights, len(units) + 1))
            elif len(live) < beam:
                live.append((score, units + [unit], weights + [own], after))
        if len(finished) >= beam:
            break
        if time + 1 == LONGEST:
            finished += [(score, units, weights, len(units)) for score, units, weights, _ in live]
    finished.sort(key=lambda one: -one[0] / one[3] ** penalty)
    return finished


def pairs(generator):
    def row(most, first, size):
        length = int(torch.randint(1, most + 1, (1,), generator=generator))
        return torch.randint(first, size, (length,), generator=generator)

    rows = []
    for _ in range(5):
        source, target = row(6, 0, SOURCES), row(5, 2, TARGETS)
        rows.append((source, torch.cat([target, torch.tensor([END])])))
    # A target of the end unit alone.
    rows[2] = (rows[2][0], torch.tensor([END]))
    return rows


def run(seed, case):
    torch.manual_seed(seed)
    model = Model(case["module"], case["layers"], case["decoder_layers"], case["bidirectional"], case["attention"])
    rows = pairs(torch.Generator().manual_seed(seed))
    # Larger weights than PyTorch's, so that the results of searches differ from row to row.
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(2.0)
    tensors = {f"initial.{key}": value.clone() for key, value in model.state_dict().items()}
    for name, side in [("sources", 0), ("targets", 1)]:
        tensors[name] = torch.cat([row[side] for row in rows])
        tensors[f"{name}.lengths"] = torch.tensor([len(row[side]) for row in rows])
    # In float64, so that the differences are the kernels' own.
    model.double()
    with torch.no_grad():
        logs = [torch.log_softmax(model.scores(*row), 1).gather(1, row[1][:, None])[:, 0] for row in rows]
        tensors["score"] = torch.cat(logs)
        for beam in [1, 3]:
            found = [search(model, source, beam, case["penalty"])[:beam] for source, _ in rows]
            results = [result for row in found for result in row]
            # Results of a row are told apart by far more than rounding.
            for row in found:
                normal = [score / length ** case["penalty"] for score, _, _, length in row]
                assert all(a - b > 1e-5 for a, b in zip(normal, normal[1:])), normal
            tensors[f"beam{beam}.units"] = torch.tensor([unit for result in results for unit in result[1]])
            tensors[f"beam{beam}.lengths"] = torch.tensor([len(result[1]) for result in results])
            tensors[f"beam{beam}.scores"] = torch.tensor([result[0] for result in results], dtype=torch.float64)
            weights = [own for result in results for own in result[2]]
            tensors[f"beam{beam}.alignments"] = torch.cat(weights)
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    if case["optimizer"] == "adam":
        optimizer = torch.optim.Adam(model.parameters(), 0.02)
    losses, total = [], sum(len(target) for _, target in rows)
    for step in range(STEPS):
        smoothing = case["smoothing"]
        sums = [
            nn.functional.cross_entropy(model.scores(*row), row[1], label_smoothing=smoothing, reduction="sum")
            for row in rows
        ]
        loss = sum(sums) / total
        optimizer.zero_grad()
        loss.backward()
        if case["clip"]:
            nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
        # What plain descent moves the weights by.
        if step == 0 and case["optimizer"] == "sgd":
            tensors |= {f"gradient.{key}": value.grad.clone() for key, value in model.named_parameters()}
        optimizer.step()
        losses.append(loss.item())
    tensors |= {f"final.{key}": value.clone() for key, value in model.state_dict().items()}
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    return tensors


cases, all_tensors = [], {}
for module, layers, decoder_layers, bidirectional, attention, optimizer, smoothing, clip, penalty in [
    ("LSTM", 1, 1, True, "luong", "sgd", 0.0, 0.0, 1.0),
    ("LSTM", 2, 2, True, "bahdanau", "sgd", 0.1, 0.0, 0.6),
    ("LSTM", 2, 1, False, "luong", "adam", 0.1, 0.5, 0.0),
    ("LSTM", 1, 2, False, "bahdanau", "adam", 0.0, 0.0, 1.0),
    ("GRU", 1, 1, True, "luong", "sgd", 0.0, 0.5, 1.0),
    ("GRU", 2, 2, False, "bahdanau", "adam", 0.1, 0.0, 1.0),
    ("RNN", 2, 2, True, "luong", "sgd", 0.0, 0.0, 0.6),
]:
    name = f"{module.lower()}{layers}{decoder_layers}_{attention}"
    case = {
        "name": name, "cell": module.lower(), "layers": layers, "decoder_layers": decoder_layers,
        "bidirectional": bidirectional, "attention": attention, "optimizer": optimizer, "smoothing": smoothing,
        "clip": clip, "penalty": penalty,
    }
    cases.append(case)
    for key, value in run(20 + len(cases), {**case, "module": module}).items():
        value = value.float() if value.is_floating_point() else value
        all_tensors[f"{name}/{key}"] = value.contiguous()
sizes = {
    "sources": SOURCES, "targets": TARGETS, "embedding": EMBEDDING, "target_embedding": TARGET_EMBEDDING,
    "hidden": HIDDEN, "decoder": DECODER, "start": START, "end": END, "longest": LONGEST, "steps": STEPS,
}
(out / "seq2seq.json").write_text(json.dumps({**sizes, "cases": cases}))
save_file(all_tensors, out / "seq2seq.safetensors")
