//! Probe of the Python that flatc prints. It only reads: flatc gives structs no setters in Python.

use std::fmt::Write as _;

use crate::model::{Base, Field, Schema, Struct};
use crate::text::camel;

/// A program beside flatc's `framelane_generated.py`.
pub fn print(schema: &Schema) -> String {
    let mut out = HEAD.to_owned();
    for one in &schema.structs {
        let _ = writeln!(out, "\n\ndef show_{}(at, v):\n{}", one.name, show(one).trim_end());
    }
    out += "\n\n";
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(out, "show_{name}({name:?}, decode({name:?}, flatc.{name}))");
    }
    for (item, value) in schema.numbers() {
        let (name, value) = (&item.name, &value.name);
        let _ = writeln!(out, "show({name:?}, {value:?}, flatc.{name}.{value})");
    }
    out
}

const HEAD: &str = r#"import pathlib
import sys

import framelane_generated as flatc


def decode(name, kind):
    image = pathlib.Path(sys.argv[1], name + ".bin").read_bytes()
    assert len(image) == kind.SizeOf(), name
    value = kind()
    value.Init(memoryview(image), 0)
    return value


def show(at, field, value):
    print(f'"{at}.{field}": {value}')
"#;

fn show(one: &Struct) -> String {
    let mut out = String::new();
    for Field { name, base, count, .. } in &one.fields {
        let getter = camel(name);
        let _ = match (base, count) {
            (Base::Struct(inner), None) => {
                writeln!(out, "    show_{inner}(f\"{{at}}.{name}\", v.{getter}(flatc.{inner}()))")
            }
            (Base::Struct(inner), Some(count)) => writeln!(
                out,
                "    for i in range({count}):\n        show_{inner}(f\"{{at}}.{name}[{{i}}]\", \
                 v.{getter}(i))"
            ),
            _ => writeln!(out, "    show(at, {name:?}, v.{getter}())"),
        };
    }
    out
}
