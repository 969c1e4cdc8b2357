"""What a frame costs in Python; see bench/README.md."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from framelane import Consumer, Producer, monotonic_ns


def processor_time(frames: int, hand_over: Callable[[], None]) -> int:
    """Of the whole process, in nanoseconds."""
    start = time.process_time_ns()
    for _ in range(frames):
        hand_over()
    return time.process_time_ns() - start


def cost(lane: str, frames: int) -> None:
    with Producer(lane, "nv12", 640, 480) as producer, Consumer(lane) as consumer:

        def publish() -> None:
            frame = producer.claim()
            frame.array
            frame.publish()

        def hand_over() -> None:
            publish()
            frame = consumer.try_next()
            if frame is None:
                sys.exit("per_frame: the frame just published is not there")
            frame.array
            frame.release()

        processor_time(frames, hand_over)
        first = processor_time(frames, publish)
        second = processor_time(frames, hand_over)
        consumer_ns = max(second - first, 0) // frames
        print(f"producer_ns={first // frames} consumer_ns={consumer_ns}")


def paced(lane: str, frames: int) -> None:
    times = []
    with Consumer(lane, wait=10) as consumer:
        for _ in range(frames):
            frame = consumer.read(5)
            now = monotonic_ns()
            if frame is None:
                sys.exit("per_frame: no frame for 5 s")
            times.append(now - frame.info.publish_ns)
            frame.release()
    print(f"p50_ns={int(statistics.median(times))}")


def main() -> None:
    match sys.argv[1:]:
        case ["cost", lane, frames]:
            cost(lane, int(frames))
        case ["paced", lane, frames]:
            paced(lane, int(frames))
        case _:
            sys.exit("per_frame.py cost|paced LANE FRAMES")


main()
