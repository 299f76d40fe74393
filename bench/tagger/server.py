"""Answers requests of the tagger's benchmark, a JSON object a line: `python server.py network|pipeline THREADS`.

`load` names the files and what is trained, `fit` trains to the end, `train`, `one` and `many` measure speed, `predict` gives tags.
"""
import importlib
import importlib.metadata
import json
import platform
import sys
import traceback

from data import rows_of

PACKAGES = {"network": ["torch", "pytorch-crf"], "pipeline": ["spacy"]}
name, threads = sys.argv[1], int(sys.argv[2])
program = None


def handle(request):
    global program
    method = request["method"]
    if method == "hello":
        return {"python": platform.python_version()} | {each: importlib.metadata.version(each) for each in PACKAGES[name]}
    if method == "load":
        module = importlib.import_module(name)
        if name == "network":
            module.torch.set_num_threads(threads)
        program = module.Program(request, {part: rows_of(path) for part, path in request["parts"].items()})
        return None
    if method == "fit":
        return program.fit(request["epochs"], request["seconds"])
    if method == "predict":
        return program.predict(request["part"])
    return {"train": program.train, "one": program.answer_one, "many": program.answer_many}[method](request["seconds"])


# Programs print what they like; only answers go where answers are read.
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    try:
        answer = {"result": handle(json.loads(line))}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
