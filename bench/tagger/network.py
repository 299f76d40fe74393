"""A usual tagger in PyTorch: word vectors and a CNN over the characters, a packed BiLSTM, the CRF of pytorch-crf, fused Adam.

Word vectors of 50 numbers (those of a file where one is given), 30 character filters of width 3 over vectors of 25, 100 units a
direction, dropout 0.5, Adam with 3e-3, 32 sentences a batch, the epoch that is best on the dev part.
"""
import copy
import random
import time

import torch
from data import median_microseconds, rate, score
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchcrf import CRF

WORDS, CHARACTERS, FILTERS, HIDDEN = 50, 25, 30, 100
BATCH, ANSWERED = 32, 64
LONGEST_WORD = 30


class Network(nn.Module):
    def __init__(self, words, characters, tags):
        super().__init__()
        self.words = nn.Embedding(words, WORDS, padding_idx=0)
        self.characters = nn.Embedding(characters, CHARACTERS, padding_idx=0)
        self.filters = nn.Conv1d(CHARACTERS, FILTERS, 3, padding=1)
        self.lstm = nn.LSTM(WORDS + FILTERS, HIDDEN, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(2 * HIDDEN, tags)
        self.crf = CRF(tags, batch_first=True)
        nn.init.normal_(self.words.weight, std=0.1)

    def emissions(self, words, characters, lengths):
        """`[batch, time, tags]` of words `[batch, time]`, characters `[batch, time, letters]`, lengths `[batch]`."""
        batch, time_, letters = characters.shape
        letters = self.characters(characters.view(batch * time_, letters)).transpose(1, 2)
        seen = self.filters(letters).amax(2).view(batch, time_, FILTERS)
        x = self.dropout(torch.cat([self.words(words), seen], 2))
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.fc(self.dropout(out))


class Program:
    def __init__(self, spec, parts):
        torch.manual_seed(spec["seed"])
        self.random = random.Random(spec["seed"])
        self.scheme, self.parts, rows = spec["scheme"], parts, parts["train"]
        self.tags = sorted({tag for row in rows for tag in row["tags"]})
        vectors = self.vectors(spec["vectors"])
        words = dict.fromkeys(word.lower() for row in rows for word in row["tokens"])
        words.update(dict.fromkeys(vectors))
        self.words = {word: number for number, word in enumerate(words, 2)}
        letters = sorted({letter for row in rows for word in row["tokens"] for letter in word})
        self.letters = {letter: number for number, letter in enumerate(letters, 2)}
        self.network = Network(len(self.words) + 2, len(self.letters) + 2, len(self.tags))
        with torch.no_grad():
            for word, vector in vectors.items():
                self.network.words.weight[self.words[word]] = torch.tensor(vector)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=3e-3, fused=True)
        self.one = self.batch([{"tokens": spec["one"]}])
        self.ready = self.answers = None

    @staticmethod
    def vectors(path):
        if path is None:
            return {}
        with open(path, encoding="utf-8") as file:
            fields = (line.rstrip().split(" ") for line in file)
            return {word: [float(value) for value in vector] for word, *vector in fields}

    def batch(self, rows):
        """Tensors of some rows: words, characters, lengths, mask, tags."""
        lengths = torch.tensor([len(row["tokens"]) for row in rows])
        letters = min(LONGEST_WORD, max(len(word) for row in rows for word in row["tokens"]))
        words = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        characters = torch.zeros(*words.shape, letters, dtype=torch.long)
        tags = torch.zeros_like(words)
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        for i, row in enumerate(rows):
            for j, word in enumerate(row["tokens"]):
                words[i, j] = self.words.get(word.lower(), 1)
                for k, letter in enumerate(word[:letters]):
                    characters[i, j, k] = self.letters.get(letter, 1)
            for j, tag in enumerate(row.get("tags", [])):
                tags[i, j] = numbers.get(tag, 0)
        mask = torch.arange(words.shape[1])[None] < lengths[:, None]
        return words, characters, lengths, mask, tags

    def batches(self, rows, size):
        return [self.batch(rows[at : at + size]) for at in range(0, len(rows), size)]

    def step(self, batch):
        words, characters, lengths, mask, tags = batch
        loss = -self.network.crf(self.network.emissions(words, characters, lengths), tags, mask=mask, reduction="mean")
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()

    @torch.no_grad()
    def decode(self, batch):
        words, characters, lengths, mask, _ = batch
        return self.network.crf.decode(self.network.emissions(words, characters, lengths), mask)

    def predict(self, part):
        self.network.eval()
        rows = self.parts[part]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]["tokens"]))
        answers = [None] * len(rows)
        for at in range(0, len(order), ANSWERED):
            chosen = order[at : at + ANSWERED]
            for i, tags in zip(chosen, self.decode(self.batch([rows[i] for i in chosen])), strict=True):
                answers[i] = [self.tags[tag] for tag in tags]
        return answers

    def fit(self, epochs, seconds):
        """Trains, and gives seconds and score on the dev part after each epoch."""
        rows, curve, best = list(self.parts["train"]), [], (-1, None)
        begun = time.process_time()
        for _ in range(epochs):
            self.random.shuffle(rows)
            self.network.train()
            for at in range(0, len(rows), BATCH):
                self.step(self.batch(rows[at : at + BATCH]))
            reached = score(self.parts["dev"], self.predict("dev"), self.scheme)
            curve.append([time.process_time() - begun, reached])
            if reached > best[0]:
                best = (reached, copy.deepcopy(self.network.state_dict()))
            if curve[-1][0] > seconds:
                break
        self.network.load_state_dict(best[1])
        return {"seconds": time.process_time() - begun, "curve": curve}

    def train(self, seconds):
        """Sentences a second; the batches are ready before the clock runs."""
        self.ready = self.ready or self.batches(self.parts["train"][: 64 * BATCH], BATCH)
        self.network.train()
        turns = iter(range(10**9))

        def some():
            batch = self.ready[next(turns) % len(self.ready)]
            self.step(batch)
            return len(batch[2])

        return rate(some, seconds)

    def answer_one(self, seconds):
        """Microseconds for a sentence whose tensors are ready."""
        self.network.eval()
        return median_microseconds(lambda: self.decode(self.one), seconds)

    def answer_many(self, seconds):
        """Words a second, in batches of 64 sorted by length whose tensors are ready."""
        self.network.eval()
        ordered = sorted(self.parts["test"], key=lambda row: len(row["tokens"]))
        self.answers = self.answers or self.batches(ordered, ANSWERED)
        turns = iter(range(10**9))

        def some():
            batch = self.answers[next(turns) * 7 % len(self.answers)]
            self.decode(batch)
            return int(batch[2].sum())

        return rate(some, seconds)
