"""Reads the made-up texts that both sides work on, and makes batches of them before the clock runs."""
import pathlib

import numpy
import torch

PADDING = 1
MOST_BATCHES = 1_000
MOST_TOKENS = 4_000_000


def read(path):
    return numpy.fromfile(path, dtype=numpy.int32)


class Texts:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.tokens = read(folder / "tokens.i32").astype(numpy.int64)
        self.lengths = read(folder / "lengths.i32").astype(numpy.int64)
        self.labels = read(folder / "labels.i32").astype(numpy.int64)
        self.starts = numpy.concatenate([[0], numpy.cumsum(self.lengths)[:-1]])

    def batch(self, rows):
        """Tokens [batch, time] padded to the longest, lengths [batch], labels [batch]."""
        lengths = self.lengths[rows]
        tokens = numpy.full((len(rows), lengths.max()), PADDING, dtype=numpy.int64)
        for i, row in enumerate(rows):
            tokens[i, : lengths[i]] = self.tokens[self.starts[row] : self.starts[row] + lengths[i]]
        return torch.from_numpy(tokens), torch.from_numpy(lengths), torch.from_numpy(self.labels[rows])

    def batches(self, order, size):
        """Batches of `size` texts in the order that a file gives; enough of them, not all of a large data set."""
        order = read(order)
        batches, total = [], 0
        for at in range(0, len(order) - size + 1, size):
            batches.append(self.batch(order[at : at + size]))
            total += batches[-1][0].numel()
            if len(batches) == MOST_BATCHES or total > MOST_TOKENS:
                break
        return batches

    def windows(self, count, length):
        """`count` texts of `length` tokens, [1, length] each."""
        return [torch.from_numpy(self.tokens[i * length : (i + 1) * length]).reshape(1, length) for i in range(count)]
