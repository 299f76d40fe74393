import { CHARACTERS } from '../python/characters.js';
import { NGRAMS } from '../python/ngrams.js';
import { READING } from '../python/reading.js';
import { SENTENCES } from '../python/sentences.js';
import { UNITS } from '../python/units.js';

/** First bytes of the file; a file without them is not ours. */
export const PYTHON_MARK = '# Written by recurra';

const HEADER = `${PYTHON_MARK} for an ONNX model: makes the model's inputs from texts.
#
#   import onnxruntime
#   from featurize import Featurizer
#
#   session = onnxruntime.InferenceSession("model.onnx")
#   featurize = Featurizer(session)
#   (probabilities,) = session.run(None, featurize(["My invoice is wrong"]))
#
# It needs numpy, and for models with a HuggingFace tokenizer the package tokenizers.

import base64
import json
import math
import re
import unicodedata

import numpy as np

`;

const FEATURIZER = `
def _padded(rows, dtype, fill=0):
    longest = max(1, max(map(len, rows)))
    array = np.full((len(rows), longest), fill, dtype)
    for row, values in enumerate(rows):
        array[row, :len(values)] = values
    return array


def _rows(rows):
    return {"ids": _padded(rows, np.int64), "lengths": np.array([len(row) for row in rows], np.int64)}


class Featurizer:
    """Makes the inputs of a model that recurra exported, from texts.

    model: an onnxruntime.InferenceSession of the model, or its metadata as a dictionary.
    split: for models that read words by UAX 29: cuts a text without white space into its words.
    """

    def __init__(self, model, split=None):
        metadata = model if isinstance(model, dict) else model.get_modelmeta().custom_metadata_map
        if "recurra" not in metadata:
            raise ValueError("this model was not exported by recurra: its metadata has no key 'recurra'")
        settings = self.settings = json.loads(metadata["recurra"])
        self.split = split
        self.labels = settings.get("labels")
        self.unknown = settings.get("unknown")
        self.vocabulary = settings["vocabulary"]
        self.numbers = {token: number for number, token in enumerate(self.vocabulary)}
        kind = settings["kind"]
        if kind == "classifier":
            self.tokens = text_tokens(settings, split) if settings["network"] else None
            self.ngrams = Ngrams(settings["linear"]) if settings["linear"] else None
        elif kind == "tagger":
            self.sentences = Sentences(settings, split)
        elif kind == "language":
            self.units = Units(settings)
        self._inputs = {"classifier": self._texts, "tagger": self._sentences, "language": self._units}[kind]

    def __call__(self, texts):
        """The inputs for session.run: of a classifier for texts, of a tagger for texts or lists of tokens, of a language model for
        texts, each with the end of text before it."""
        if isinstance(texts, str) or len(texts) == 0:
            raise ValueError("expected a list of at least one text")
        return self._inputs(texts)

    def _texts(self, texts):
        inputs = {}
        if self.tokens:
            ids = [[self.numbers.get(token, self.unknown) for token in self.tokens(text)] for text in texts]
            inputs.update(_rows([row or [self.unknown] for row in ids]))
        if self.ngrams:
            features = [self.ngrams(text) for text in texts]
            inputs["feature_indices"] = _padded([indices for indices, _ in features], np.int64)
            inputs["feature_values"] = _padded([values for _, values in features], np.float32)
        return inputs

    def sentence(self, text):
        """The tokens of a text or a list of tokens, for a tagger."""
        return self.sentences.tokens(text)

    def _sentences(self, texts):
        rows, most = [], self.settings["maxLength"]
        for text in texts:
            tokens = self.sentence(text)
            if len(tokens) > most:
                raise ValueError("a sentence has %d tokens, but the model reads %d at once: cut it" % (len(tokens), most))
            rows.append(tokens)
        # A row has a token at least; that of none is unknown, and has no characters.
        inputs = _rows([[self.sentences.word(token) for token in row] or [self.unknown] for row in rows])
        features = self.sentences.features([row or [""] for row in rows])
        if features is not None:
            inputs["features"] = features
        return inputs

    def _units(self, texts):
        inputs = _rows([[self.units.end, *self.units.encode(text)] for text in texts])
        inputs.update(self.states(len(texts)))
        return inputs

    def states(self, batch):
        """The initial states of a language model."""
        layers, hidden = self.settings["layers"], self.settings["hidden"]
        return {name: np.zeros((layers, batch, hidden), np.float32) for name in self.settings["states"]}
`;

/** The file \`featurize.py\`. */
export const FEATURIZE_PYTHON =
  [HEADER, READING, NGRAMS, CHARACTERS, SENTENCES, UNITS, FEATURIZER].map((part) => part.trim()).join('\n\n\n') + '\n';
