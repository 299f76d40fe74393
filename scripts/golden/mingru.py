"""Writes the fixtures of crates/kernels/tests/mingru.rs: the minGRU of Feng et al. (2024), "Were RNNs All We Needed?", equation
by equation in PyTorch, with its gradients by autograd.

    z = sigmoid(W_z x + b_z),  n = W_n x + b_n,  h' = (1 - z) h + z n

Run with a Python that has torch==2.11.0, numpy and safetensors:

    python scripts/golden/mingru.py test/fixtures/golden

The weights are float32; everything is computed in float64, so that what is compared is only the other side's rounding.
Rows are longest first, and packed: position by position, all rows that are long enough.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(11)
INPUT, HIDDEN, CLASSES, VOCAB = 5, 6, 3, 14
LENGTHS = [7, 4, 4, 1]
TOKENS = [4, 9, 0, 12, 4, 1, 7]


def draw(*shape):
    return torch.randn(*shape).float().double().requires_grad_()


def parameters(layers, directions, bias):
    """`weight_ih` [2 hidden, input] and `bias_ih` [2 hidden] of each layer and direction: z before n. Nothing recurrent."""
    made = {}
    for layer in range(layers):
        for suffix in ["", "_reverse"][:directions]:
            width = INPUT if layer == 0 else HIDDEN * directions
            made[f"weight_ih_l{layer}{suffix}"] = draw(2 * HIDDEN, width)
            if bias:
                made[f"bias_ih_l{layer}{suffix}"] = draw(2 * HIDDEN)
    return made


def run(x, h0, params, layers, directions):
    """One sequence `[length, input]`; returns the outputs and the final states `[layers * directions, hidden]`."""
    final = []
    for layer in range(layers):
        outputs = []
        for direction, suffix in enumerate(["", "_reverse"][:directions]):
            gates = x @ params[f"weight_ih_l{layer}{suffix}"].T + params.get(f"bias_ih_l{layer}{suffix}", 0.0)
            z, n = torch.sigmoid(gates[:, :HIDDEN]), gates[:, HIDDEN:]
            h, steps = h0[layer * directions + direction], [None] * len(x)
            for t in reversed(range(len(x))) if direction else range(len(x)):
                h = (1 - z[t]) * h + z[t] * n[t]
                steps[t] = h
            outputs.append(torch.stack(steps))
            final.append(h)
        x = torch.cat(outputs, 1)
    return x, torch.stack(final)


def packed(rows):
    return torch.stack([row[t] for t in range(LENGTHS[0]) for row in rows if t < len(row)])


cases, tensors = [], {}
for layers, bidirectional, bias in [(1, False, True), (1, True, False), (2, True, True), (3, False, True)]:
    directions = 2 if bidirectional else 1
    name = f"{layers}{'_bidirectional' if bidirectional else ''}{'' if bias else '_no_bias'}"
    params = parameters(layers, directions, bias)
    inputs = [draw(length, INPUT) for length in LENGTHS]
    h0 = draw(layers * directions, len(LENGTHS), HIDDEN)
    results = [run(x, h0[:, row], params, layers, directions) for row, x in enumerate(inputs)]
    y, hn = packed([y for y, _ in results]), torch.stack([h for _, h in results], 1)
    dy, dhn = torch.randn_like(y).float().double(), torch.randn_like(hn).float().double()
    ((y * dy).sum() + (hn * dhn).sum()).backward()
    store = {"x": packed(inputs), "h0": h0, "y": y, "hn": hn, "dy": dy, "dhn": dhn}
    store |= {"dx": packed([x.grad for x in inputs]), "dh0": h0.grad}
    store |= {key: value for key, value in params.items()} | {f"d.{key}": value.grad for key, value in params.items()}
    tensors |= {f"{name}/{key}": value.detach().float().contiguous() for key, value in store.items()}
    cases.append(dict(name=name, numLayers=layers, bidirectional=bidirectional, bias=bias))

# A whole classifier: mean pooling over two layers, and what each token adds to each logit.
embedding, params = draw(VOCAB, INPUT), parameters(2, 2, True)
weight, bias = draw(CLASSES, 2 * HIDDEN), draw(CLASSES)
x = embedding.detach()[TOKENS].clone().requires_grad_()
y, _ = run(x, torch.zeros(4, HIDDEN).double(), params, 2, 2)
logits = weight @ y.mean(0) + bias
model = {"embedding.weight": embedding, "fc.weight": weight, "fc.bias": bias} | {f"rnn.{k}": v for k, v in params.items()}
model["logits"] = logits
for label in range(CLASSES):
    (gradient,) = torch.autograd.grad(logits[label], x, retain_graph=True)
    model[f"contributions.{label}"] = (gradient * x).sum(1)
tensors |= {f"classifier/{key}": value.detach().float().contiguous() for key, value in model.items()}
save_file(tensors, out / "mingru.safetensors")
sizes = dict(inputSize=INPUT, hiddenSize=HIDDEN, numClasses=CLASSES, vocabSize=VOCAB, lengths=LENGTHS, tokens=TOKENS)
(out / "mingru.json").write_text(json.dumps(dict(**sizes, cases=cases), indent=1) + "\n")
