"""Writes the fixture of test/lesson/sequences.test.ts: what the left side of docs/seq2seq-from-pieces.md learns. Run with a Python that has
torch==2.11.0, in the repository:

    python scripts/golden/pieces.py test/fixtures/golden
"""
import json
import pathlib
import re
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

assert torch.__version__.startswith("2.11.0"), torch.__version__
out = pathlib.Path(sys.argv[1])
page = pathlib.Path("docs/seq2seq-from-pieces.md").read_text()
SOS_token, EOS_token, MAX_LENGTH, HIDDEN = 0, 1, 5, 16
for code in re.findall(r"^```python\n([\s\S]*?)^```$", page, re.M):
    if "\nclass " in f"\n{code}":
        exec(code)
pairs = [("je suis la", "i am here"), ("tu es la", "you are here"), ("je suis grand", "i am tall"), ("tu es grand", "you are tall")]
langs = Lang("source"), Lang("target")
for pair in pairs:
    for lang, sentence in zip(langs, pair):
        for word in sentence.split(" "):
            lang.addWord(word)


def ids(lang, sentence):
    words = [lang.word2index[word] for word in sentence.split(" ")] + [EOS_token]
    return words + [0] * (MAX_LENGTH - len(words))


source, target = (torch.tensor([ids(lang, pair[side]) for pair in pairs]) for side, lang in enumerate(langs))
torch.manual_seed(0)
encoder = EncoderRNN(langs[0].n_words, HIDDEN)
decoder = AttnDecoderRNN(HIDDEN, langs[1].n_words)
optimizers = [optim.Adam(module.parameters(), lr=0.01) for module in (encoder, decoder)]
criterion = nn.NLLLoss()
losses = []
for _ in range(60):
    for optimizer in optimizers:
        optimizer.zero_grad()
    outputs, hidden = encoder(source)
    found, _, _ = decoder(outputs, hidden, target)
    loss = criterion(found.view(-1, found.size(-1)), target.view(-1))
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    losses.append(loss.item())
(out / "sequence_pieces.json").write_text(json.dumps(losses))
