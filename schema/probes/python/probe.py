"""Decodes golden images with the generated ctypes structures (or NumPy dtypes), prints every field
as expected.json has it, and encodes each image again, field by field.

    probe.py ctypes|numpy IMAGES OUT
"""

import ctypes
import pathlib
import sys

import framelane_layout as layout


def show(path, value):
    print(f'"{path}": {value}')


def walk_ctypes(path, kind, source, target):
    """Prints and copies one struct; nested ones come by recursion."""
    for field, (_, _, plain) in layout.LAYOUT[kind.__name__][2].items():
        member = field if plain else f"_{field}"
        walk_value(f"{path}.{field}", getattr(source, member), target, member)


def walk_value(path, value, target, member):
    if isinstance(value, ctypes.Structure):
        walk_ctypes(path, type(value), value, getattr(target, member))
    elif not isinstance(value, ctypes.Array):
        show(path, value)
        setattr(target, member, value)
    elif issubclass(value._type_, ctypes.Structure):
        for index, item in enumerate(value):
            walk_ctypes(f"{path}[{index}]", value._type_, item, getattr(target, member)[index])
    else:
        show(path, list(value))
        getattr(target, member)[:] = value[:]


def walk_numpy(path, source, target):
    for field in source.dtype.names:
        value, below = source[field], f"{path}.{field}"
        if value.dtype.names is None:
            show(below, value.tolist())
            target[field] = value
        elif value.shape == ():
            walk_numpy(below, value, target[field])
        else:
            for index in range(len(value)):
                walk_numpy(f"{below}[{index}]", value[index], target[field][index])


def run_ctypes(name, image):
    kind = getattr(layout, name)
    fresh = kind()
    # From a copy that is writable: ctypes takes no other memory in place.
    walk_ctypes(name, kind, kind.from_buffer(bytearray(image)), fresh)
    return bytes(fresh)


def run_numpy(name, image):
    import numpy

    kind = layout.dtype(name)
    assert kind.itemsize == len(image), name
    fresh = numpy.zeros(1, kind)
    walk_numpy(name, numpy.frombuffer(image, kind)[0], fresh[0])
    return fresh.tobytes()


def show_numbers():
    """Every number of every enum, constants included."""
    for name, group in vars(layout).items():
        if not isinstance(group, type) or issubclass(group, ctypes.Structure):
            continue
        members = getattr(group, "__members__", vars(group))
        for member, value in members.items():
            if not member.startswith("_"):
                show(f"{name}.{member}", int(value))


def main():
    run = {"ctypes": run_ctypes, "numpy": run_numpy}[sys.argv[1]]
    for name in layout.LAYOUT:
        image = pathlib.Path(sys.argv[2], f"{name}.bin").read_bytes()
        pathlib.Path(sys.argv[3], f"{name}.bin").write_bytes(run(name, image))
    show_numbers()
    assert sys.argv[1] == "numpy" or "numpy" not in sys.modules, "the module pulls NumPy in"


main()
