"""Writes the fixtures of crates/kernels/tests/tags.rs: whole networks for tags, with the chain of pytorch-crf or a softmax for each
token: their loss, its gradients and their predictions.

Run with a Python that has torch==2.11.0, pytorch-crf==0.7.2 and safetensors:

    python scripts/golden/tags.py test/fixtures/golden

The weights are float32; everything is computed in float64, so that what is compared is only the other side's rounding. Numbers of
tokens are those of one row after the other. pytorch-crf forbids no transition: where a case does, its score is -10,000 here, whose
exponential is zero; the score of the file is what stood there before.
"""
import json
import pathlib
import sys

import torch
from importlib.metadata import version
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torchcrf import CRF

from paths import allowed_path

assert torch.__version__.startswith("2.11.0"), torch.__version__
assert version("pytorch-crf") == "0.7.2", version("pytorch-crf")
out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(18)
VOCAB, DIM, HIDDEN, PADDING = 14, 5, 6, 1
LENGTHS = [4, 1, 7, 4]
NEVER = -10_000.0
KINDS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
CASES = [
    # cell, decoder, layers, directions, tags, share of forbidden transitions, weights of the tags, smoothing
    ("lstm", "crf", 2, 2, 5, 0.3, False, 0.0),
    ("lstm", "crf", 1, 1, 18, 0.0, False, 0.0),
    ("gru", "crf", 2, 2, 20, 0.4, False, 0.0),
    ("rnn", "crf", 1, 2, 1, 0.0, False, 0.0),
    ("lstm", "softmax", 2, 2, 5, 0.0, False, 0.0),
    ("gru", "softmax", 1, 1, 18, 0.0, True, 0.1),
]
arrays, cases = {}, []


def crf_answers(crf, emissions):
    """Of one row `[time, tags]`: the best tags, the probability of each, and of each together with the next one."""
    time, tags = emissions.shape
    mask = torch.ones(time, 1, dtype=torch.bool)
    log_sum = lambda scores: crf._compute_normalizer(scores[:, None], mask)[0]
    path = crf.decode(emissions[:, None], mask)[0]

    def probability(places):
        only = emissions.clone()
        for t in places:
            others = torch.arange(tags) != path[t]
            only[t, others] = -1e6
        return (log_sum(only) - log_sum(emissions)).exp().item()

    return [(path[t], probability([t]), probability([t, t + 1] if t + 1 < time else [t])) for t in range(time)]


def softmax_answers(emissions):
    best = emissions.softmax(-1).max(-1)
    after = best.values[1:].tolist() + [1.0]
    return [(tag, p, p * q) for tag, p, q in zip(best.indices.tolist(), best.values.tolist(), after)]


def marginals(crf, emissions, mask):
    free = emissions.detach().clone().requires_grad_()
    crf._compute_normalizer(free, mask).sum().backward()
    return free.grad


for cell, decoder, layers, directions, tags, share, weighted, smoothing in CASES:
    name = f"{cell}_{decoder}_{layers}_{directions}_{tags}"
    embedding = torch.nn.Embedding(VOCAB, DIM, padding_idx=PADDING)
    rnn = KINDS[cell](DIM, HIDDEN, num_layers=layers, bidirectional=directions == 2)
    fc = torch.nn.Linear(HIDDEN * directions, tags)
    crf = CRF(tags)
    with torch.no_grad():
        # Larger than a fresh network's, so that the predictions are not all alike.
        for parameter in [*fc.parameters(), *crf.parameters()]:
            parameter.normal_()
    modules = {"embedding": embedding, "rnn": rnn, "fc": fc} | ({"crf": crf} if decoder == "crf" else {})
    parameters = {f"{prefix}.{key}": value for prefix, module in modules.items() for key, value in module.named_parameters()}
    arrays |= {f"{name}/{key}": value.detach().clone().contiguous() for key, value in parameters.items()}
    for module in modules.values():
        module.double()
    allowed = {"start": torch.rand(tags) >= share, "end": torch.rand(tags) >= share, "between": torch.rand(tags, tags) >= share}
    for what in allowed.values():
        what.view(-1)[0] = True
    allowed["between"][0, :] = True
    allowed["between"][:, 0] = True
    if decoder == "crf":
        for what, transitions in zip(allowed, [crf.start_transitions, crf.end_transitions, crf.transitions]):
            transitions.data[~allowed[what]] = NEVER

    tokens = [torch.randint(2, VOCAB, (length,)) for length in LENGTHS]
    tokens[0][0] = PADDING
    gold = [torch.tensor(allowed_path(allowed, length, tags)) for length in LENGTHS]
    packed = pack_padded_sequence(embedding(pad_sequence(tokens)), LENGTHS, enforce_sorted=False)
    emissions = fc(pad_packed_sequence(rnn(packed)[0])[0])
    mask = torch.tensor([[t < length for length in LENGTHS] for t in range(max(LENGTHS))])
    tag_weights = (torch.rand(tags) + 0.5).float() if weighted else None
    if decoder == "crf":
        loss = -crf(emissions, pad_sequence(gold), mask, reduction="token_mean")
        probable = marginals(crf, emissions, mask)
    else:
        weight = None if tag_weights is None else tag_weights.double()
        loss = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing)(emissions[mask], pad_sequence(gold)[mask])
        probable = emissions
    for parameter in parameters.values():
        parameter.grad = None
    loss.backward()
    arrays |= {f"{name}/d.{key}": value.grad.float().contiguous() for key, value in parameters.items()}
    rows = [emissions[:length, row].detach() for row, length in enumerate(LENGTHS)]
    answers = [answer for row in rows for answer in (crf_answers(crf, row) if decoder == "crf" else softmax_answers(row))]
    arrays[f"{name}/emissions"] = torch.cat(rows).float()
    arrays[f"{name}/answers"] = torch.tensor(answers).float()
    flags = lambda what: [int(flag) for flag in what.view(-1)]
    cases.append(dict(
        name=name, cell=cell, decoder=decoder, numLayers=layers, bidirectional=directions == 2, tags=tags,
        allowed={key: flags(what) for key, what in allowed.items()} if share else None,
        weights=None if tag_weights is None else tag_weights.tolist(), smoothing=smoothing,
        tokens=torch.cat(tokens).tolist(), gold=torch.cat(gold).tolist(), loss=loss.item(),
        correct=int((probable.argmax(-1) == pad_sequence(gold))[mask].sum())))
save_file(arrays, str(out / "tags.safetensors"))
sizes = dict(vocabSize=VOCAB, embeddingDim=DIM, hiddenSize=HIDDEN, paddingIdx=PADDING, lengths=LENGTHS)
(out / "tags.json").write_text(json.dumps(dict(**sizes, cases=cases), separators=(",", ":")) + "\n")
