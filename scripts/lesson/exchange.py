"""Writes, for each of the lesson's networks, what PyTorch needs and gives in its first training steps, so that another
implementation can repeat them: initial weights, rows in their order, and the loss of each step (Adam, lr 1e-3, batches of 16).

    python scripts/lesson/exchange.py --out test/fixtures/golden            small networks on made-up rows: the test's fixtures
    python scripts/lesson/exchange.py --data DIR --out DIR                  the lesson's own sizes on AG News (train.csv in DIR)

Each lesson_steps_<network>.safetensors holds: initial.<parameter>, final.<parameter> (after all steps; small networks only),
tokens (int32, all rows one after the other), lengths and labels (int32, per row), losses (float64, per step), and in its metadata
network, vocabSize, embedding, hidden, classes, batch, seed, torch. Needs torch, numpy and safetensors.
"""
import argparse
import collections
import csv
import os
import re

import numpy
import torch
from networks import NETWORKS
from safetensors.torch import save_file

BATCH = 16
CLASSES = 4
# torchtext's basic_english.
SUBSTITUTIONS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        ("'", " '  "), ('"', ""), (r"\.", " . "), (r"<br \/>", " "), (",", " , "), (r"\(", " ( "), (r"\)", " ) "),
        ("!", " ! "), (r"\?", " ? "), (";", " "), (":", " "), (r"\s+", " "),
    ]
]


def basic_english(text):
    text = text.lower()
    for pattern, replacement in SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    return text.split()


def made_up_rows(count, vocab_size, seed):
    """Rows of 1 to 30 tokens, a third of which tell the class, so that there is something to learn."""
    random = numpy.random.default_rng(seed)
    rows = []
    for _ in range(count):
        label = int(random.integers(CLASSES))
        length = int(random.integers(1, 31))
        tokens = random.integers(2, vocab_size, length)
        telling = random.random(length) < 1 / 3
        tokens[telling] = 2 + label + CLASSES * random.integers(0, 8, telling.sum())
        rows.append((label, tokens.tolist()))
    return rows


def read_texts(folder, name):
    """Class, from 0, and tokens of each row of a file of AG News."""
    with open(os.path.join(folder, name), encoding="utf8", newline="") as file:
        return [(int(label) - 1, basic_english(title + " " + text)) for label, title, text in csv.reader(file)]


def vocabulary(texts):
    """Index of each token: <unk>, <pad>, then by falling frequency, ties by code point."""
    counter = collections.Counter(token for _, tokens in texts for token in tokens)
    itos = ["<unk>", "<pad>"] + sorted(counter, key=lambda token: (-counter[token], token))
    return {token: index for index, token in enumerate(itos)}


def encoded(texts, stoi):
    return [(label, [stoi.get(token, 0) for token in tokens] or [0]) for label, tokens in texts]


def ag_news_rows(folder, count, seed):
    """The first rows of the order that torch.randperm gives after the seed, encoded by the vocabulary of all rows."""
    texts = read_texts(folder, "train.csv")
    stoi = vocabulary(texts)
    torch.manual_seed(seed)
    return encoded([texts[i] for i in torch.randperm(len(texts))[:count].tolist()], stoi), len(stoi)


def batch_of(rows):
    longest = max(len(tokens) for _, tokens in rows)
    features = torch.stack([torch.nn.functional.pad(torch.tensor(tokens), (0, longest - len(tokens))) for _, tokens in rows])
    return torch.tensor([label for label, _ in rows]), features, torch.tensor([len(tokens) for _, tokens in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of AG News; without it the rows are made up")
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--models", default=",".join(NETWORKS))
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    if args.data:
        embedding, hidden = 64, 32
        rows, vocab_size = ag_news_rows(args.data, args.steps * BATCH, args.seed)
    else:
        embedding, hidden, vocab_size = 16, 8, 300
        rows = made_up_rows(args.steps * BATCH, vocab_size, args.seed)
    for name in args.models.split(","):
        torch.manual_seed(args.seed)
        net = NETWORKS[name](vocab_size, embedding, hidden, CLASSES)
        tensors = {"initial." + key: value.clone() for key, value in net.state_dict().items()}
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        loss_fn = torch.nn.CrossEntropyLoss()
        losses = []
        for first in range(0, len(rows), BATCH):
            labels, features, lengths = batch_of(rows[first : first + BATCH])
            optimizer.zero_grad()
            loss = loss_fn(net(features, lengths) if net.packed else net(features), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if not args.data:
            tensors.update({"final." + key: value.clone() for key, value in net.state_dict().items()})
        tensors["tokens"] = torch.tensor([token for _, tokens in rows for token in tokens], dtype=torch.int32)
        tensors["lengths"] = torch.tensor([len(tokens) for _, tokens in rows], dtype=torch.int32)
        tensors["labels"] = torch.tensor([label for label, _ in rows], dtype=torch.int32)
        tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
        facts = dict(network=name, vocabSize=vocab_size, embedding=embedding, hidden=hidden, classes=CLASSES, batch=BATCH, seed=args.seed, torch=torch.__version__)
        path = os.path.join(args.out, f"lesson_steps_{name.replace('-', '_')}.safetensors")
        save_file(tensors, path, {key: str(value) for key, value in facts.items()})
        print(f"{path}: {os.path.getsize(path)} bytes, losses {losses[0]:.4f} to {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
