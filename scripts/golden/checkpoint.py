"""Writes test/fixtures/golden/checkpoint-*.pt, checkpoints of PyTorch 2.11.0 with its optimizers' states, and checkpoint.json: the losses
and weights of the trainings that continue from there.

Run with a Python that has torch==2.11.0:

    python scripts/golden/checkpoint.py test/fixtures/golden
"""
import json
import pathlib
import sys

import torch
from torch import nn

folder = pathlib.Path(sys.argv[1])
IDS = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 0]])
LABELS = torch.tensor([0, 1, 1, 0])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 4)
        self.rnn = nn.GRU(4, 3, batch_first=True)
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.rnn(self.embedding(x))[1][-1])


def groups(net):
    """Two groups, of which the second has another learning rate."""
    rest = [parameter for name, parameter in net.named_parameters() if not name.startswith("fc")]
    return [{"params": rest}, {"params": net.fc.parameters(), "lr": 0.1}]


OPTIMIZERS = {
    "adam": lambda net: torch.optim.Adam(net.parameters(), lr=0.05, amsgrad=True, weight_decay=0.01),
    "adamw": lambda net: torch.optim.AdamW(groups(net), lr=0.02, betas=(0.8, 0.95)),
    "sgd": lambda net: torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9, nesterov=True),
}


def train(net, optimizer, scheduler, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(IDS), LABELS)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


result = {}
for name, make in OPTIMIZERS.items():
    torch.manual_seed(3)
    net = Net()
    optimizer = make(net)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    train(net, optimizer, scheduler, 5)
    torch.save(
        {
            "epoch": 5,
            "best": 0.25,
            "done": False,
            "name": None,
            "net": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "half": torch.tensor([0.5, -2.0], dtype=torch.float16),
            "bytes": torch.tensor([0, 255], dtype=torch.uint8),
            "turned": torch.arange(6).reshape(2, 3).T,
        },
        folder / f"checkpoint-{name}.pt",
    )
    losses = train(net, optimizer, scheduler, 5)
    result[name] = {
        "lr": [group["lr"] for group in optimizer.param_groups],
        "losses": losses,
        "fc": net.fc.weight.tolist(),
        "embedding": net.embedding.weight.tolist(),
    }
(folder / "checkpoint.json").write_text(json.dumps(result, indent=1) + "\n")
