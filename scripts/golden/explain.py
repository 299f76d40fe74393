"""Writes the fixtures of crates/kernels/tests/explain.rs: gradient times input of each token, by PyTorch's autograd.

Run with a Python that has torch==2.11.0, numpy and safetensors:

    python scripts/golden/explain.py test/fixtures/golden

The weights are float32; everything is computed in float64, so that what is compared is only the other side's rounding.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(5)
VOCAB, DIM, HIDDEN, CLASSES = 14, 5, 6, 3
KINDS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
# The word 4 is there twice, 0 is the unknown word and 1 the padding, whose vector is zero.
TOKENS = [4, 9, 0, 12, 4, 1, 7]

cases, tensors = [], {}
for cell, kind in KINDS.items():
    for pooling, layers, bidirectional in [("last", 1, False), ("last", 2, True), ("mean", 2, False), ("max", 1, True), ("attention", 1, True)]:
        name = f"{cell}_{pooling}_{layers}{'_bidirectional' if bidirectional else ''}"
        embedding = torch.nn.Embedding(VOCAB, DIM, padding_idx=1)
        rnn = kind(DIM, HIDDEN, num_layers=layers, bidirectional=bidirectional)
        fc = torch.nn.Linear(HIDDEN * (2 if bidirectional else 1), CLASSES)
        proj, query = torch.nn.Linear(fc.in_features, fc.in_features), torch.nn.Linear(fc.in_features, 1, bias=False)
        modules = {"embedding": embedding, "rnn": rnn, "fc": fc}
        if pooling == "attention":
            modules |= {"attention.proj": proj, "attention.query": query}
        for prefix, module in modules.items():
            for key, value in module.state_dict().items():
                tensors[f"{name}/{prefix}.{key}"] = value.clone().contiguous()
            module.double()
        x = embedding.weight.detach()[TOKENS].clone().requires_grad_()
        y, h = rnn(x)
        h = h[0] if cell == "lstm" else h
        if pooling == "last":
            features = torch.cat([h[-2], h[-1]]) if bidirectional else h[-1]
        elif pooling == "mean":
            features = y.mean(0)
        elif pooling == "max":
            features = y.max(0).values
        else:
            features = torch.softmax(query(torch.tanh(proj(y))).squeeze(-1), 0) @ y
        logits = fc(features)
        tensors[f"{name}/logits"] = logits.detach().float()
        for label in range(CLASSES):
            (gradient,) = torch.autograd.grad(logits[label], x, retain_graph=True)
            tensors[f"{name}/contributions.{label}"] = (gradient * x.detach()).sum(1).float()
        cases.append(
            dict(name=name, cell=cell, pooling=pooling, numLayers=layers, bidirectional=bidirectional, vocabSize=VOCAB,
                 embeddingDim=DIM, hiddenSize=HIDDEN, numClasses=CLASSES, tokens=TOKENS)
        )
save_file(tensors, out / "explain.safetensors")
(out / "explain.json").write_text(json.dumps(cases, indent=1) + "\n")
