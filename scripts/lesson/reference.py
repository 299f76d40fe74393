"""Trains the lesson's networks with PyTorch on AG News and writes what compare.ts compares ours with: running accuracy every 200
batches, loss per sample and accuracy on the test set, as the lesson trains them (batches of 16, Adam with 1e-3; fused=True changes the
speed, and the numbers by rounding only).

    python scripts/lesson/reference.py --data DIR --out FILE [--seeds 0,1,2] [--models rnn,lstm,lstm-packed,gru] [--rows N] [--threads N]

After torch.manual_seed(seed) the network is made, then the order of rows is drawn by torch.randperm. Needs torch and numpy, and
safetensors for exchange.py, whose functions it uses.
"""
import argparse
import json
import time

import torch
from exchange import BATCH, CLASSES, batch_of, encoded, read_texts, vocabulary
from networks import NETWORKS

TEST_BATCH = 256


def train(name, seed, rows, test, vocab_size):
    torch.manual_seed(seed)
    net = NETWORKS[name](vocab_size, 64, 32, CLASSES)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    loss_fn = torch.nn.CrossEntropyLoss()
    logits_of = (lambda x, n: net(x, n)) if net.packed else (lambda x, n: net(x))
    order = torch.randperm(len(rows)).tolist()
    right = count = 0
    total = 0.0
    curve = []
    begun = time.time()
    for number, first in enumerate(range(0, len(order), BATCH), 1):
        labels, features, lengths = batch_of([rows[i] for i in order[first : first + BATCH]])
        optimizer.zero_grad()
        logits = logits_of(features, lengths)
        loss = loss_fn(logits, labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
        right += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
        if number % 200 == 0:
            curve.append([count, right / count])
    seconds = time.time() - begun
    net.eval()
    test_right = 0
    with torch.no_grad():
        for first in range(0, len(test), TEST_BATCH):
            labels, features, lengths = batch_of(test[first : first + TEST_BATCH])
            test_right += (logits_of(features, lengths).argmax(1) == labels).sum().item()
    return dict(model=name.replace("-", "_"), seed=seed, lossPerSample=total / count, trainAccuracy=right / count,
                testAccuracy=test_right / len(test), seconds=seconds, curve=curve)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of AG News")
    parser.add_argument("--out", required=True, help="file to write")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--models", default=",".join(NETWORKS))
    parser.add_argument("--rows", type=int, help="take only the first rows")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    texts = read_texts(args.data, "train.csv")[: args.rows]
    stoi = vocabulary(texts)
    rows, test = encoded(texts, stoi), encoded(read_texts(args.data, "test.csv"), stoi)
    result = {"torch": torch.__version__, "rows": len(rows), "testRows": len(test), "vocabulary": len(stoi),
              "tokens": sum(len(tokens) for _, tokens in rows), "batch": BATCH, "runs": []}
    for seed in map(int, args.seeds.split(",")):
        for name in args.models.split(","):
            run = train(name, seed, rows, test, len(stoi))
            result["runs"].append(run)
            print(f"{name} seed {seed}: training {run['trainAccuracy']:.4f}, test {run['testAccuracy']:.4f}, {run['seconds']:.0f} s", flush=True)
            # After each run, so that an interruption loses nothing.
            with open(args.out, "w") as file:
                json.dump(result, file)


if __name__ == "__main__":
    main()
