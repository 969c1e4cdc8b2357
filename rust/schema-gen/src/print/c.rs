//! C11 (the header also compiles as C++17): structs, enums, constants, static assertions.

use std::fmt::Write as _;

use crate::model::{Base, Enum, EnumStyle, EnumValue, Field, Scalar, Schema, Struct};
use crate::text::{comment, number, snake, upper};
use crate::{HEADER, Output, table};

/// Where the header goes.
pub const PATH: &str = "schema/generated/c/framelane_layout.h";

/// The header.
pub fn print(schema: &Schema) -> Output {
    let mut out = format!("// {HEADER}\n{HEAD}");
    let hash = table::hash(schema);
    out += "\n/** Names this layout, down to each offset and enum number. */\n";
    let _ = writeln!(out, "#define FRAMELANE_LAYOUT_HASH UINT64_C({hash:#018x})");
    for item in schema.enums_of(EnumStyle::Constants) {
        out += &constants(item);
    }
    for style in [EnumStyle::Choice, EnumStyle::Flags] {
        schema.enums_of(style).for_each(|item| out += &enumeration(item));
    }
    for one in &schema.structs {
        out += &structure(one);
    }
    Output::text(PATH, out + "\n#endif /* FRAMELANE_LAYOUT_H */\n")
}

/// Tag of a struct.
pub fn struct_name(name: &str) -> String {
    format!("struct framelane_{}", snake(name))
}

/// Member name of a field. Words that several processes touch are marked: plain accesses race.
pub fn field_name(field: &Field) -> String {
    if field.atomic { format!("{}_atomic_", field.name) } else { field.name.clone() }
}

/// Name of a number of an enum, or of a constant.
pub fn number_name(item: &Enum, value: &EnumValue) -> String {
    format!("FRAMELANE_{}_{}", upper(&item.name), value.name)
}

/// Fixed-width type of a number.
pub fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 | Scalar::Bool => "uint8_t",
        Scalar::U16 => "uint16_t",
        Scalar::U32 => "uint32_t",
        Scalar::U64 => "uint64_t",
        Scalar::I8 => "int8_t",
        Scalar::I16 => "int16_t",
        Scalar::I32 => "int32_t",
        Scalar::I64 => "int64_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

const HEAD: &str = "/*
 * The bytes that every language shares. Members ending in _atomic_ are touched by several
 * processes at once: only the library may access them. Numbers read from shared memory may be any
 * number.
 */
#ifndef FRAMELANE_LAYOUT_H
#define FRAMELANE_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
";

fn constants(item: &Enum) -> String {
    let mut out = format!("\n{}", comment("", "//", &item.doc));
    for value in &item.values {
        out += &comment("", "///", &value.doc);
        let name = number_name(item, value);
        let _ = writeln!(out, "#define {name} UINT64_C({})", number(value.value));
    }
    out
}

fn enumeration(item: &Enum) -> String {
    let mut out = format!("\n{}", comment("", "///", &item.doc));
    let _ = writeln!(out, "enum framelane_{} {{", snake(&item.name));
    for value in &item.values {
        out += &comment("  ", "///", &value.doc);
        let name = number_name(item, value);
        let _ = writeln!(out, "  {name} = {},", value.value);
    }
    out + "};\n"
}

fn structure(one: &Struct) -> String {
    let tag = struct_name(&one.name);
    let mut out = format!("\n{}{tag} {{\n", comment("", "///", &one.doc));
    for field in &one.fields {
        out += &comment("  ", "///", &field.doc);
        out += &annotation(field);
        let kind = match &field.base {
            Base::Scalar(scalar) => scalar_name(*scalar).to_owned(),
            Base::Struct(name) | Base::Unsized(name) => struct_name(name),
        };
        let array = field.count.map(|count| format!("[{count}]")).unwrap_or_default();
        let _ = writeln!(out, "  {kind} {}{array};", field_name(field));
    }
    out += "};\n\n";
    let _ = writeln!(out, "static_assert(sizeof({tag}) == {}, \"{} size\");", one.size, one.name);
    let _ = writeln!(
        out,
        "static_assert(alignof({tag}) == {}, \"{} alignment\");",
        one.align, one.name
    );
    for field in &one.fields {
        let (member, offset) = (field_name(field), field.offset);
        let what = format!("{}.{}", one.name, field.name);
        let _ = writeln!(out, "static_assert(offsetof({tag}, {member}) == {offset}, \"{what}\");");
    }
    out
}

fn annotation(field: &Field) -> String {
    let kind =
        field.kind.as_ref().map(|kind| format!("A number of enum framelane_{}.", snake(kind)));
    let notes: Vec<String> = kind.into_iter().chain(field.unit_note()).collect();
    if notes.is_empty() { String::new() } else { comment("  ", "///", &[notes.join(" ")]) }
}
