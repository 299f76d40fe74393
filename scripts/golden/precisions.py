"""Writes test/fixtures/golden/precision_*.safetensors: weights in other precisions, and in float32 as PyTorch 2.11.0 loads them.

Run with a Python that has torch==2.11.0 and safetensors:

    python scripts/golden/precisions.py test/fixtures/golden
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.manual_seed(5)
source = torch.nn.Linear(4, 3, dtype=torch.float64)
with torch.no_grad():
    # Beyond the digits of float32, below the normal numbers of float16, and the ends of its range.
    source.weight.view(-1)[:8] = torch.tensor([1 + 2**-30, 1 / 3, 2**-24, 3 * 2**-20, 65504.0, -65504.0, 0.0, -(2**-14)])
tensors = {}
for name, dtype in {"float16": torch.float16, "float64": torch.float64, "bfloat16": torch.bfloat16}.items():
    state = {key: value.to(dtype) for key, value in source.state_dict().items()}
    save_file(state, out / f"precision_{name}.safetensors")
    layer = torch.nn.Linear(4, 3)
    layer.load_state_dict(state)
    for key, value in layer.state_dict().items():
        tensors[f"{name}.{key}"] = value.clone()
save_file(tensors, out / "precision_loaded.safetensors")
