"""The inputs that featurize.py makes of texts, and with onnxruntime the model's outputs; with onnx the model is checked.

Arguments: the model, and what else to do: `run`, `check`, `quantize`. Standard input: a list of texts or of lists of tokens. With the
one argument `known` the answer is the texts without characters that this Python's Unicode does not have yet.
"""

import importlib.util
import json
import os
import sys
import unicodedata

if sys.argv[1] == "known":
    texts = json.load(sys.stdin)
    json.dump(["".join(c for c in text if unicodedata.category(c) not in ("Cn", "Cs")) for text in texts], sys.stdout)
    sys.exit()

model, todo = sys.argv[1], sys.argv[2:]
spec = importlib.util.spec_from_file_location("featurize", os.path.join(os.path.dirname(model), "featurize.py"))
featurize = importlib.util.module_from_spec(spec)
spec.loader.exec_module(featurize)
texts = json.load(sys.stdin)
answer = {}


def metadata(path):
    """The metadata of a model's bytes, without a package that reads protobuf."""
    data, found = open(path, "rb").read(), {}

    def number(at):
        value, shift = 0, 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    def fields(at, end):
        while at < end:
            tag, at = number(at)
            if tag % 8 == 2:
                size, at = number(at)
                yield tag // 8, at, at + size
                at += size
            else:
                _, at = number(at)

    for tag, start, end in fields(0, len(data)):
        if tag == 14:
            key, value = (data[begin:stop].decode() for _, begin, stop in fields(start, end))
            found[key] = value
    return found


def plain(values):
    return {name: value.tolist() for name, value in values.items()}


inputs = featurize.Featurizer(metadata(model))(texts)
answer["inputs"] = plain(inputs)


def run(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return plain(dict(zip(names, session.run(None, featurize.Featurizer(session)(texts)))))


if "run" in todo:
    answer["outputs"] = run(model)
if "check" in todo:
    import onnx

    onnx.checker.check_model(model, full_check=True)
    answer["checked"] = True
if "quantize" in todo:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(model, model + ".int8", weight_type=QuantType.QInt8)
    answer["quantized"] = run(model + ".int8")
    answer["bytes"] = [os.path.getsize(model), os.path.getsize(model + ".int8")]
json.dump(answer, sys.stdout)
