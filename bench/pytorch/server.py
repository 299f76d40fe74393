"""Does PyTorch's works for the comparison: requests on standard input, answers on standard output, a JSON object a line.

    python server.py THREADS

One process has one number of threads (OMP_NUM_THREADS is set to the same by the caller).
"""
import json
import platform
import sys
import traceback

import torch

from works import WORKS

kept = {}


def hello():
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "onednn": torch.backends.mkldnn.is_available(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
    }


def measure(spec, timing):
    key = json.dumps(spec, sort_keys=True)
    with torch.backends.mkldnn.flags(enabled=spec["onednn"]):
        if key not in kept:
            kept[key] = WORKS[spec["work"]](spec)
        return {"value": kept[key].measure(timing["warmup"], timing["seconds"])}


def handle(request):
    if request["method"] == "hello":
        return hello()
    if request["method"] == "measure":
        return measure(request["spec"], request["timing"])
    kept.clear()
    return None


def main():
    torch.set_num_threads(int(sys.argv[1]))
    for line in sys.stdin:
        try:
            answer = {"result": handle(json.loads(line))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


main()
