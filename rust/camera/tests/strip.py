"""Reads strips from raw pictures with nothing but the standard library.

Lines on standard input: FORMAT WIDTH HEIGHT NUMBER TIME CAMERA PATH. Written from the description
of the format alone; says what differs, else nothing.
"""

import struct
import sys
import zlib

BYTES_PER_PIXEL = {"rgb24": 3, "bgr24": 3, "yuyv": 2}


def grid(width, height):
    for cell in (8, 4, 2, 1):
        columns = width // cell
        if columns == 0:
            continue
        rows = (224 + columns - 1) // columns
        if rows * cell <= (height if cell == 1 else height // 3):
            return cell, columns, rows
    raise ValueError("too small for a strip")


def read(form, width, height, picture):
    cell, columns, rows = grid(width, height)
    pixel = BYTES_PER_PIXEL.get(form, 1)
    stride = width * pixel
    bits = 0
    for index in range(224):
        x = index % columns * cell + cell // 2
        y = index // columns * cell + cell // 2
        bits = bits << 1 | (picture[y * stride + x * pixel] >= 126)
    message = bits.to_bytes(28, "big")
    magic, camera, number, time, picture_crc, crc = struct.unpack(">HHQQII", message)
    assert magic == 0xF1A5, hex(magic)
    assert crc == zlib.crc32(message[:24]), "strip is damaged"
    assert picture_crc == zlib.crc32(picture[rows * cell * stride :]), "picture is damaged"
    return number, time, camera


for line in sys.stdin:
    form, width, height, number, time, camera, path = line.split(maxsplit=6)
    with open(path.rstrip("\n"), "rb") as file:
        found = read(form, int(width), int(height), file.read())
    expected = int(number), int(time), int(camera)
    if found != expected:
        print(f"{form} {width}x{height}: {found}, expected {expected}")
