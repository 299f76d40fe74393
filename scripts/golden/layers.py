"""Writes the small fixtures of test/nn and test/optim: what PyTorch 2.11.0 (CPU) computes.

Run with a Python that has torch==2.11.0, numpy and safetensors:

    python scripts/golden/layers.py test/fixtures/golden
"""
import json
import math
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)


def initial_weights():
    """Initial weights of each layer right after torch.manual_seed(7), and a model of several layers after seed 3."""
    layers = {
        "embedding": lambda: torch.nn.Embedding(9, 5),
        "embedding_padding": lambda: torch.nn.Embedding(9, 5, padding_idx=1),
        "embedding_bag": lambda: torch.nn.EmbeddingBag(9, 5),
        "linear": lambda: torch.nn.Linear(6, 4),
        "linear_no_bias": lambda: torch.nn.Linear(20, 3, bias=False),
        "rnn": lambda: torch.nn.RNN(5, 4, num_layers=2),
        "lstm": lambda: torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True),
        "lstm_projection": lambda: torch.nn.LSTM(5, 4, proj_size=3),
        "gru_no_bias": lambda: torch.nn.GRU(5, 4, bias=False),
        "rnn_cell": lambda: torch.nn.RNNCell(5, 4),
        "lstm_cell": lambda: torch.nn.LSTMCell(5, 4),
        "gru_cell": lambda: torch.nn.GRUCell(5, 4),
        "rnn_double": lambda: torch.nn.RNN(5, 4, dtype=torch.float64),
    }
    tensors = {}
    for name, make in layers.items():
        torch.manual_seed(7)
        for key, value in make().state_dict().items():
            tensors[f"{name}.{key}"] = value

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(30, 8)
            self.rnn = torch.nn.LSTM(8, 4, batch_first=True)
            self.fc = torch.nn.Linear(4, 3)

    torch.manual_seed(3)
    for key, value in Net().state_dict().items():
        tensors[f"net.{key}"] = value
    torch.manual_seed(11)
    tensors["draws.rand"] = torch.rand(7)
    tensors["draws.randn"] = torch.randn(20)
    tensors["draws.randint"] = torch.randint(-3, 12, (9,))
    tensors["draws.randperm"] = torch.randperm(13)
    tensors["draws.dropout"] = torch.nn.functional.dropout(torch.ones(40), 0.3)
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "initial_weights.safetensors")


def cells():
    """One step of each cell: values and gradients of sum(h * weight_on_h) (+ sum(c * weight_on_c))."""
    g = torch.Generator().manual_seed(1)
    tensors = {}
    makers = {
        "rnn_tanh": lambda: torch.nn.RNNCell(5, 4),
        "rnn_relu": lambda: torch.nn.RNNCell(5, 4, nonlinearity="relu"),
        "lstm": lambda: torch.nn.LSTMCell(5, 4),
        "gru": lambda: torch.nn.GRUCell(5, 4),
        "gru_no_bias": lambda: torch.nn.GRUCell(5, 4, bias=False),
    }
    for name, make in makers.items():
        cell = make()
        with torch.no_grad():
            for p in cell.parameters():
                p.copy_(torch.rand(p.shape, generator=g) - 0.5)
        x = (torch.rand(3, 5, generator=g) - 0.5).requires_grad_()
        states = [(torch.rand(3, 4, generator=g) - 0.5).requires_grad_() for _ in range(2 if name == "lstm" else 1)]
        result = cell(x, tuple(states) if name == "lstm" else states[0])
        result = list(result) if name == "lstm" else [result]
        loss = 0
        for letter, state, value in zip("hc", states, result):
            weight = torch.rand(value.shape, generator=g)
            loss = loss + (value * weight).sum()
            tensors |= {f"{name}.{letter}0": state, f"{name}.{letter}": value, f"{name}.weight_on_{letter}": weight}
        loss.backward()
        tensors |= {f"{name}.x": x, f"{name}.grad.x": x.grad}
        for letter, state in zip("hc", states):
            tensors[f"{name}.grad.{letter}0"] = state.grad
        for key, p in cell.named_parameters():
            tensors |= {f"{name}.param.{key}": p, f"{name}.grad.param.{key}": p.grad}
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, out / "cells.safetensors")


def functional():
    """Losses and embeddings with their gradients."""
    g = torch.Generator().manual_seed(2)
    F = torch.nn.functional
    t = {}
    logits = torch.randn(6, 4, generator=g).requires_grad_()
    target = torch.tensor([0, 3, 1, -100, 2, 1])
    weight = torch.rand(4, generator=g) + 0.5
    t |= {"logits": logits, "target": target, "class_weight": weight}
    for name, kw in {
        "mean": {},
        "sum": {"reduction": "sum"},
        "none": {"reduction": "none"},
        "weight": {"weight": weight},
        "smoothing": {"label_smoothing": 0.2},
        "weight_smoothing": {"weight": weight, "label_smoothing": 0.1},
    }.items():
        loss = F.cross_entropy(logits, target, **kw)
        (grad,) = torch.autograd.grad(loss.sum(), logits)
        t |= {f"loss.{name}": loss, f"grad.{name}": grad}
    table = torch.randn(10, 3, generator=g).requires_grad_()
    ids = torch.tensor([1, 2, 4, 5, 4, 3, 2, 9, 0, 2])
    offsets = torch.tensor([0, 3, 3, 7])
    per_sample = torch.rand(10, generator=g)
    upstream = torch.randn(4, 3, generator=g)
    t |= {"table": table, "ids": ids, "offsets": offsets, "per_sample": per_sample, "upstream": upstream}
    for name, kw in {
        "sum": {"mode": "sum"},
        "mean": {"mode": "mean"},
        "max": {"mode": "max"},
        "padding": {"mode": "mean", "padding_idx": 2},
        "weighted": {"mode": "sum", "per_sample_weights": per_sample},
    }.items():
        bags = F.embedding_bag(ids, table, offsets, **kw)
        (grad,) = torch.autograd.grad((bags * upstream).sum(), table)
        t |= {f"bag.{name}": bags, f"grad.bag.{name}": grad}
    save_file({k: v.detach().contiguous() for k, v in t.items()}, out / "functional.safetensors")


