"""A language model in PyTorch, as the example `word_language_model` has it: Embedding, LSTM, Linear, windows with carried states.

Answers the requests of the language models' benchmark, a JSON object a line: `python network.py THREADS wall|cpu`. `train` gives characters a
second, `generate` microseconds a character.
"""
import json
import sys
import time
import traceback

import torch

UNITS, STREAMS, WINDOW, LAYERS = 67, 32, 64, 2
threads = int(sys.argv[1])
# With another clock than the wall's, the processor time of all threads.
clock = time.process_time if sys.argv[2] == "cpu" else time.perf_counter
torch.set_num_threads(threads)


class Network(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = torch.nn.Embedding(UNITS, hidden)
        self.lstm = torch.nn.LSTM(hidden, hidden, LAYERS)
        self.fc = torch.nn.Linear(hidden, UNITS)

    def forward(self, units, state):
        outputs, state = self.lstm(self.embedding(units), state)
        return self.fc(outputs), state


networks = {}


def trained(hidden):
    """Network, fused Adam, and windows that are ready as tensors."""
    if hidden not in networks:
        torch.manual_seed(1)
        network = Network(hidden)
        adam = torch.optim.Adam(network.parameters(), lr=4e-3, fused=True)
        streams = torch.randint(2, UNITS, (8 * WINDOW + 1, STREAMS))
        windows = [(streams[at : at + WINDOW], streams[at + 1 : at + WINDOW + 1]) for at in range(0, 8 * WINDOW, WINDOW)]
        networks[hidden] = network, adam, windows
    return networks[hidden]


def train(hidden, onednn, seconds):
    network, adam, windows = trained(hidden)
    network.train()
    state, steps, total = None, 0, torch.zeros(())
    with torch.backends.mkldnn.flags(enabled=onednn):
        begun = None
        while begun is None or clock() - begun < seconds:
            for units, targets in windows:
                scores, state = network(units, state)
                loss = torch.nn.functional.cross_entropy(scores.view(-1, UNITS), targets.reshape(-1))
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                adam.step()
                total += loss.detach()
                state = tuple(part.detach() for part in state)
            if begun is None:
                begun = clock()
            else:
                steps += len(windows)
        return steps * WINDOW * STREAMS / (clock() - begun)


@torch.no_grad()
def generate(hidden, onednn, seconds):
    network, _, _ = trained(hidden)
    network.eval()
    unit, state, written = torch.ones(1, 1, dtype=torch.long), None, 0
    with torch.backends.mkldnn.flags(enabled=onednn):
        begun = None
        while begun is None or clock() - begun < seconds:
            for _ in range(200):
                scores, state = network(unit, state)
                unit = torch.multinomial(torch.softmax(scores[0], -1), 1)
            if begun is None:
                begun = clock()
            else:
                written += 200
        return 1e6 * (clock() - begun) / written


def handle(request):
    method = request.pop("method")
    if method == "hello":
        return {"PyTorch": torch.__version__}
    return {"train": train, "generate": generate}[method](**request)


for line in sys.stdin:
    try:
        answer = {"result": handle(json.loads(line))}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
