"""The network of recurra's Seq2Seq in PyTorch, for speed: answers a JSON object a line, `python network.py THREADS`.

What steps share is computed once: the embeddings of all target units, keys and values of the memory, and the scores of all units. `load`
names a folder with the data and the weights; `loss` is that of the first batch, by which both sides show that they compute the same.
"""
import json
import pathlib
import platform
import statistics
import sys
import time
import traceback

import numpy
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

START, END = 0, 1


class Network(nn.Module):
    def __init__(self, spec):
        super().__init__()
        rnn, hidden, embedding = getattr(nn, spec["cell"].upper()), spec["hidden"], spec["embedding"]
        self.lstm, self.settings = spec["cell"] == "lstm", spec["settings"]
        self.encoder = nn.ModuleDict({
            "embedding": nn.Embedding(spec["sources"], embedding),
            "rnn": rnn(embedding, hidden, batch_first=True, bidirectional=True),
        })
        states = ["h", "c"] if self.lstm else ["h"]
        self.bridge = nn.ModuleDict({state: nn.ModuleList([nn.Linear(2 * hidden, hidden)]) for state in states})
        self.decoder = nn.ModuleDict({
            "embedding": nn.Embedding(spec["targets"], embedding),
            "rnn": rnn(embedding + hidden, hidden, batch_first=True),
        })
        bahdanau = spec["attention"] == "bahdanau"
        scores = {"memory": nn.Linear(2 * hidden, hidden, bias=bahdanau)}
        if bahdanau:
            scores |= {"query": nn.Linear(hidden, hidden, bias=False), "score": nn.Linear(hidden, 1, bias=False)}
        self.attention = nn.ModuleDict(scores)
        self.combine = nn.Linear(3 * hidden, hidden)
        self.fc = nn.Linear(hidden, spec["targets"])

    def begin(self, source, lengths):
        """Keys, values and mask of the memory, the decoder's first states, and its first input."""
        x = self.encoder["embedding"](source)
        equal = bool((lengths == source.shape[1]).all())
        if equal or self.settings["encoder"] == "padded":
            memory, finals = self.encoder["rnn"](x)
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            memory, finals = self.encoder["rnn"](packed)
            memory, _ = pad_packed_sequence(memory, batch_first=True)
        finals = finals if self.lstm else (finals,)
        state = tuple(
            torch.tanh(linears[0](torch.cat([final[0], final[1]], 1)))
            for final, linears in zip(finals, self.bridge.values(), strict=True)
        )
        keys = self.attention["memory"](memory)
        values = nn.functional.linear(memory, self.combine.weight[:, : memory.shape[2]])
        mask = None if equal else torch.arange(memory.shape[1])[None] >= lengths[:, None]
        return (keys, values, mask), state, memory.new_zeros(len(source), keys.shape[2])

    def cell(self, x, state):
        """One step of the decoder's layer."""
        rnn = self.decoder["rnn"]
        if self.settings["step"] == "layer":
            whole = tuple(part[None] for part in state) if self.lstm else state[0][None]
            output, whole = rnn(x[:, None], whole)
            return output[:, 0], tuple(part[0] for part in whole) if self.lstm else (whole[0],)
        weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        if self.lstm:
            state = torch.lstm_cell(x, state, *weights)
        else:
            state = (torch.gru_cell(x, state[0], *weights),)
        return state[0], state

    def step(self, memory, embedded, state, fed):
        keys, values, mask = memory
        h, state = self.cell(torch.cat([embedded, fed], 1), state)
        if "query" in self.attention:
            scores = self.attention["score"](torch.tanh(self.attention["query"](h)[:, None] + keys))[..., 0]
        else:
            scores = torch.bmm(keys, h[:, :, None])[..., 0]
        if mask is not None:
            scores = scores.masked_fill(mask, -torch.inf)
        context = torch.bmm(torch.softmax(scores, 1)[:, None], values)[:, 0]
        own = nn.functional.linear(h, self.combine.weight[:, -h.shape[1] :], self.combine.bias)
        return torch.tanh(context + own), state

    def loss(self, source, lengths, inputs, targets):
        memory, state, fed = self.begin(source, lengths)
        outputs = []
        for embedded in self.decoder["embedding"](inputs).unbind(1):
            fed, state = self.step(memory, embedded, state, fed)
            outputs.append(fed)
        scores = self.fc(torch.stack(outputs, 1))
        return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=-1)

    @torch.no_grad()
    def greedy(self, source, lengths, most):
        memory, state, fed = self.begin(source, lengths)
        units = source.new_full((len(source),), START)
        found, live = [], torch.ones(len(source), dtype=torch.bool)
        for _ in range(most):
            fed, state = self.step(memory, self.decoder["embedding"](units), state, fed)
            scores = self.fc(fed)
            scores[:, START] = -torch.inf
            units = scores.argmax(1)
            found.append(units)
            live &= units != END
            if not bool(live.any()):
                break
        return torch.stack(found, 1)


