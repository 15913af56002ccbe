"""An image classifier behind FastAPI, as a service to measure.

The environment variable MODEL names an ONNX file whose input is 1x3x224x224 floats.
"""

import os

import numpy
import onnxruntime
from fastapi import FastAPI, File, HTTPException, UploadFile
from PIL import Image

# What the usual ImageNet classifiers were trained with.
MEAN = numpy.array([0.485, 0.456, 0.406], dtype=numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], dtype=numpy.float32)

options = onnxruntime.SessionOptions()
# Requests run side by side. More threads in each would only compete for the same CPUs.
options.intra_op_num_threads = 1
# Loaded before the service listens, so that no request pays for it.
session = onnxruntime.InferenceSession(
    os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
)
name = session.get_inputs()[0].name

app = FastAPI()


@app.get("/health")
def health() -> dict:
    return {"status": "ok"}


# Not async: FastAPI then calls it in its thread pool, and a run does not block the event loop.
@app.post("/predict")
def predict(file: UploadFile = File()) -> dict:
    try:
        image = Image.open(file.file).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise HTTPException(422, "not an image that can be read") from error
    pixels = numpy.asarray(image.resize((224, 224)), dtype=numpy.float32) / 255
    pixels = (pixels - MEAN) / DEVIATION
    scores = session.run(None, {name: pixels.transpose(2, 0, 1)[None]})[0]
    return {"top": int(scores[0].argmax())}
