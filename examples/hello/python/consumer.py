"""Prints what it reads: `consumer.py [LANE [FRAMES]]`."""

import sys

import framelane

PATIENCE = 10.0

lane = sys.argv[1] if len(sys.argv) > 1 else "hello"
frames = int(sys.argv[2]) if len(sys.argv) > 2 else 30

with framelane.Consumer(lane, "ordered", wait=PATIENCE) as consumer:
    for _ in range(frames):
        frame = consumer.read(PATIENCE)
        if frame is None:
            sys.exit("no frame for 10 s")
        first = frame.planes[0].raw[0]
        print(f"frame {frame.sequence} {frame.width}x{frame.height} first byte {first}")
