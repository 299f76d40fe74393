"""Writes test/fixtures/golden/printing.json: how PyTorch 2.11.0 prints tensors and optimizers.

Run with a Python that has torch==2.11.0:

    python scripts/golden/printing.py test/fixtures/golden
"""
import json
import math
import pathlib
import random
import sys

import torch


def plain(value):
    """A value for JSON, which has neither infinity nor NaN nor a negative zero."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and (not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0)):
        return "-0" if value == 0 else str(value)
    return value


def case(name, tensor, **options):
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"name": name, "dtype": dtype, "shape": list(tensor.shape), **options, "text": repr(tensor)}


def of(name, data, dtype=None, **options):
    """A tensor by its elements."""
    tensor = torch.tensor(data, dtype=dtype, **options)
    return case(name, tensor, values=plain(tensor.tolist()))


def counted(name, shape, factor=1.0, dtype=torch.float32):
    """A tensor with 0, factor, 2 * factor, ..."""
    tensor = (torch.arange(math.prod(shape), dtype=torch.float64) * factor).to(dtype).reshape(shape)
    return case(name, tensor, factor=factor)


inf, nan = math.inf, math.nan
tensors = [
    of("an integer", 2),
    of("a float", 1.5),
    of("a whole float", 3.0),
    of("a bool", True),
    of("a small float", 1e-5),
    of("zero", 0.0),
    of("a negative zero", -0.0),
    of("not a number", nan),
    of("infinities", [inf, -inf, 1.0]),
    of("infinities and fractions", [inf, nan, -1.25]),
    of("only zeros", [0.0, 0.0, -0.0]),
    of("integers", [[1, 20], [-300, 4]]),
    of("int32", [1, 2], torch.int32),
    of("bools", [[True, False], [False, False]]),
    of("whole floats", [[1.0, 2.0], [3.0, -4.0]]),
    of("fractions", [[1.5, -2.25], [1e-3, 100.0]]),
    of("float64", [1 / 3, 2 / 3], torch.float64),
    of("bfloat16", [1.5, -2.0, 0.333], torch.bfloat16),
    of("ties to even", [0.03125, 0.09375, -0.03125, 2.00005], torch.float64),
    of("ties to even, scientific", [100005.0, 100015.0, 0.5, 1.0], torch.float64),
    of("1000 to 1", [1000.0, 1.0, 0.5]),
    of("more than 1000 to 1", [1001.0, 1.0, 0.5]),
    of("whole, more than 1000 to 1", [1001.0, 1.0]),
    of("large", [1e8, 2e8]),
    of("very large", [1e30, -1e38]),
    of("very small", [1e-30, -1e-38]),
    of("9.99995e5", [999995.0, 1.0], torch.float64),
    of("large integers", [2**53 - 1, -(2**53) + 1, 0]),
    of("empty", []),
    of("empty integers", [], torch.int64),
    case("empty of two dimensions", torch.zeros(0, 3)),
    case("empty int64 of three dimensions", torch.zeros(2, 0, 3, dtype=torch.int64)),
    of("a long line", [i / 8 for i in range(25)]),
    of("long lines", [[i * 1.0 for i in range(40)], [-i * 100.0 for i in range(40)]]),
    of("three dimensions", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
    of("a column", [[1.0], [2.5], [3.0]]),
    of("one row of one", [[[0.5]]]),
    of("float64 at the end of a line", [i * 1.0 for i in range(13)], torch.float64),
    counted("1000 elements", [1000], dtype=torch.int64),
    counted("1001 elements", [1001], dtype=torch.int64),
    counted("1001 whole floats", [1001]),
    counted("a large vector", [5000], 0.5),
    counted("a large matrix", [40, 50], 0.25),
    counted("a large matrix of few rows", [4, 500], 0.001),
    counted("a large matrix of few columns", [500, 4]),
    counted("seven rows", [7, 200]),
    counted("six rows", [6, 200]),
    counted("a large tensor", [20, 10, 30], 0.125),
    counted("four dimensions", [2, 8, 7, 20]),
    counted("large float64", [30, 60], 1 / 3, torch.float64),
    counted("large bfloat16", [40, 40], 1.0, torch.bfloat16),
    counted("large int32", [2000], 3.0, torch.int32),
    counted("large bools", [2000], 1.0, torch.bool),
]
draw = random.Random(7)
for i in range(60):
    shape = [draw.randint(1, 4) for _ in range(draw.randint(1, 3))]
    scale, spread = draw.uniform(-6, 6), draw.choice([0, 0.5, 2, 4])
    count = math.prod(shape)
    values = [draw.choice([-1, 1]) * 10 ** (scale + draw.uniform(-spread, spread)) for _ in range(count)]
    values = [draw.choice([0.0, inf, nan, round(value)]) if draw.random() < 0.1 else value for value in values]
    dtype = draw.choice([torch.float32, torch.float64, torch.bfloat16])
    tensor = torch.tensor(values, dtype=dtype).reshape(shape)
    tensors.append(case(f"drawn {i}", tensor, values=plain(tensor.tolist())))

x = torch.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True)
long = torch.tensor([i * 1.0 for i in range(13)], dtype=torch.float64, requires_grad=True)
recorded = {
    "leaf": repr(x),
    "product": repr(x * 2),
    "sum of two": repr(x + 1.5),
    "sum": repr((x * x).sum()),
    "long": repr(long),
    "parameter": repr(torch.nn.Parameter(torch.tensor([1.0, 2.0]))),
    "frozen": repr(torch.nn.Parameter(torch.tensor([1.0, 2.0]), requires_grad=False)),
}

weight = [torch.nn.Parameter(torch.zeros(1))]
other = [torch.nn.Parameter(torch.zeros(1))]
scheduled = torch.optim.SGD(weight, lr=0.1, momentum=0.9, nesterov=True)
torch.optim.lr_scheduler.StepLR(scheduled, step_size=1)
optimizers = {
    "Adam": repr(torch.optim.Adam(weight, lr=0.01, betas=(0.8, 0.99), amsgrad=True)),
    "AdamW": repr(torch.optim.AdamW(weight)),
    "SGD with a schedule": repr(scheduled),
    "two groups": repr(torch.optim.SGD([{"params": weight}, {"params": other, "lr": 1e-7}], lr=0.1, weight_decay=1e-4)),
}
path = pathlib.Path(sys.argv[1]) / "printing.json"
path.write_text(json.dumps({"tensors": tensors, "recorded": recorded, "optimizers": optimizers}, indent=1) + "\n")
