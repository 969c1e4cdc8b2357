//! Kotlin: tells every field of a struct, and copies it field by field, for the test that reads the
//! golden images.

use std::fmt::Write as _;

use super::kotlin::{access, is_hidden, offset};
use crate::model::{Base, EnumStyle, Field, Schema, Struct};
use crate::text::lower_camel;
use crate::{HEADER, golden};

/// `GoldenFields.kt`.
pub fn print(schema: &Schema) -> String {
    let mut out =
        format!("// {HEADER}\n\npackage framelane.layout\n\nimport java.nio.ByteBuffer\n\n");
    let _ =
        writeln!(out, "internal const val GOLDEN_FOLDER: String = {:?}", golden::folder(schema));
    out += "\ninternal fun showAll(image: (String) -> ByteBuffer, to: Shown) {\n";
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(out, "    {name}(image({name:?})).show({name:?}, to)");
    }
    for (item, value) in schema.numbers() {
        let (name, value) = (&item.name, &value.name);
        let number = if item.style == EnumStyle::Choice { ".number" } else { "" };
        let _ = writeln!(out, "    to.put(\"{name}.{value}\", {name}.{value}{number})");
    }
    out += "}\n\ninternal fun copyAll(image: (String) -> ByteBuffer, ";
    out += "same: (String, Structure) -> Unit) {\n";
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(
            out,
            "    same({name:?}, {name}().also {{ it.copy({name}(image({name:?}))) }})"
        );
    }
    out += "}\n";
    schema.structs.iter().for_each(|one| out += &functions(one));
    out
}

fn functions(one: &Struct) -> String {
    let name = &one.name;
    let mut out = format!("\nprivate fun {name}.show(path: String, to: Shown) {{\n");
    one.fields.iter().for_each(|field| out += &show(name, field));
    let _ = writeln!(out, "}}\n\nprivate fun {name}.copy(from: {name}) {{");
    one.fields.iter().for_each(|field| out += &copy(name, field));
    out + "}\n"
}

fn show(of: &str, field: &Field) -> String {
    let (path, name, at) = (&field.name, lower_camel(&field.name), offset(field));
    match (&field.base, field.count) {
        (Base::Struct(_), None) => format!("    {name}.show(\"$path.{path}\", to)\n"),
        (Base::Struct(_), Some(count)) => {
            format!("    for (i in 0 until {count}) {name}(i).show(\"$path.{path}[$i]\", to)\n")
        }
        (Base::Scalar(_), None) if !is_hidden(field) => {
            format!("    to.put(\"$path.{path}\", {name})\n")
        }
        (Base::Scalar(scalar), count) => {
            let kind = access(*scalar).name;
            let many = count.map_or("null".to_owned(), |count| count.to_string());
            format!("    to.read{kind}(\"$path.{path}\", bytes, {of}.{at}, {many})\n")
        }
        (Base::Unsized(_), _) => unreachable!("the lints refuse it"),
    }
}

fn copy(of: &str, field: &Field) -> String {
    let (name, at) = (lower_camel(&field.name), offset(field));
    match (&field.base, field.count) {
        (Base::Struct(_), None) => format!("    {name}.copy(from.{name})\n"),
        (Base::Struct(_), Some(count)) => {
            format!("    for (i in 0 until {count}) {name}(i).copy(from.{name}(i))\n")
        }
        (Base::Scalar(_), None) if !is_hidden(field) => format!("    {name} = from.{name}\n"),
        (Base::Scalar(_), _) => {
            format!("    copyBytes(from.bytes, bytes, {of}.{at}, {})\n", field.size)
        }
        (Base::Unsized(_), _) => unreachable!("the lints refuse it"),
    }
}
