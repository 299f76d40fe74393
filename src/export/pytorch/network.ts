/** The networks of models in PyTorch, under the names of a state dict; comes after `READING`. */
export const NETWORKS = `
class MinGRU(nn.Module):
    """The minGRU of Feng et al. (2024), "Were RNNs All We Needed?": z = sigmoid(W_z x + b_z), n = W_n x + b_n, h' = (1 - z) h + z n."""

    def __init__(self, inputs, hidden, layers, bidirectional):
        super().__init__()
        self.hidden, self.layers, self.directions = hidden, layers, ["", "_reverse"] if bidirectional else [""]
        for layer in range(layers):
            size = inputs if layer == 0 else hidden * len(self.directions)
            for direction in self.directions:
                self.register_parameter("weight_ih_l%d%s" % (layer, direction), nn.Parameter(torch.empty(2 * hidden, size)))
                self.register_parameter("bias_ih_l%d%s" % (layer, direction), nn.Parameter(torch.empty(2 * hidden)))

    def forward(self, vectors, lengths, state=None):
        times = vectors.shape[1]
        finals = []
        for layer in range(self.layers):
            found = []
            for number, direction in enumerate(self.directions):
                name = "l%d%s" % (layer, direction)
                gates = F.linear(vectors, getattr(self, "weight_ih_" + name), getattr(self, "bias_ih_" + name))
                z, n = gates.chunk(2, 2)
                z = torch.sigmoid(z)
                h = vectors.new_zeros(len(vectors), self.hidden) if state is None else state[layer * len(self.directions) + number]
                steps = [None] * times
                for time in reversed(range(times)) if direction else range(times):
                    there = (time < lengths)[:, None]
                    h = torch.where(there, (1 - z[:, time]) * h + z[:, time] * n[:, time], h)
                    steps[time] = torch.where(there, h, torch.zeros_like(h))
                found.append(torch.stack(steps, 1))
                finals.append(h)
            vectors = torch.cat(found, 2)
        return vectors, torch.stack(finals)


class Encoder(nn.Module):
    """An embedding, optionally followed by the mean of a word's character features, and recurrent layers."""

    def __init__(self, settings, words, shapes, prefix=""):
        super().__init__()
        dim, hidden = settings["embeddingDim"], settings["hiddenSize"]
        self.embedding = nn.Embedding(words, dim)
        if prefix + "subwords.weight" in shapes:
            self.subwords = nn.Embedding(*shapes[prefix + "subwords.weight"])
            dim += self.subwords.embedding_dim
        layers, bidirectional = settings["numLayers"], settings.get("bidirectional", False)
        self.features = hidden * (2 if bidirectional else 1)
        if settings["cell"] == "mingru":
            self.rnn = MinGRU(dim, hidden, layers, bidirectional)
        else:
            cell = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[settings["cell"]]
            dropout = settings.get("dropout", 0) if layers > 1 else 0
            self.rnn = cell(dim, hidden, layers, batch_first=True, bidirectional=bidirectional, dropout=dropout)

    def encode(self, ids, lengths, features=None, state=None):
        """The outputs of the recurrent layers [batch, time, features], 0 after a row's end, and their final states."""
        vectors = self.embedding(ids)
        if hasattr(self, "subwords"):
            there = (features >= 0).unsqueeze(3)
            parts = torch.where(there, self.subwords(features.clamp(min=0)), 0.0)
            vectors = torch.cat((vectors, parts.sum(2) / there.sum(2).clamp(min=1)), 2)
        if isinstance(self.rnn, MinGRU):
            return self.rnn(vectors, lengths, state)
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        outputs, final = self.rnn(packed, state)
        return nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=ids.shape[1])[0], final


def _mask(ids, lengths):
    return torch.arange(ids.shape[1], device=ids.device) < lengths.to(ids.device)[:, None]


class Pooled(Encoder):
    """An encoder whose outputs are pooled into one vector per row, and a linear layer: logits [batch, labels]."""

    def __init__(self, settings, words, labels, shapes, prefix=""):
        super().__init__(settings, words, shapes, prefix)
        self.pooling = settings["pooling"]
        if self.pooling == "attention":
            self.attention = nn.Module()
            self.attention.proj = nn.Linear(self.features, self.features)
            self.attention.query = nn.Linear(self.features, 1, bias=False)
        self.drop = nn.Dropout(settings.get("dropout", 0))
        self.fc = nn.Linear(self.features, labels)

    def logits(self, ids, lengths):
        outputs, final = self.encode(ids, lengths)
        mask = _mask(ids, lengths)[:, :, None]
        if self.pooling == "last":
            final = final[0] if isinstance(final, tuple) else final
            directions = self.features // final.shape[2]
            pooled = torch.cat(list(final[-directions:]), 1)
        elif self.pooling == "mean":
            pooled = outputs.sum(1) / lengths.to(outputs)[:, None]
        elif self.pooling == "max":
            pooled = outputs.masked_fill(~mask, -math.inf).amax(1)
        else:
            scores = self.attention.query(torch.tanh(self.attention.proj(outputs)))
            pooled = (scores.masked_fill(~mask, -math.inf).softmax(1) * outputs).sum(1)
        return self.fc(self.drop(pooled))


class Linear(nn.Module):
    """The linear model of n-grams: scores of texts by their features; weights are 8-bit numbers with a scale for each score."""

    def __init__(self, shapes):
        super().__init__()
        self.register_buffer("weights", torch.empty(shapes["linear.weights"], dtype=torch.int8))
        for name in ("scales", "bias", "sharpness"):
            self.register_buffer(name, torch.empty(shapes["linear." + name]))

    def forward(self, indices, values):
        sums = (self.weights[indices].to(values.dtype) * values[:, :, None]).sum(1)
        return (sums * self.scales + self.bias) * self.sharpness


def _padded(rows, dtype, fill=0):
    longest = max(1, max(map(len, rows)))
    return torch.tensor([list(row) + [fill] * (longest - len(row)) for row in rows], dtype=dtype)


def _batches(items, size):
    return [items[at:at + size] for at in range(0, len(items), size)]
`;
