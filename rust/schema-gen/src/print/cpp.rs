//! C++17: typed enums, plain structs, static assertions.

use std::fmt::Write as _;

use super::c;
use crate::model::{Base, Enum, EnumStyle, EnumValue, Field, Schema, Struct};
use crate::text::{camel, comment, number, snake};
use crate::{HEADER, Output, table};

/// Where the header goes.
pub const PATH: &str = "schema/generated/cpp/framelane_layout.hpp";

/// The header.
pub fn print(schema: &Schema) -> Output {
    let mut out = format!("// {HEADER}\n{HEAD}");
    let hash = table::hash(schema);
    out += "/// Names this layout, down to each offset and enum number.\n";
    let _ = writeln!(out, "inline constexpr std::uint64_t layout_hash = {hash:#018x};");
    for style in [EnumStyle::Constants, EnumStyle::Flags] {
        schema.enums_of(style).for_each(|item| out += &constants(item));
    }
    schema.enums_of(EnumStyle::Choice).for_each(|item| out += &enumeration(item));
    schema.structs.iter().for_each(|one| out += &structure(schema, one));
    Output::text(PATH, out + "\n}  // namespace framelane::layout\n")
}

/// Name of a number of an enum, or of a constant, inside the namespace.
pub fn number_name(item: &Enum, value: &EnumValue) -> String {
    match item.style {
        EnumStyle::Choice => format!("{}::{}", item.name, camel(&value.name)),
        _ => format!("{}::{}", snake(&item.name), value.name.to_ascii_lowercase()),
    }
}

const HEAD: &str = "//
// The bytes that every language shares. Members ending in _atomic_ are touched by several processes
// at once: only the library may access them. Enums read from shared memory may hold any number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace framelane::layout {

";

fn constants(item: &Enum) -> String {
    let kind = c::scalar_name(item.scalar);
    let name = snake(&item.name);
    let mut out = format!("\n{}namespace {name} {{\n", comment("", "///", &item.doc));
    for value in &item.values {
        out += &comment("", "///", &value.doc);
        let (word, number) = (value.name.to_ascii_lowercase(), number(value.value));
        let _ = writeln!(out, "inline constexpr std::{kind} {word} = {number};");
    }
    let _ = writeln!(out, "}}  // namespace {name}");
    out
}

fn enumeration(item: &Enum) -> String {
    let kind = c::scalar_name(item.scalar);
    let mut out = format!("\n{}", comment("", "///", &item.doc));
    let _ = writeln!(out, "enum class {} : std::{kind} {{", item.name);
    for value in &item.values {
        out += &comment("  ", "///", &value.doc);
        let _ = writeln!(out, "  {} = {},", camel(&value.name), value.value);
    }
    out + "};\n"
}

fn structure(schema: &Schema, one: &Struct) -> String {
    let name = &one.name;
    let mut out = format!("\n{}struct {name} {{\n", comment("", "///", &one.doc));
    for field in &one.fields {
        out += &comment("  ", "///", &field.doc);
        out += &annotation(schema, field);
        let array = field.count.map(|count| format!("[{count}]")).unwrap_or_default();
        let _ = writeln!(out, "  {} {}{array};", type_name(schema, field), c::field_name(field));
    }
    out += "};\n\n";
    let _ = writeln!(out, "static_assert(std::is_trivially_copyable_v<{name}>);");
    let _ = writeln!(out, "static_assert(std::is_standard_layout_v<{name}>);");
    let _ = writeln!(out, "static_assert(sizeof({name}) == {});", one.size);
    let _ = writeln!(out, "static_assert(alignof({name}) == {});", one.align);
    for field in &one.fields {
        let member = c::field_name(field);
        let _ = writeln!(out, "static_assert(offsetof({name}, {member}) == {});", field.offset);
    }
    out
}

/// The enum class a field's number belongs to, if it is one of a choice.
pub fn enum_class<'a>(schema: &'a Schema, field: &Field) -> Option<&'a Enum> {
    let item = schema.find_enum(field.kind.as_ref()?)?;
    (item.style == EnumStyle::Choice).then_some(item)
}

fn type_name(schema: &Schema, field: &Field) -> String {
    match (&field.base, enum_class(schema, field)) {
        (_, Some(item)) => item.name.clone(),
        (Base::Scalar(scalar), None) if scalar.is_float() => c::scalar_name(*scalar).to_owned(),
        (Base::Scalar(scalar), None) => format!("std::{}", c::scalar_name(*scalar)),
        (Base::Struct(name) | Base::Unsized(name), None) => name.clone(),
    }
}

fn annotation(schema: &Schema, field: &Field) -> String {
    let flags = field.kind.as_ref().filter(|_| enum_class(schema, field).is_none());
    let kind = flags.map(|kind| format!("Bits of {}.", snake(kind)));
    let notes: Vec<String> = kind.into_iter().chain(field.unit_note()).collect();
    if notes.is_empty() { String::new() } else { comment("  ", "///", &[notes.join(" ")]) }
}
