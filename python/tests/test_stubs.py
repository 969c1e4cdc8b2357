"""What the stubs say is what there is."""

import ast
import inspect
from pathlib import Path

import framelane
from framelane import _core


def stubs() -> list[ast.stmt]:
    """What the native half declares, in several files."""
    folder = Path(framelane.__file__).parent
    files = sorted(folder.glob("_core*.pyi"))
    return [statement for file in files for statement in ast.parse(file.read_text()).body]


def parameters(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    several = [arguments.vararg] if arguments.vararg else []
    named = [*arguments.posonlyargs, *arguments.args, *several, *arguments.kwonlyargs]
    names = [argument.arg for argument in named]
    return [name for name in names if name not in ("self", "cls")]


def test_every_name_of_the_native_half_is_in_the_stubs() -> None:
    declared = {
        node.name: node
        for node in stubs()
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    }
    there = {name for name in vars(_core) if not name.startswith("_")}
    assert declared.keys() == there
    assert there <= set(framelane.__all__)
    for name, node in declared.items():
        if isinstance(node, ast.ClassDef):
            members(getattr(_core, name), node)
        else:
            assert parameters(node) == list(inspect.signature(getattr(_core, name)).parameters)


def members(kind: type, node: ast.ClassDef) -> None:
    functions = {f.name: f for f in node.body if isinstance(f, ast.FunctionDef)}
    # Slots that CPython shows under no name of their own, or that every class has.
    unnamed = {"__buffer__"} & functions.keys()
    inherited = {"__repr__", "__doc__", "__module__", "__getitem__"}
    there = {name for name in vars(kind)} - inherited - {"__release_buffer__", "__buffer__"}
    assert functions.keys() - unnamed == there, kind
    for name, function in functions.items():
        member = vars(kind).get(name)
        if inspect.ismethoddescriptor(member) and not name.startswith("__"):
            found = [p for p in inspect.signature(member).parameters if p != "self"]
            assert parameters(function) == found, f"{kind.__name__}.{name}"


def test_the_package_is_typed() -> None:
    assert (Path(framelane.__file__).parent / "py.typed").exists()
    assert framelane.__doc__ is not None
    for name in framelane.__all__:
        assert getattr(framelane, name).__doc__, name
