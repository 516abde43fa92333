#!/usr/bin/env bash
# A network quantised with ONNX Runtime's quantize_dynamic, run on a batch.
# Most would expect: a row's output is the same whatever other rows are in the batch, as in floating point.
# Seen: DynamicQuantizeLinear takes one scale from the whole tensor, all rows of the batch together, so that a quiet window beside
# a loud one comes out otherwise than alone. Whoever scores windows in batches gets scores that depend on their neighbours.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

print("onnxruntime", ort.__version__)
random = np.random.default_rng(1)
width, out = 64, 8
weights = numpy_helper.from_array(random.normal(size=(width, out)).astype(np.float32) / 8, "weights")
graph = helper.make_graph(
    [helper.make_node("MatMul", ["input", "weights"], ["output"])],
    "layer",
    [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", width])],
    [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", out])],
    [weights],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), "float.onnx")
quantize_dynamic("float.onnx", "int8.onnx", weight_type=QuantType.QInt8)

quiet = random.normal(size=(1, width)).astype(np.float32)
loud = 30 * random.normal(size=(1, width)).astype(np.float32)


def change(path):
    """How much the quiet row's output moves when a loud row joins it, relative to its size."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    alone = session.run(None, {"input": quiet})[0][0]
    beside = session.run(None, {"input": np.concatenate([quiet, loud])})[0][0]
    return float(np.abs(beside - alone).max() / np.abs(alone).max())


in_float, in_int8 = change("float.onnx"), change("int8.onnx")
print(f"expected: 0.000, a row does not depend on its neighbours (floating point: {in_float:.6f})")
print(f"seen: {in_int8:.3f} of the quiet row's largest output, once a row thirty times as loud is in its batch")
sys.exit(0 if in_float < 1e-5 and in_int8 > 0.05 else 1)
PYTHON
