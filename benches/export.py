"""The networks of the reference architectures, as their own exporters write them.

Usage: python export.py FOLDER   (needs torch, torchvision, ultralytics and onnx)

Weights are random: what a network takes depends on its shape. `accuracy` compares the files with
those that `mediscope-size` writes.
"""

import sys
from pathlib import Path

import torch
import torchvision
from ultralytics import YOLO


def torchvision_network(folder, name):
    network = getattr(torchvision.models, name)(weights=None).eval()
    image = torch.zeros(1, 3, 224, 224)
    torch.onnx.export(
        network,
        (image,),
        folder / f"{name}.onnx",
        input_names=["input"],
        output_names=["logits"],
        opset_version=17,
        dynamo=False,
    )


def ultralytics_network(folder, name):
    network = YOLO(f"{name}.yaml", task="segment")
    network.info()
    written = network.export(format="onnx", opset=17, simplify=False, imgsz=640)
    Path(written).rename(folder / f"{name}.onnx")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    for name in ["resnet18", "resnet50"]:
        torchvision_network(folder, name)
    for name in ["yolov8s-seg", "yolov8m-seg"]:
        ultralytics_network(folder, name)


if __name__ == "__main__":
    main()
