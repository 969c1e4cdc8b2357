"""Copies a Python program with the modules that it imports into the file tree of a machine.

Started by the Python that the program is for: `stage.py PROGRAM TREE`. Prints the words that start
the program there. Modules keep their paths, and are compiled here once for all.
"""

import importlib
import os
import py_compile
import shutil
import sys

program, tree = sys.argv[1:]
folder, name = os.path.split(os.path.abspath(program))
search = [folder, *(path for path in sys.path[1:] if path.endswith("-packages"))]
sys.path[0] = folder
# One that runs when it is imported finds nothing to do.
with open(os.devnull) as nothing, open(os.devnull, "w") as nowhere:
    sys.stdin, sys.stdout = nothing, nowhere
    try:
        importlib.import_module(os.path.splitext(name)[0])
    finally:
        sys.stdin, sys.stdout = sys.__stdin__, sys.__stdout__


def place(path):
    """Where a file of this machine stands in the tree."""
    there = os.path.join(tree, path.lstrip("/"))
    os.makedirs(os.path.dirname(there), exist_ok=True)
    return there


def copy(path):
    if os.path.isfile(path):
        shutil.copyfile(path, place(path))


for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if not path:
        continue
    path = os.path.abspath(path)
    copy(path)
    cached = getattr(module, "__cached__", None)
    if path.endswith(".py") and cached:
        # Not compared with its source, whose time does not come along.
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(path, place(cached), doraise=True, invalidation_mode=mode)
# Not among the modules: what is started itself.
copy(os.path.join(folder, name))
interpreter = os.path.realpath(sys.executable)
copy(interpreter)
words = ["/bin/env", "PYTHONPATH=" + ":".join(search), interpreter, "-B", "-S", program]
print("\t".join(words))
