/** The models in PyTorch: what they read and what they answer; comes after `NETWORKS`. */
export const MODELS = String.raw`
class TextClassifier(nn.Module):
    """Labels texts: one or more networks, and a linear model of n-grams."""

    def __init__(self, model, shapes, split=None, tokenize=None):
        super().__init__()
        self.labels, self.thresholds, self.mix = model["labels"], model["thresholds"], model["mix"]
        self.several = model["settings"]["multiLabel"]
        self.numbers = {token: number for number, token in enumerate(model["vocabulary"])}
        self.unknown = model["unknown"]
        self.networks = nn.ModuleList()
        if model["network"]:
            self.tokens = text_tokens(model, split, tokenize)
            for prefix in ["", *("member.%d." % member for member in range(2, model["members"] + 1))]:
                self.networks.append(Pooled(model["settings"], len(self.numbers), len(self.labels), shapes, prefix))
        if model["linear"]:
            self.ngrams = Ngrams(model["linear"])
            self.linear = Linear(shapes)

    def forward(self, ids=None, lengths=None, feature_indices=None, feature_values=None):
        """The probabilities of the labels [batch, labels], of token ids [batch, time] with the tokens of each row, and of the features
        of the linear model. For a training, networks[0].logits(ids, lengths) are what the loss takes."""
        probabilities = None
        if len(self.networks) > 0:
            each = [network.logits(ids, lengths) for network in self.networks]
            each = [logits.sigmoid() if self.several else logits.softmax(1) for logits in each]
            probabilities = sum(each) / len(each)
        if self.mix is None:
            return probabilities
        terms = []
        if probabilities is not None:
            logs = probabilities.log()
            if self.several:
                logs = logs - (1 - probabilities).clamp(min=1e-7).log()
            terms.append(self.mix["network"] * logs.clamp(min=-1e4))
        if hasattr(self, "linear"):
            scores = self.linear(feature_indices, feature_values)
            logs, rests = F.logsigmoid(scores), F.logsigmoid(-scores)
            if self.several:
                logs = logs - rests.clamp(min=math.log(1e-7))
            elif scores.shape[1] == 1:
                logs = torch.cat((rests, logs), 1)
            else:
                logs = logs.log_softmax(1)
            terms.append((1 - self.mix["network"]) * logs.clamp(min=-1e4))
        total = sum(terms) * self.mix["sharpness"]
        return total.sigmoid() if self.several else total.softmax(1)

    def inputs(self, texts):
        """The arguments of forward for some texts."""
        inputs = {}
        if len(self.networks) > 0:
            rows = [[self.numbers.get(token, self.unknown) for token in self.tokens(text)] or [self.unknown] for text in texts]
            inputs.update(ids=_padded(rows, torch.long), lengths=torch.tensor([len(row) for row in rows]))
        if hasattr(self, "linear"):
            features = [self.ngrams(text) for text in texts]
            inputs["feature_indices"] = _padded([indices for indices, _ in features], torch.long)
            inputs["feature_values"] = _padded([values for _, values in features], torch.float)
        device = next(self.buffers(), next(self.parameters(), torch.empty(0))).device
        return {name: tensor.to(device) for name, tensor in inputs.items()}

    @torch.no_grad()
    def probabilities(self, texts, batch_size=64):
        """The probabilities of the labels of some texts, [texts, labels]."""
        self.eval()
        if isinstance(texts, str):
            raise ValueError("expected a list of texts")
        parts = [self(**self.inputs(batch)) for batch in _batches(list(texts), batch_size)]
        return torch.cat(parts) if parts else torch.empty(0, len(self.labels))

    def predict(self, texts):
        """For each text: its label with its probability, its assigned labels, and the probability of every label."""
        answers = []
        for row in self.probabilities(texts).tolist():
            best = max(range(len(row)), key=row.__getitem__)
            given = [best]
            if self.thresholds is not None:
                given = sorted((at for at, p in enumerate(row) if p >= self.thresholds[at]), key=lambda at: -row[at])
            answers.append({
                "label": self.labels[best],
                "probability": row[best],
                "labels": [self.labels[at] for at in given],
                "probabilities": dict(zip(self.labels, row)),
            })
        return answers


class CRF(nn.Module):
    """The transitions of a linear-chain conditional random field, under the names of pytorch-crf."""

    def __init__(self, tags):
        super().__init__()
        self.start_transitions = nn.Parameter(torch.empty(tags))
        self.end_transitions = nn.Parameter(torch.empty(tags))
        self.transitions = nn.Parameter(torch.empty(tags, tags))


class TextTagger(Encoder):
    """Tags tokens, and finds spans where the tags are those of entities."""

    def __init__(self, model, shapes, split=None, tokenize=None):
        super().__init__(model["settings"], len(model["vocabulary"]), shapes)
        self.model, self.tags = model, model["labels"]
        self.sentences = Sentences(model, split)
        self.fc = nn.Linear(self.features, len(self.tags))
        if model["settings"]["decoder"] == "crf":
            self.crf = CRF(len(self.tags))
        never = model["forbidden"] or {"start": [], "end": [], "between": []}
        self._never = {name: torch.tensor(flags, dtype=torch.bool) for name, flags in never.items()}

    def forward(self, ids, lengths, features=None):
        """The network's score of each tag at each token, before decoding: [batch, time, tags]."""
        return self.fc(self.encode(ids, lengths, features)[0])

    def transitions(self):
        """The transitions; forbidden ones are minus infinity: start [tags], end [tags], between [tags, tags]."""
        found = []
        for name in ("start", "end", "between"):
            own = getattr(self.crf, "transitions" if name == "between" else name + "_transitions").detach()
            never = self._never[name].to(own.device)
            found.append(own if never.numel() == 0 else own.masked_fill(never.reshape(own.shape), -math.inf))
        return found

    def decode(self, scores):
        """The most probable tags of one row of scores [time, tags], and the probability of each at its token."""
        if not hasattr(self, "crf"):
            probabilities, tags = scores.softmax(1).max(1)
            return tags.tolist(), probabilities.tolist()
        start, end, between = self.transitions()
        best, back = start + scores[0], []
        forward, backward = [start + scores[0]], [end]
        for score in scores[1:]:
            best, before = (best[:, None] + between).max(0)
            best = best + score
            back.append(before.tolist())
            forward.append((forward[-1][:, None] + between).logsumexp(0) + score)
        for score in scores[1:].flip(0):
            backward.insert(0, (between + (score + backward[0])[None]).logsumexp(1))
        tags = [int((best + end).argmax())]
        for before in reversed(back):
            tags.insert(0, before[tags[0]])
        total = (forward[-1] + end).logsumexp(0)
        marginals = (torch.stack(forward) + torch.stack(backward) - total).exp()
        return tags, [float(row[tag]) for row, tag in zip(marginals, tags)]

    def sentence(self, text):
        """The tokens of a text, or the given tokens."""
        return self.sentences.tokens(text)

    def inputs(self, rows):
        """The arguments of forward for some rows of tokens, of at least one token each."""
        inputs = {
            "ids": _padded([[self.sentences.word(token) for token in row] for row in rows], torch.long),
            "lengths": torch.tensor([len(row) for row in rows]),
        }
        features = self.sentences.features(rows)
        if features is not None:
            inputs["features"] = torch.from_numpy(features)
        device = self.embedding.weight.device
        return {name: tensor.to(device) for name, tensor in inputs.items()}

    @torch.no_grad()
    def predict(self, texts, batch_size=32):
        """For each text, or list of tokens: its tokens, their tags and probabilities, and the spans (start, end, label) in tokens."""
        self.eval()
        if isinstance(texts, str):
            raise ValueError("expected a list of texts, or of lists of tokens")
        sentences = [self.sentence(text) for text in texts]
        # What is longer than the model reads at once is read in parts.
        most = self.model["maxLength"]
        parts = [(at, part) for at, tokens in enumerate(sentences) for part in _batches(tokens, most)]
        answers = [{"tokens": tokens, "tags": [], "probabilities": [], "spans": []} for tokens in sentences]
        for batch in _batches(parts, batch_size):
            scores = self(**self.inputs([part for _, part in batch]))
            for row, (at, part) in zip(scores, batch):
                tags, probabilities = self.decode(row[:len(part)])
                answers[at]["tags"] += [self.tags[tag] for tag in tags]
                answers[at]["probabilities"] += probabilities
        if self.model["scheme"] is not None:
            for answer in answers:
                answer["spans"] = _entities(answer["tags"])
                answer["tags"] = _written(answer["spans"], len(answer["tags"]), self.model["scheme"])
        return answers


def _entities(tags):
    """The entities of IOBES tags; invalid sequences are read as the conlleval script does: (start, end, label)."""
    found, before, start, label = [], "O", None, None
    for at, tag in enumerate([*tags, "O"]):
        prefix, own = tag[0], tag[2:] or "_"
        if before in "ESO" or prefix not in "IE" or start is None or label != own:
            if start is not None:
                found.append((start, at, label))
            start, label = (None, None) if prefix == "O" else (at, own)
        before = prefix
    return found


def _written(spans, count, scheme):
    """Spans as the tags of a scheme."""
    tags, before = ["O"] * count, None
    for start, end, label in spans:
        touches = before is not None and before[1] == start and before[2] == label
        for at in range(start, end):
            first, last = at == start, at == end - 1
            if scheme == "IOB1":
                letter = "B" if first and touches else "I"
            elif scheme == "IOB2":
                letter = "B" if first else "I"
            elif first:
                letter = ("U" if scheme == "BILOU" else "S") if last else "B"
            else:
                letter = ("L" if scheme == "BILOU" else "E") if last else "I"
            tags[at] = letter if label == "_" else letter + "-" + label
        before = (start, end, label)
    return tags


class LanguageModel(Encoder):
    """Gives the probability of the next unit of a text."""

    def __init__(self, model, shapes, split=None, tokenize=None):
        settings, count = model["settings"], len(model["vocabulary"])
        super().__init__(settings, count, shapes)
        self.units = Units(model)
        if "adaptive.head.weight" in shapes:
            self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(self.features, count, [count // 16, count // 4], 4.0, True)
        else:
            self.fc = nn.Linear(self.features, count)
            if settings["tieWeights"]:
                self.fc.weight = self.embedding.weight

    def forward(self, ids, lengths, state=None):
        """The logarithms of the probabilities of each next unit [batch, time, units], and the states after each row's last unit."""
        outputs, final = self.encode(ids, lengths, state=state)
        if hasattr(self, "adaptive"):
            logs = self.adaptive.log_prob(outputs.flatten(0, 1)).unflatten(0, outputs.shape[:2])
        else:
            logs = self.fc(outputs).log_softmax(2)
        return logs, final

    @torch.no_grad()
    def score(self, text):
        """The log-probability of each unit of a text; the first is predicted without context."""
        self.eval()
        numbers = torch.tensor([self.units.end, *self.units.encode(text)], device=self.embedding.weight.device)
        logs, _ = self(numbers[None, :-1], torch.tensor([len(numbers) - 1]))
        return logs[0].gather(1, numbers[1:, None])[:, 0].tolist()

    @torch.no_grad()
    def generate(self, prompt="", units=100, temperature=1.0):
        """Continues a prompt by at most that many units; temperature 0 always takes the most probable unit."""
        self.eval()
        device, found = self.embedding.weight.device, []
        ids, state = [self.units.end, *self.units.encode(prompt)], None
        while len(found) < units:
            logs, state = self(torch.tensor([ids], device=device), torch.tensor([len(ids)]), state)
            logs = logs[0, -1].clone()
            logs[self.units.unknown] = -math.inf
            unit = int(logs.argmax() if temperature == 0 else torch.multinomial((logs / temperature).softmax(0), 1))
            if unit == self.units.end:
                break
            found.append(unit)
            ids = [unit]
        return self.units.decode(found)


def load(folder=None, split=None, tokenize=None):
    """The model in a folder, that of this file if left out. split is for models that read words by UAX 29: it cuts a text without
    white space into its words. tokenize is for classifiers that were trained with a custom function: it splits a text."""
    folder = pathlib.Path(folder or pathlib.Path(__file__).parent)
    model = json.loads((folder / "model.json").read_text("utf-8"))
    state = torch.load(folder / "model.pt", map_location="cpu", weights_only=True)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    kinds = {"classifier": TextClassifier, "tagger": TextTagger, "language": LanguageModel}
    made = kinds[model["kind"]](model, shapes, split, tokenize)
    if model["kind"] == "classifier":
        # Networks are numbered from 0 here, but those behind the first are member.2 and so on in the file.
        def own(name):
            if name.startswith("linear."):
                return name
            member = re.match(r"member\.(\d+)\.(.*)", name, re.S)
            return "networks.%d.%s" % ((int(member[1]) - 1, member[2]) if member else (0, name))

        state = {own(name): tensor for name, tensor in state.items()}
    made.load_state_dict(state)
    return made.eval()


if __name__ == "__main__":
    import sys

    model = load()
    for line in sys.argv[1:] or (line.rstrip("\n") for line in sys.stdin):
        if isinstance(model, LanguageModel):
            print(line + model.generate(line))
        else:
            print(json.dumps(model.predict([line])[0], ensure_ascii=False))
`;
