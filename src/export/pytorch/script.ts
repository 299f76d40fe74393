import { CHARACTERS } from '../python/characters.js';
import { NGRAMS } from '../python/ngrams.js';
import { READING } from '../python/reading.js';
import { SENTENCES } from '../python/sentences.js';
import { UNITS } from '../python/units.js';
import { MODELS } from './models.js';
import { NETWORKS } from './network.js';

/** First bytes of the file; a file without them is not ours. */
export const SCRIPT_MARK = '# Written by recurra';

const HEADER = `${SCRIPT_MARK}: a model as PyTorch modules, with how it reads texts. It needs torch and numpy, and for models with a
# HuggingFace tokenizer the package tokenizers. model.pt has the weights (a state dict), model.json everything needed to read texts.
#
#   from model import load
#
#   model = load()
#   print(model.predict(["My invoice is wrong"]))

import base64
import json
import math
import pathlib
import re
import unicodedata

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn`;

/** The file `model.py`, the same for every model. */
export const SCRIPT = [HEADER, READING, NGRAMS, CHARACTERS, SENTENCES, UNITS, NETWORKS, MODELS]
  .map((part) => part.trim())
  .join('\n\n\n');
