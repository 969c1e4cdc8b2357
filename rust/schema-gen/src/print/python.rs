//! Python: `ctypes` structures, enums, NumPy dtypes made on demand, and the stub file.

use std::fmt::Write as _;

use crate::model::{Base, Enum, EnumStyle, Field, Scalar, Schema, Struct};
use crate::text::number;
use crate::{HEADER, Output, table};

const FOLDER: &str = "schema/generated/python";

/// The module and its stub.
pub fn print(schema: &Schema) -> Vec<Output> {
    vec![
        Output::text(&format!("{FOLDER}/framelane_layout.py"), module(schema)),
        Output::text(&format!("{FOLDER}/framelane_layout.pyi"), stub(schema)),
    ]
}

const HEAD: &str = r#""""The bytes that every language shares.

Fields whose name starts with an underscore are touched by several processes at once: only the
library may access them. Numbers read from shared memory may be any number, so fields hold plain
integers.
"""

import ctypes
import enum
"#;

const TAIL: &str = r#"

def _check():
    for name, (size, alignment, fields) in LAYOUT.items():
        structure = globals()[name]
        if (ctypes.sizeof(structure), ctypes.alignment(structure)) != (size, alignment):
            raise ImportError(f"{name} has another size or alignment than the layout says")
        if len(structure._fields_) != len(fields):
            raise ImportError(f"{name} has another number of fields than the layout says")
        for field, (offset, length, plain) in fields.items():
            found = getattr(structure, field if plain else f"_{field}")
            if (found.offset, found.size) != (offset, length):
                raise ImportError(f"{name}.{field} is not where the layout says")


_check()
_dtypes = {}


def dtype(name):
    """The NumPy dtype of a struct, without the fields that several processes touch at once."""
    if name not in _dtypes:
        import numpy

        size, _, fields = LAYOUT[name]
        plain = {field: place for field, place in fields.items() if place[2] is not None}
        formats = []
        for _, _, (base, *shape) in plain.values():
            base = dtype(base) if base in LAYOUT else base
            formats.append((base, tuple(shape)) if shape else base)
        offsets = [place[0] for place in plain.values()]
        _dtypes[name] = numpy.dtype(
            {"names": list(plain), "formats": formats, "offsets": offsets, "itemsize": size}
        )
    return _dtypes[name]
"#;

fn module(schema: &Schema) -> String {
    let mut out = format!("# {HEADER}\n{HEAD}");
    let _ = writeln!(out, "\nLAYOUT_HASH = {:#018x}", table::hash(schema));
    schema.enums.iter().for_each(|item| out += &enumeration(item));
    schema.structs.iter().for_each(|one| out += &structure(one));
    out += "\n\n# Struct: (size, alignment, {field: (offset, size, NumPy type and shape)}).\n";
    out += "LAYOUT = {\n";
    for one in &schema.structs {
        let _ = writeln!(out, "    {:?}: ({}, {}, {{", one.name, one.size, one.align);
        for field in &one.fields {
            let (offset, size) = (field.offset, field.size);
            let _ =
                writeln!(out, "        {:?}: ({offset}, {size}, {}),", field.name, numpy(field));
        }
        out += "    }),\n";
    }
    out + "}\n" + TAIL
}

fn enumeration(item: &Enum) -> String {
    let base = match item.style {
        EnumStyle::Choice => "(enum.IntEnum)",
        EnumStyle::Flags => "(enum.IntFlag)",
        EnumStyle::Constants => "",
    };
    let mut out = format!("\n\nclass {}{base}:\n{}\n", item.name, docstring(&item.name, &item.doc));
    for value in &item.values {
        value.doc.iter().for_each(|line| out += &format!("    # {line}\n"));
        let _ = writeln!(out, "    {} = {}", value.name, number(value.value));
    }
    out
}

fn structure(one: &Struct) -> String {
    let name = &one.name;
    let mut out = format!("\n\nclass {name}(ctypes.LittleEndianStructure):\n");
    let _ = writeln!(out, "{}\n    _fields_ = [", docstring(name, &one.doc));
    for field in &one.fields {
        let base = match &field.base {
            Base::Scalar(scalar) => format!("ctypes.{}", ctype(*scalar)),
            Base::Struct(name) | Base::Unsized(name) => name.clone(),
        };
        let kind = field.count.map_or(base.clone(), |count| format!("{base} * {count}"));
        let _ = writeln!(out, "        ({:?}, {kind}),", member(field));
    }
    out + "    ]\n"
}

fn docstring(name: &str, doc: &[String]) -> String {
    let text = if doc.is_empty() { format!("Numbers of {name}.") } else { doc.join("\n    ") };
    format!("    \"\"\"{text}\"\"\"\n")
}

fn member(field: &Field) -> String {
    if field.atomic { format!("_{}", field.name) } else { field.name.clone() }
}

fn ctype(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 | Scalar::Bool => "c_uint8",
        Scalar::U16 => "c_uint16",
        Scalar::U32 => "c_uint32",
        Scalar::U64 => "c_uint64",
        Scalar::I8 => "c_int8",
        Scalar::I16 => "c_int16",
        Scalar::I32 => "c_int32",
        Scalar::I64 => "c_int64",
        Scalar::F32 => "c_float",
        Scalar::F64 => "c_double",
    }
}

fn numpy(field: &Field) -> String {
    let base = match &field.base {
        _ if field.atomic => return "None".to_owned(),
        Base::Scalar(Scalar::Bool) => "u1".to_owned(),
        Base::Scalar(scalar) => {
            let letter = &scalar.name()[..1];
            format!("<{letter}{}", scalar.size())
        }
        Base::Struct(name) | Base::Unsized(name) => name.clone(),
    };
    field.count.map_or(format!("({base:?},)"), |count| format!("({base:?}, {count})"))
}

fn stub(schema: &Schema) -> String {
    let mut out =
        format!("# {HEADER}\nimport ctypes\nimport enum\nfrom typing import Any, Final\n\n");
    out += "LAYOUT_HASH: Final[int]\n";
    out += "LAYOUT: Final[dict[str, tuple[int, int, dict[str, tuple[int, int, Any]]]]]\n\n";
    out += "def dtype(name: str) -> Any: ...\n";
    for item in &schema.enums {
        let base = match item.style {
            EnumStyle::Choice => "(enum.IntEnum)",
            EnumStyle::Flags => "(enum.IntFlag)",
            EnumStyle::Constants => "",
        };
        let _ = writeln!(out, "\nclass {}{base}:", item.name);
        for value in &item.values {
            let number = number(value.value);
            let _ = match item.style {
                EnumStyle::Constants => writeln!(out, "    {}: Final = {number}", value.name),
                _ => writeln!(out, "    {} = {number}", value.name),
            };
        }
    }
    for one in &schema.structs {
        let _ = writeln!(out, "\nclass {}(ctypes.LittleEndianStructure):", one.name);
        for field in one.fields.iter().filter(|field| !field.atomic) {
            let _ = writeln!(out, "    {}: {}", field.name, annotation(field));
        }
    }
    out
}

fn annotation(field: &Field) -> String {
    let single = match &field.base {
        Base::Scalar(scalar) if scalar.is_float() => "float".to_owned(),
        Base::Scalar(_) => "int".to_owned(),
        Base::Struct(name) | Base::Unsized(name) => name.clone(),
    };
    match (&field.base, field.count) {
        (_, None) => single,
        (Base::Scalar(scalar), Some(_)) => format!("ctypes.Array[ctypes.{}]", ctype(*scalar)),
        (_, Some(_)) => format!("ctypes.Array[{single}]"),
    }
}
