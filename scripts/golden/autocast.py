"""Writes the fixture of test/amp/golden.test.ts: what PyTorch 2.11.0 computes under torch.autocast in bfloat16 on the CPU.

Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/autocast.py test/fixtures/golden
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
VOCABULARY, WORDS, HIDDEN, CLASSES, ROWS, STEPS = 20, 6, 5, 3, 4, 7
CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
LENGTHS = {"packed": [5, 7, 1, 3], "padded": [STEPS] * ROWS}


class Net(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, WORDS)
        self.rnn = CELLS[cell](WORDS, HIDDEN, batch_first=True)
        self.fc = torch.nn.Linear(HIDDEN, CLASSES)

    def forward(self, ids, lengths):
        # oneDNN's LSTM in bfloat16, which PyTorch takes for padded rows, there is on some processors only. Packed rows of one length are
        # the same rows everywhere.
        if isinstance(self.rnn, torch.nn.LSTM) or len(set(lengths)) > 1:
            packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
            output, state = self.rnn(packed)
            output, _ = pad_packed_sequence(output, batch_first=True)
        else:
            output, state = self.rnn(self.embedding(ids))
        h = state[0] if isinstance(state, tuple) else state
        return output, h, self.fc(h[-1])


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


cases, tensors = [], {}
for number, (cell, layout) in enumerate((cell, layout) for cell in CELLS for layout in LENGTHS):
    torch.manual_seed(100 + number)
    net, lengths = Net(cell), LENGTHS[layout]
    ids = torch.randint(0, VOCABULARY, (ROWS, STEPS))
    labels = torch.randint(0, CLASSES, (ROWS,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, h, logits = net(ids, lengths)
        loss = cross_entropy(logits, labels)
    loss.backward()
    with torch.no_grad():
        exact = cross_entropy(net(ids, lengths)[2], labels)
    case = f"{cell}_{layout}"
    cases.append({
        "name": case,
        "cell": cell,
        "packed": layout == "packed",
        "lengths": lengths,
        "dtypes": {key: name_of(value.dtype) for key, value in
                   {"output": output, "h": h, "logits": logits, "loss": loss, "grad": net.fc.weight.grad}.items()},
        "loss": loss.item(),
        "lossInFloat32": exact.item(),
    })
    values = {"ids": ids, "labels": labels, "output": output, "h": h, "logits": logits}
    values |= {f"param.{name}": value for name, value in net.named_parameters()}
    values |= {f"grad.{name}": value.grad for name, value in net.named_parameters()}
    tensors |= {f"{case}.{name}": value.detach().contiguous() for name, value in values.items()}

save_file(tensors, out / "autocast.safetensors")
(out / "autocast.json").write_text(json.dumps(cases, indent=1) + "\n")
