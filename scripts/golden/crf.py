"""Writes the fixtures of crates/kernels/tests/crf.rs: losses, gradients, marginals and best paths of pytorch-crf.

Run with a Python that has torch==2.11.0, pytorch-crf==0.7.2 and safetensors:

    python scripts/golden/crf.py test/fixtures/golden

Weights and scores are float32; everything is computed in float64, so that what is compared is only the other side's rounding.
Rows are longest first, and packed: position by position, all rows that are long enough. pytorch-crf forbids no transition:
where a case does, its score is -10,000 here, whose exponential is zero.
"""
import json
import pathlib
import sys

import torch
from importlib.metadata import version
from safetensors.torch import save_file
from torchcrf import CRF

from paths import allowed_path

assert torch.__version__.startswith("2.11.0"), torch.__version__
assert version("pytorch-crf") == "0.7.2", version("pytorch-crf")
out = pathlib.Path(sys.argv[1])
torch.manual_seed(18)
NEVER = -10_000.0
CASES = [
    # name, tags, lengths, scale of the emissions, of the transitions, share of forbidden transitions
    ("small", 5, [6, 4, 4, 1], 1.0, 1.0, 0.0),
    ("one tag", 1, [3, 1], 1.0, 1.0, 0.0),
    ("vectors", 17, [9, 7, 2], 2.0, 1.0, 0.0),
    ("many", 37, [5, 3], 1.0, 2.0, 0.0),
    ("extreme", 7, [12, 8, 3], 60.0, 30.0, 0.0),
    ("forbidden", 9, [8, 5, 5, 1], 2.0, 1.0, 0.4),
    ("forbidden, extreme", 20, [10, 6], 40.0, 10.0, 0.5),
    ("long", 4, [300, 2], 3.0, 2.0, 0.3),
]
arrays, cases = {}, []


for name, tags, lengths, emission, transition, share in CASES:
    allowed = {"start": torch.rand(tags) >= share, "end": torch.rand(tags) >= share, "between": torch.rand(tags, tags) >= share}
    for what in allowed.values():
        what.view(-1)[0] = True
    allowed["between"][0, :] = True
    allowed["between"][:, 0] = True
    crf = CRF(tags).double()
    parameters = {"start": crf.start_transitions, "end": crf.end_transitions, "between": crf.transitions}
    for key, parameter in parameters.items():
        values = (transition * torch.randn(parameter.shape)).float()
        arrays[f"{name}/{key}"] = values
        parameter.data = torch.where(allowed[key], values.double(), NEVER)
    longest, rows = lengths[0], len(lengths)
    mask = torch.tensor([[t < length for length in lengths] for t in range(longest)])
    scores = (emission * torch.randn(longest, rows, tags)).float()
    emissions = scores.double().requires_grad_()
    paths = [allowed_path(allowed, length, tags) for length in lengths]
    gold = torch.tensor([[path[t] if t < len(path) else 0 for path in paths] for t in range(longest)])
    losses = -crf(emissions, gold, mask, reduction="none")
    losses.sum().backward()
    packed = lambda values: values[mask].contiguous()
    arrays[f"{name}/emissions"] = packed(scores)
    arrays[f"{name}/d_emissions"] = packed(emissions.grad).float()
    for key, parameter in parameters.items():
        arrays[f"{name}/d_{key}"] = parameter.grad.float()
    free = scores.double().requires_grad_()
    normalizer = crf._compute_normalizer(free, mask)
    normalizer.sum().backward()
    arrays[f"{name}/marginals"] = packed(free.grad).float()
    best = crf.decode(scores.double(), mask)
    best = torch.tensor([[path[t] if t < len(path) else 0 for path in best] for t in range(longest)])
    flags = lambda what: [int(flag) for flag in what.view(-1)]
    cases.append(dict(
        name=name, tags=tags, lengths=lengths, losses=losses.tolist(), normalizers=normalizer.tolist(),
        gold=packed(gold).tolist(), best=packed(best).tolist(),
        allowed={key: flags(what) for key, what in allowed.items()} if share else None))
save_file(arrays, str(out / "crf.safetensors"))
(out / "crf.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
