"""Writes what PyTorch gives for two processes that train together, and for the shares of its DistributedSampler, into
test/fixtures/golden/distributed.json: losses and weights of five steps, with SGD and with Adam. Made with PyTorch 2.11.0, gloo.

    python scripts/golden/distributed.py
"""

import json
import os
import socket
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler

SIZE, STEPS, ROWS, LENGTH = 2, 5, 4, 7
WORDS, DIM, HIDDEN, CLASSES = 20, 6, 5, 3


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, DIM)
        self.lstm = nn.LSTM(DIM, HIDDEN, batch_first=True)
        self.fc = nn.Linear(HIDDEN, CLASSES)

    def forward(self, ids):
        return self.fc(self.lstm(self.embedding(ids))[0].mean(dim=1))


def batch(rank, step):
    """Rank 0 has words below 12, rank 1 those from 8: some rows of the embedding are touched by one rank alone, or by none."""
    generator = torch.Generator().manual_seed(100 * step + rank)
    ids = torch.randint(8 * rank, 8 * rank + 12, (ROWS, LENGTH), generator=generator)
    return ids, torch.randint(0, CLASSES, (ROWS,), generator=generator)


def train(rank, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=SIZE)
    for name in ("SGD", "Adam"):
        torch.manual_seed(3 + rank)
        net = DistributedDataParallel(Net())
        initial = {key: value.tolist() for key, value in net.module.state_dict().items()}
        options = {"lr": 0.5, "momentum": 0.9} if name == "SGD" else {"lr": 0.05}
        optimizer = getattr(torch.optim, name)(net.parameters(), **options)
        losses = []
        for step in range(STEPS):
            ids, labels = batch(rank, step)
            loss = nn.functional.cross_entropy(net(ids), labels)
            optimizer.zero_grad()
            if step == 3:  # Gradients of two batches, of which the first is not exchanged.
                with net.no_sync():
                    nn.functional.cross_entropy(net(ids.flip(0)), labels).backward()
            loss = nn.functional.cross_entropy(net(ids), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        weights = {key: value.tolist() for key, value in net.module.state_dict().items()}
        results[f"{name}{rank}"] = {"initial": initial, "losses": losses, "weights": weights}
    dist.destroy_process_group()


def shares():
    cases = []
    for rows, replicas, seed, epoch, shuffle, drop in [
        (10, 3, 0, 0, True, False),
        (10, 3, 7, 2, True, True),
        (5, 2, 1, 0, False, False),
        (1500, 2, 12345, 3, True, False),
    ]:
        data = range(rows)
        indices = []
        for rank in range(replicas):
            sampler = DistributedSampler(data, replicas, rank, shuffle=shuffle, seed=seed, drop_last=drop)
            sampler.set_epoch(epoch)
            indices.append(list(sampler)[:40])
        cases.append({"rows": rows, "replicas": replicas, "seed": seed, "epoch": epoch, "shuffle": shuffle, "dropLast": drop, "indices": indices})
    return cases


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with mp.Manager() as manager:
        results = manager.dict()
        mp.spawn(train, args=(port, results), nprocs=SIZE)
        results = dict(results)
    out = {
        "torch": torch.__version__,
        "batches": [
            [dict(zip(("ids", "labels"), (value.tolist() for value in batch(rank, step)))) for step in range(STEPS)]
            for rank in range(SIZE)
        ],
        "runs": {
            name: {
                "initial": results[f"{name}0"]["initial"],
                "losses": [results[f"{name}{rank}"]["losses"] for rank in range(SIZE)],
                "weights": results[f"{name}0"]["weights"],
            }
            for name in ("SGD", "Adam")
        },
        "shares": shares(),
    }
    for name in ("SGD", "Adam"):
        assert results[f"{name}0"]["weights"] == results[f"{name}1"]["weights"]
    path = Path(__file__).parents[2] / "test" / "fixtures" / "golden" / "distributed.json"
    path.write_text(json.dumps(out) + "\n")
