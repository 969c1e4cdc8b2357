"""Across processes: forks, and ends that nobody cleaned up after."""

import gc
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import framelane
import pytest
from conftest import DEADLINE, publish, read
from framelane import Consumer, ErrorKind, Producer


def in_child(body: Callable[[], None]) -> None:
    """Runs in a fork of this process, which must end well."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def kind_of(call: Callable[[], object]) -> ErrorKind:
    try:
        call()
    except framelane.Error as error:
        return error.kind
    return ErrorKind.OK


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_is_refused_and_harms_nobody(
    producer: Producer, consumer: Consumer
) -> None:
    publish(producer, 1)
    frame = read(consumer)
    view = frame.array
    claimed = producer.claim()

    def child() -> None:
        nonlocal view, frame, claimed
        assert view[0, 0] == 1, "lane memory stays readable"
        for call in (
            lambda: consumer.read(0),
            lambda: frame.planes,
            lambda: producer.claim(),
            lambda: claimed.array,
            lambda: claimed.info,
            lambda: claimed.publish(),
        ):
            assert kind_of(call) == ErrorKind.FORKED
        assert not frame.check()
        del view, frame, claimed
        gc.collect()
        consumer.close()
        producer.close()

    in_child(child)
    assert frame.check() and view[0, 0] == 1
    claimed.array[:] = 2
    assert claimed.publish() == 2
    assert read(consumer).array[0, 0] == 2
    assert producer.consumers == 1


def run(script: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **options},
    )


def test_an_interpreter_that_ends_with_everything_open_is_quiet() -> None:
    """Globals die in any order, views of frames among them."""
    ended = run(
        """
        import framelane
        producer = framelane.Producer("lane", "grey", 16, 4, claims=2)
        consumer = framelane.Consumer("lane")
        with producer.claim() as frame:
            frame.array[:] = 1
        frame = consumer.read(10)
        array, view, plane = frame.array, memoryview(frame), frame.planes[0]
        capsule = frame.__dlpack__(max_version=(1, 0))
        claimed = producer.claim()
        writable = claimed.array
        kept = [producer, consumer, frame]
        kept.append(kept)
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_without_numpy_only_arrays_are_missing() -> None:
    ended = run(
        """
        import sys
        sys.modules["numpy"] = None
        import framelane
        producer = framelane.Producer("lane", "grey", 16, 4)
        consumer = framelane.Consumer("lane")
        with producer.claim() as frame:
            memoryview(frame)[1, 2] = 7
        frame = consumer.read(10)
        assert memoryview(frame)[1, 2] == 7
        try:
            frame.array
        except ImportError:
            print("no numpy")
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "no numpy\n", "")


def test_a_numpy_with_another_c_api_is_used_through_python() -> None:
    """Slower, and the same: read-only, with its strides, keeping the lease."""
    ended = run(
        """
        from numpy._core import _multiarray_umath
        _multiarray_umath._ARRAY_API = None
        import framelane
        producer = framelane.Producer("lane", "rgb24", 5, 3, stride_align=32)
        consumer = framelane.Consumer("lane")
        with producer.claim() as frame:
            frame.array[:] = 7
        frame = consumer.read(10)
        array = frame.array
        frame.release()
        assert consumer.held == 1 and not array.flags.writeable
        assert array.shape == (3, 5, 3) and array.strides == (32, 3, 1) and (array == 7).all()
        del array
        assert consumer.held == 0
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_frames_reach_another_process() -> None:
    with Producer("lane", "grey", 16, 4) as producer:
        publish(producer, 42)
        ended = run(
            """
            import framelane
            with framelane.Consumer("lane") as consumer:
                print(consumer.read(10).array[0, 0])
            """
        )
        assert (ended.stdout, ended.stderr) == ("42\n", "")


def test_no_descriptor_or_memory_is_left() -> None:
    def had() -> tuple[int, int]:
        gc.collect()
        with open("/proc/self/maps") as maps:
            return len(os.listdir("/proc/self/fd")), sum("/memfd:" in line for line in maps)

    before = had()
    for _ in range(3):
        with Producer("lane", "grey", 16, 4) as producer, Consumer("lane") as consumer:
            publish(producer, 1)
            view = read(consumer).array
        del view, producer, consumer
    assert had() == before
