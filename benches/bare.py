"""A bare loop over one session: what the harness is compared with.

Arguments: the model, the settings as JSON. Each line of input is a number of runs; each line of
output is the median of their milliseconds.
"""
import json
import statistics
import sys
import time

import numpy
import onnxruntime

settings = json.loads(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = settings["threads"]
options.inter_op_num_threads = 1
options.enable_mem_pattern = settings["memory_pattern"]
options.enable_cpu_mem_arena = settings["arena"]
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
options.add_session_config_entry("session.disable_prepacking", "0")
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
image = numpy.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(numpy.float32)
feed = {session.get_inputs()[0].name: image}
for _ in range(3):
    session.run(None, feed)
print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begun = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - begun) * 1000)
    print(statistics.median(times), flush=True)
