#!/usr/bin/env bash
# A network whose constant weights are stored as whole numbers of 8 bits behind a DequantizeLinear, and multiplied as floats.
# Most would expect: as the weights are constants, ONNX Runtime turns them into floats once, when it loads the graph (constant folding);
# the file is smaller, nothing else differs: the graph asks for the arithmetic of floats.
# Seen: DequantizeLinear and MatMul are joined to a MatMulNBits, which rounds its inputs to 8 bits, too, as nothing in the graph asks for,
# and takes longer than floats would. The setting session.disable_quant_qdq gives what was expected: the numbers and the speed of floats.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

print("onnxruntime", ort.__version__)
random = np.random.default_rng(1)
rows, width, out = 149, 384, 1536
whole = random.integers(-63, 64, size=(width, out)).astype(np.int8)
scales = random.uniform(1e-3, 2e-3, size=out).astype(np.float32)


def save(path, constants, nodes):
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [rows, width])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [rows, out])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


multiply = helper.make_node("MatMul", ["input", "weights"], ["output"])
save("float.onnx", {"weights": whole * scales}, [multiply])
dequantise = helper.make_node("DequantizeLinear", ["whole", "scales"], ["weights"], axis=1)
save("int8.onnx", {"whole": whole, "scales": scales}, [dequantise, multiply])

signal = random.normal(size=(rows, width)).astype(np.float32)


def run(path, **settings):
    """Its output, its operators once loaded, and the shortest of many runs in milliseconds."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.optimized_model_filepath = "loaded.onnx"
    for name, value in settings.items():
        options.add_session_config_entry(f"session.{name}", value)
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(60):
        began = time.perf_counter()
        output = session.run(None, {"input": signal})[0]
        times.append(1000 * (time.perf_counter() - began))
    operators = sorted(node.op_type for node in onnx.load("loaded.onnx").graph.node)
    return output, operators, min(times)


plain, plain_operators, plain_ms = run("float.onnx")
seen, seen_operators, seen_ms = run("int8.onnx")
folded, folded_operators, folded_ms = run("int8.onnx", disable_quant_qdq="1")
print(f"expected of 8-bit constants: {plain_operators}, {plain_ms:.2f} ms, as with floats")
print(f"seen: {seen_operators}, {seen_ms:.2f} ms; with session.disable_quant_qdq {folded_operators}, {folded_ms:.2f} ms")
difference = float(np.abs(seen - plain).max() / np.abs(plain).max())
same = float(np.abs(folded - plain).max() / np.abs(plain).max())
print(f"outputs differ from those of floats by {difference:.1e} of the largest; with the setting by {same:.1e}")
sys.exit(0 if difference > 1e-3 and same < 1e-6 and seen_operators == ["MatMulNBits"] and folded_operators == ["MatMul"] else 1)
PYTHON
