"""The works of the comparison. Each is prepared once and measured several times."""
import itertools
import statistics
import time

import torch

from classifier import Classifier
from data import Texts

ADAM = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}
PREDICT_BATCH = 256
ONE = {"texts": 2_000, "tokens": 44}


class Train:
    """Samples a second of the lesson's loop. Batches are ready before the clock runs."""

    def __init__(self, spec):
        torch.manual_seed(0)
        shape = spec["shape"]
        self.device = spec.get("device", "cpu")
        # As recurra: float32 is float32.
        torch.backends.cudnn.allow_tf32 = False
        self.net = Classifier(shape, spec["input"] == "packed").to(self.device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, **ADAM[spec["adam"]])
        batches = Texts(spec["folder"]).batches(spec["order"], shape["batch"])
        if spec.get("resident"):
            # Lengths stay on the CPU, as packing wants them.
            batches = [(tokens.to(self.device), lengths, labels.to(self.device)) for tokens, lengths, labels in batches]
        self.batches = itertools.cycle(batches)
        self.loss = torch.nn.CrossEntropyLoss()

    def run(self, seconds):
        total = correct = 0
        samples = 0
        begun = time.perf_counter()
        while samples == 0 or time.perf_counter() - begun < seconds:
            tokens, lengths, labels = next(self.batches)
            if self.device != "cpu":
                tokens, labels = tokens.to(self.device), labels.to(self.device)
            self.optimizer.zero_grad()
            logits = self.net(tokens, lengths)
            loss = self.loss(logits, labels)
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
            correct += (logits.argmax(dim=1) == labels).sum()
            samples += len(labels)
        if self.device != "cpu":
            torch.cuda.synchronize()
        return samples / (time.perf_counter() - begun)

    def measure(self, warmup, seconds):
        self.run(warmup)
        return self.run(seconds)


class PredictMany:
    """Texts a second of the forward pass and the label's index, batches of texts sorted by length."""

    def __init__(self, spec):
        torch.manual_seed(0)
        self.net = Classifier(spec["shape"], spec["input"] == "packed").eval()
        self.batches = itertools.cycle(Texts(spec["folder"]).batches(spec["order"], PREDICT_BATCH))

    def run(self, seconds):
        texts = 0
        begun = time.perf_counter()
        while texts == 0 or time.perf_counter() - begun < seconds:
            tokens, lengths, _ = next(self.batches)
            self.net(tokens, lengths).argmax(dim=1)
            texts += len(lengths)
        return texts / (time.perf_counter() - begun)

    def measure(self, warmup, seconds):
        with torch.no_grad():
            self.run(warmup)
            return self.run(seconds)


class PredictOne:
    """Median microseconds of the forward pass alone for one text of 44 tokens."""

    def __init__(self, spec):
        torch.manual_seed(0)
        self.net = Classifier(spec["shape"], spec["input"] == "packed").eval()
        self.texts = itertools.cycle(Texts(spec["folder"]).windows(ONE["texts"], ONE["tokens"]))
        self.lengths = torch.tensor([ONE["tokens"]])

    def measure(self, warmup, seconds):
        times = []
        counted = time.perf_counter() + warmup
        now = 0.0
        with torch.no_grad():
            while not times or now < counted + seconds:
                text = next(self.texts)
                begun = time.perf_counter()
                self.net(text, self.lengths)
                now = time.perf_counter()
                if begun >= counted:
                    times.append(now - begun)
        return statistics.median(times) * 1e6


WORKS = {"train": Train, "predictMany": PredictMany, "predictOne": PredictOne}