def optimizers():
    """30 steps with prescribed gradients; the parameter after steps 1, 2, 10 and 30, in two groups with their own learning rates."""
    g = torch.Generator().manual_seed(5)
    start = torch.rand(4, 3, generator=g) - 0.5
    grads = torch.randn(30, 4, 3, generator=g)
    tensors = {"start": start, "grads": grads}
    index = {}
    for name, (kind, kw) in {
        "adam": ("Adam", {}),
        "adam_decay": ("Adam", {"weight_decay": 0.1}),
        "adam_amsgrad": ("Adam", {"amsgrad": True, "lr": 0.02}),
        "adam_betas": ("Adam", {"betas": (0.8, 0.9), "eps": 1e-3}),
        "adam_maximize": ("Adam", {"maximize": True}),
        "adamw": ("AdamW", {}),
        "adamw_amsgrad": ("AdamW", {"amsgrad": True, "weight_decay": 0.2}),
        "sgd": ("SGD", {}),
        "sgd_decay": ("SGD", {"weight_decay": 0.1, "lr": 0.1}),
        "sgd_momentum": ("SGD", {"momentum": 0.9}),
        "sgd_dampening": ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
        "sgd_nesterov": ("SGD", {"momentum": 0.8, "nesterov": True}),
        "sgd_maximize": ("SGD", {"momentum": 0.8, "maximize": True}),
    }.items():
        a = torch.nn.Parameter(start.clone())
        b = torch.nn.Parameter(start.clone())
        opt = getattr(torch.optim, kind)([{"params": [a]}, {"params": [b], "lr": 0.05}], **kw)
        for step in range(30):
            a.grad = grads[step].clone()
            b.grad = grads[step].clone() if step % 3 != 1 else None  # a parameter without gradient stays
            opt.step()
            if step + 1 in (1, 2, 10, 30):
                tensors[f"{name}.a.{step + 1}"] = a.detach().clone()
                tensors[f"{name}.b.{step + 1}"] = b.detach().clone()
        for key, value in opt.state_dict()["state"].get(0, {}).items():
            if value is not None:
                tensors[f"{name}.state.{key}"] = value.clone()
        index[name] = {"kind": kind, "options": kw}
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "optimizers.safetensors")
    (out / "optimizers.json").write_text(json.dumps(index, indent=1) + "\n")


def schedulers():
    """Learning rates (and momenta) after each step, from the beginning."""
    index = []

    def run(kind, kw, steps, optimizer="SGD", metrics=None, lrs=(0.1, 0.03)):
        params = [torch.nn.Parameter(torch.zeros(1)) for _ in lrs]
        groups = [{"params": [p], "lr": lr} for p, lr in zip(params, lrs)]
        opt = torch.optim.SGD(groups, momentum=0.9) if optimizer == "SGD" else torch.optim.Adam(groups)
        sched = getattr(torch.optim.lr_scheduler, kind)(opt, **kw)
        momenta = lambda: [g["momentum"] if optimizer == "SGD" else g["betas"][0] for g in opt.param_groups]
        values, momentum = [[g["lr"] for g in opt.param_groups]], [momenta()]
        for step in range(steps):
            opt.step()
            sched.step(*([] if metrics is None else [metrics[step]]))
            values.append([g["lr"] for g in opt.param_groups])
            momentum.append(momenta())
        index.append(dict(kind=kind, options=kw, optimizer=optimizer, lrs=list(lrs), metrics=metrics, values=values, momenta=momentum))

    run("StepLR", {"step_size": 4, "gamma": 0.5}, 14)
    run("StepLR", {"step_size": 1}, 4)
    run("CosineAnnealingLR", {"T_max": 10}, 35)
    run("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}, 24)
    run("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.001}, 5)
    run("OneCycleLR", {"max_lr": 0.5, "total_steps": 20}, 19)
    run("OneCycleLR", {"max_lr": [0.5, 0.2], "epochs": 4, "steps_per_epoch": 6, "anneal_strategy": "linear", "three_phase": True}, 23, optimizer="Adam")
    run("OneCycleLR", {"max_lr": 0.3, "total_steps": 15, "pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0, "cycle_momentum": False}, 14)
    losses = [1.0, 0.9, 0.95, 0.9, 0.91, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    run("ReduceLROnPlateau", {"patience": 1}, len(losses), metrics=losses)
    run("ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": [0.02, 0.001], "threshold": 0.05, "threshold_mode": "abs"}, len(losses), metrics=losses)
    run("ReduceLROnPlateau", {"mode": "max", "patience": 2, "factor": 0.3}, len(losses), metrics=[math.sin(i) for i in range(len(losses))])
    (out / "schedulers.json").write_text(json.dumps(index) + "\n")


initial_weights()
cells()
functional()
optimizers()
schedulers()
