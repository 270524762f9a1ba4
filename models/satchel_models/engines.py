"""The inference engines that candidates are for: what their files are called."""

from collections.abc import Mapping

from satchel.variants import engine_title as title

__all__ = ["SUFFIXES", "title"]

SUFFIXES: Mapping[str, str] = {"onnxruntime": ".onnx", "litert": ".tflite"}
