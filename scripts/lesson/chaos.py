"""How far a training of PyTorch leaves its own course when its recurrent weights begin changed by rounding (a relative 1e-7), which is
what to expect of any other implementation.

    python scripts/lesson/chaos.py --data DIR [--model rnn] [--steps 520] [--seed 0]

Prints for some steps the differences of the loss from the unchanged training, for two changes. Needs torch, numpy and safetensors.
"""
import argparse

import torch
from exchange import BATCH, CLASSES, ag_news_rows, batch_of
from networks import NETWORKS


def losses(name, seed, rows, vocab_size, change):
    torch.manual_seed(seed)
    net = NETWORKS[name](vocab_size, 64, 32, CLASSES)
    weight = net.rnn.weight_hh_l0
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        weight.mul_(1 + change * noise)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    loss_fn = torch.nn.CrossEntropyLoss()
    result = []
    for first in range(0, len(rows), BATCH):
        labels, features, lengths = batch_of(rows[first : first + BATCH])
        optimizer.zero_grad()
        loss = loss_fn(net(features, lengths) if net.packed else net(features), labels)
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of AG News")
    parser.add_argument("--model", default="rnn", choices=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=520)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows, vocab_size = ag_news_rows(args.data, args.steps * BATCH, args.seed)
    plain, *changed = (losses(args.model, args.seed, rows, vocab_size, change) for change in (0, 1e-7, 2e-7))
    for step in range(args.steps):
        differences = [abs(other[step] - plain[step]) for other in changed]
        grown = step > 0 and max(differences) > 10 * max(abs(other[step - 1] - plain[step - 1]) for other in changed) > 1e-5
        if step % 50 == 49 or grown:
            print(f"step {step + 1}: {differences[0]:.1e}, {differences[1]:.1e}")


if __name__ == "__main__":
    main()