def batch(rows):
    """Padded tensors of pairs: sources, their lengths, what the decoder reads, and the units that should follow."""
    lengths = torch.tensor([len(source) for source, _ in rows])
    source = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    longest = max(len(target) for _, target in rows)
    inputs = torch.zeros(len(rows), longest, dtype=torch.long)
    targets = torch.full((len(rows), longest), -1, dtype=torch.long)
    for i, (own, target) in enumerate(rows):
        source[i, : len(own)] = torch.tensor(own)
        inputs[i, : len(target)] = torch.tensor([START, *target[:-1]])
        targets[i, : len(target)] = torch.tensor(target)
    return source, lengths, inputs, targets


class Program:
    def __init__(self, spec):
        folder = pathlib.Path(spec["folder"])
        data = json.loads((folder / "pairs.json").read_text())
        self.spec, self.network = spec, Network(spec)
        state = {}
        values = numpy.fromfile(folder / "weights.f32", dtype="<f4")
        for name, shape, start in json.loads((folder / "weights.json").read_text()):
            count = int(numpy.prod(shape))
            state[name] = torch.from_numpy(values[start : start + count].reshape(shape).copy())
        self.network.load_state_dict(state)
        rows, size = data["train"], spec["batch"]
        self.batches = [batch(rows[at : at + size]) for at in range(0, len(rows), size)]
        self.next = 0
        self.words = [batch(data["words"][at : at + 64])[:2] for at in range(0, len(data["words"]), 64)]
        self.count, self.one, self.most = len(data["words"]), batch(data["one"])[:2], spec["longest"]
        self.adam = torch.optim.Adam(self.network.parameters(), lr=1e-3, fused=True)

    def step(self, one):
        loss = self.network.loss(*one)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.adam.step()
        return len(one[0])

    def loss(self):
        with torch.no_grad():
            return self.network.loss(*self.batches[0]).item()

    def train(self, seconds):
        """Pairs a second."""
        def some():
            self.next += 1
            return self.step(self.batches[self.next % len(self.batches)])

        return rate(some, seconds)

    def answer_one(self, seconds):
        """Median microseconds of one word."""
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 10:
            begun = time.perf_counter()
            self.network.greedy(*self.one, self.most)
            times.append(time.perf_counter() - begun)
        return 1e6 * statistics.median(times[len(times) // 10 :])

    def answer_many(self, seconds):
        """Words a second."""
        def all_words():
            for words in self.words:
                self.network.greedy(*words, self.most)
            return self.count

        return rate(all_words, seconds)


def rate(call, seconds):
    """What a call says that it did, a second, once the first call has warmed up."""
    call()
    done, begun = 0, time.perf_counter()
    while True:
        done += call()
        passed = time.perf_counter() - begun
        if passed >= seconds:
            return done / passed


program = None


def handle(request):
    global program
    method = request["method"]
    if method == "hello":
        return {"python": platform.python_version(), "torch": torch.__version__}
    if method == "load":
        program = Program(request)
        return None
    if method == "threads":
        torch.set_num_threads(request["threads"])
        return None
    if method == "loss":
        return program.loss()
    return {"train": program.train, "one": program.answer_one, "many": program.answer_many}[method](request["seconds"])


answers, sys.stdout = sys.stdout, sys.stderr
torch.set_num_threads(int(sys.argv[1]))
for line in sys.stdin:
    try:
        answer = {"result": handle(json.loads(line))}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
