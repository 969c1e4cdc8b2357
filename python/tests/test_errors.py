"""Errors: one class with kinds, and the names Python has for some of them."""

import pickle
from pathlib import Path
from typing import Any

import framelane
import pytest
from framelane import Consumer, Error, ErrorKind, Producer

UNKNOWN_MODE: Any = "sideways"


def test_kinds_and_classes(producer: Producer) -> None:
    for call, kind, parent in (
        (lambda: Consumer("Bad/Name"), ErrorKind.INVALID_NAME, ValueError),
        (lambda: Consumer("lane", UNKNOWN_MODE), ErrorKind.INVALID_ARGUMENT, ValueError),
        (lambda: Consumer("lane", leases=0), ErrorKind.INVALID_ARGUMENT, ValueError),
        (lambda: Consumer("none"), ErrorKind.NOT_FOUND, LookupError),
        (lambda: framelane.query("none"), ErrorKind.NOT_FOUND, LookupError),
        (lambda: Producer("lane", "grey", 1, 1), ErrorKind.ALREADY_EXISTS, Error),
        (lambda: Consumer("lane", leases=9), ErrorKind.NO_LEASES, Error),
        (lambda: Consumer("lane", "lossless"), ErrorKind.UNSUPPORTED, Error),
    ):
        with pytest.raises(parent) as caught:
            call()
        assert isinstance(caught.value, Error)
        assert caught.value.kind is kind
        assert str(caught.value)


def test_an_error_says_what_and_why(producer: Producer, lanes: Path) -> None:
    with pytest.raises(Error, match=f"nowhere.*{lanes}"):
        Consumer("nowhere")


def test_errors_can_be_sent_to_other_processes() -> None:
    error = pickle.loads(pickle.dumps(Error("text", ErrorKind.CLOSED)))
    assert (str(error), error.kind) == ("text", ErrorKind.CLOSED)
    assert issubclass(framelane.PermissionDeniedError, PermissionError)
    for kind in ErrorKind:
        made = framelane._errors.exception_for(kind, "text")
        assert made.kind is kind and str(made) == "text"
        assert pickle.loads(pickle.dumps(made)).kind is kind


def test_wrong_types_are_type_errors(producer: Producer) -> None:
    for call in (
        lambda: Consumer(5),  # type: ignore[arg-type]
        lambda: Consumer("lane", 1.5),  # type: ignore[arg-type]
        lambda: producer.claim("soon"),  # type: ignore[arg-type]
        lambda: producer.publish_batch([1]),  # type: ignore[list-item]
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(framelane.InvalidArgumentError):
        producer.publish_external(b"")  # type: ignore[arg-type]
