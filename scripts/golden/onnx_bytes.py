"""Prints the bytes that ONNX' own helper gives a small model, in hexadecimal: the expectation of `crates/onnx/src/lib.rs`.

Made with onnx 1.23.2: /path/to/python scripts/golden/onnx_bytes.py
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

weights = numpy_helper.from_array(np.array([1, 2], np.float32), "w")
body = helper.make_graph(
    [helper.make_node("Identity", ["b/x"], ["b/y"], name="b/n")],
    "b",
    [helper.make_tensor_value_info("b/x", TensorProto.FLOAT, [])],
    [helper.make_tensor_value_info("b/y", TensorProto.FLOAT, [])],
)
nodes = [
    helper.make_node("Gather", ["w", "x"], ["v"], name="n", axis=0),
    helper.make_node("Scan", ["v"], ["y"], name="s", body=body, num_scan_inputs=1, scan_input_directions=[1]),
    helper.make_node("RNN", ["", "v"], ["", "z"], name="r", activations=["Relu", "Tanh"], clip=0.5, direction="forward"),
]
graph = helper.make_graph(
    nodes,
    "g",
    [helper.make_tensor_value_info("x", TensorProto.INT64, ["batch"])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])],
    [weights],
)
model = helper.make_model(
    graph, ir_version=8, producer_name="recurra", producer_version="0", opset_imports=[helper.make_opsetid("", 17)]
)
helper.set_model_props(model, {"k": "v"})
# The domain of ONNX' own operators is the empty text, which may be written or left out.
print(model.SerializeToString(deterministic=True).hex())
