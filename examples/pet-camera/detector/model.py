"""Runs a detection model in the ONNX format, laid out as YOLO exports it."""

from __future__ import annotations

import ast
import importlib

import cv2
import framelane
import numpy
import numpy.typing
from finders import Found, Picture, UnusableError

LEAST_SCORE = 0.35
MOST_OVERLAP = 0.5
GREY = 114
"""What the margins of a picture that is not square are filled with, as in training."""

_Floats = numpy.typing.NDArray[numpy.float32]


class ModelFinder:
    """Input (1, 3, height, width) of RGB from 0 to 1; output (1, 4 + classes, boxes), each box as
    its centre and size in pixels of the input, then a score for each class."""

    name = "model"

    def __init__(self, path: str) -> None:
        try:
            onnxruntime = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise UnusableError(
                f"--model needs onnxruntime: pip install onnxruntime ({error})"
            ) from error
        try:
            self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class
            raise UnusableError(f"{path} is no model that onnxruntime reads: {error}") from error
        [given, *more] = self._session.get_inputs()
        shape = given.shape
        if more or len(shape) != 4 or shape[1] != 3 or not all(isinstance(n, int) for n in shape):
            raise UnusableError(f"{path}: the input is {shape}, it has to be (1, 3, rows, columns)")
        self._input, self._rows, self._columns = given.name, shape[2], shape[3]
        self._labels = self._read_labels()

    def _read_labels(self) -> dict[int, str]:
        """Exported models name their classes; others have numbers."""
        text = self._session.get_modelmeta().custom_metadata_map.get("names", "{}")
        try:
            names = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return {}
        return {int(number): str(name) for number, name in names.items()}

    def find(self, frame: framelane.Frame) -> list[Found]:
        """What the model sees."""
        picture = rgb(frame)
        scale = min(self._rows / picture.shape[0], self._columns / picture.shape[1])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        padded = numpy.full((self._rows, self._columns, 3), GREY, numpy.uint8)
        padded[: size[1], : size[0]] = cv2.resize(picture, size)
        given = padded.transpose(2, 0, 1)[None].astype(numpy.float32) / 255
        [out, *_] = self._session.run(None, {self._input: given})
        return self._boxes(numpy.asarray(out, numpy.float32), scale, picture.shape)

    def _boxes(self, out: _Floats, scale: float, shape: tuple[int, ...]) -> list[Found]:
        if out.ndim != 3 or out.shape[1] < 5:
            raise UnusableError(f"the model's output is {out.shape}, not (1, 4 + classes, boxes)")
        rows = out[0].T
        classes, scores = rows[:, 4:].argmax(1), rows[:, 4:].max(1)
        corner = (rows[:, :2] - rows[:, 2:4] / 2) / scale
        boxes = numpy.hstack([corner, rows[:, 2:4] / scale])
        kept = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(), scores.tolist(), classes.tolist(), LEAST_SCORE, MOST_OVERLAP
        )
        return [self._found(int(classes[i]), float(scores[i]), boxes[i], shape) for i in kept]

    def _found(self, number: int, score: float, box: _Floats, shape: tuple[int, ...]) -> Found:
        left, top = max(float(box[0]), 0.0), max(float(box[1]), 0.0)
        right = min(float(box[0] + box[2]), float(shape[1]))
        bottom = min(float(box[1] + box[3]), float(shape[0]))
        label = self._labels.get(number, f"class {number}")
        size = (round(right - left), round(bottom - top))
        return Found(label, round(score, 3), round(left), round(top), *size)


def rgb(frame: framelane.Frame) -> Picture:
    """The colours, which a model wants converted."""
    codes = {
        framelane.PixelFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
        framelane.PixelFormat.I420: cv2.COLOR_YUV2RGB_I420,
        framelane.PixelFormat.YUYV: cv2.COLOR_YUV2RGB_YUYV,
        framelane.PixelFormat.BGR24: cv2.COLOR_BGR2RGB,
        framelane.PixelFormat.GREY: cv2.COLOR_GRAY2RGB,
    }
    if frame.info.fourcc == framelane.PixelFormat.RGB24:
        return frame.array
    for code, conversion in codes.items():
        if frame.info.fourcc == code:
            return cv2.cvtColor(frame.array, conversion).astype(numpy.uint8, copy=False)
    raise UnusableError(f"frames of format {frame.info.fourcc:#x} cannot be given to a model")
