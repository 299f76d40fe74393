"""spaCy's `tagger` or `ner` in a pipeline of `blank("en")`, with all its defaults, trained by its own loop."""
import pathlib
import tempfile
import time

import spacy
from data import median_microseconds, rate
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

curve, clock = [], {}


class Enough(Exception):
    """The time for a training is over."""


@spacy.registry.loggers("recurra.curve.v1")
def curve_logger():
    def setup(nlp, stdout, stderr):
        begun = time.process_time()

        def log(info):
            passed = time.process_time() - begun
            if info is not None and info["score"] is not None:
                curve.append([passed, info["score"]])
                if passed > clock["seconds"]:
                    raise Enough

        return log, lambda: None

    return setup


class Program:
    def __init__(self, spec, parts):
        self.scheme, self.parts, self.seed = spec["scheme"], parts, spec["seed"]
        self.component = "tagger" if spec["scheme"] is None else "ner"
        self.nlp = spacy.blank("en")
        self.one = spec["one"]

    def doc(self, row, vocab):
        if self.component == "tagger":
            return Doc(vocab, words=row["tokens"], tags=row["tags"])
        return Doc(vocab, words=row["tokens"], ents=row["tags"])

    def fit(self, epochs, seconds):
        """Trains as `spacy train` does, by its own rule of stopping, and gives seconds and score on the dev part."""
        blank = spacy.blank("en")
        blank.add_pipe(self.component)
        config = spacy.util.load_config_from_str(blank.config.to_str(), interpolate=False)
        clock["seconds"] = seconds
        curve.clear()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for part in ("train", "dev"):
                DocBin(docs=[self.doc(row, blank.vocab) for row in self.parts[part]]).to_disk(folder / f"{part}.spacy")
            config["paths"].update({part: str(folder / f"{part}.spacy") for part in ("train", "dev")})
            config["training"]["logger"] = {"@loggers": "recurra.curve.v1"}
            config["system"]["seed"] = self.seed
            (folder / "model").mkdir()
            nlp = init_nlp(config)
            begun = time.process_time()
            try:
                train(nlp, folder / "model")
            except Enough:
                pass
            passed = time.process_time() - begun
            self.nlp = spacy.load(folder / "model" / "model-best")
        return {"seconds": passed, "curve": list(curve)}

    def tags(self, doc):
        if self.component == "tagger":
            return [token.tag_ for token in doc]
        return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]

    def answers(self, rows):
        docs = (Doc(self.nlp.vocab, words=row["tokens"]) for row in rows)
        return [self.tags(doc) for doc in self.nlp.pipe(docs)]

    def predict(self, part):
        return self.answers(self.parts[part])

    def train(self, seconds):
        """spaCy chooses its batches itself, so there is no speed at 32 sentences."""
        return None

    def answer_one(self, seconds):
        """Microseconds for a sentence, from its words to its tags."""

        def some():
            self.tags(self.nlp(Doc(self.nlp.vocab, words=self.one)))

        return median_microseconds(some, seconds)

    def answer_many(self, seconds):
        """Words a second, from words to tags, in batches that spaCy chooses."""
        rows = self.parts["test"]
        words = sum(len(row["tokens"]) for row in rows)

        def some():
            self.answers(rows)
            return words

        return rate(some, seconds)
