//! Refuses what would not have the same bytes, or no name, in some target language.

use std::collections::BTreeSet;

use crate::keywords::is_keyword;
use crate::model::{Base, Enum, EnumStyle, Field, Scalar, Schema, Struct};
use crate::table;
use crate::text::{camel, snake};

/// Everything that is wrong with a schema, in words; nothing is the good answer.
pub fn check(schema: &Schema) -> Vec<String> {
    let mut out = Vec::new();
    for item in &schema.enums {
        check_enum(item, &mut out);
    }
    for one in &schema.structs {
        check_struct(schema, one, &mut out);
    }
    let namespaces: BTreeSet<&str> = schema.structs.iter().map(|one| &*one.namespace).collect();
    if namespaces.len() > 1 {
        out.push(format!("all structs share one namespace, these are several: {namespaces:?}"));
    }
    let room = schema.constant("Limit", "LAYOUT_TABLE_BYTES").unwrap_or(0);
    let bytes = table::compact(schema).len() as u64;
    if bytes > room {
        out.push(format!("the layout table has {bytes} bytes, its message {room}"));
    }
    out
}

/// Enum values without a number of their own. The reflection data cannot tell, so this reads the
/// text.
pub fn implicit_values(file: &str, text: &str) -> Vec<String> {
    let plain: String = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let mut out = Vec::new();
    for part in plain.split(';').flat_map(|part| part.split('}')) {
        let Some((head, members)) = part.split_once('{') else { continue };
        let Some(name) = head.trim().strip_prefix("enum ") else { continue };
        let name = name.split(':').next().unwrap_or(name).trim();
        let members = members.split(',').map(str::trim).filter(|member| !member.is_empty());
        for member in members.filter(|member| !member.contains('=')) {
            out.push(format!("{file}: {name}.{member} has no explicit number"));
        }
    }
    out
}

fn check_enum(item: &Enum, out: &mut Vec<String>) {
    let name = &item.name;
    check_namespace(name, &item.namespace, out);
    check_type_name(name, out);
    if item.style == EnumStyle::Constants && is_keyword(&snake(name)) {
        out.push(format!("{name} becomes a module, but {} is a keyword", snake(name)));
    }
    for value in &item.values {
        let member = &value.name;
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !member.starts_with(|c: char| c.is_ascii_uppercase()) || !member.chars().all(upper) {
            out.push(format!("{name}.{member} is not written like NO_FREE_SLOT"));
        }
        // C++ spells plain constants in lower case, choices like Rust.
        let spelled = match item.style {
            EnumStyle::Choice => camel(member),
            EnumStyle::Flags | EnumStyle::Constants => member.to_ascii_lowercase(),
        };
        if is_keyword(member) || is_keyword(&spelled) {
            out.push(format!("{name}.{member} is a keyword of a target language"));
        }
        if item.style != EnumStyle::Constants && value.value > i32::MAX as u64 {
            out.push(format!("{name}.{member} is too large for a C enum"));
        }
    }
}

fn check_struct(schema: &Schema, one: &Struct, out: &mut Vec<String>) {
    let name = &one.name;
    check_namespace(name, &one.namespace, out);
    check_type_name(name, out);
    if !one.fixed {
        out.push(format!("{name} is a table: only structs have a fixed layout"));
        return;
    }
    let mut end = 0;
    for field in &one.fields {
        check_field(schema, one, field, out);
        if field.offset != end {
            out.push(format!("{name}.{}: implicit padding in front of it", field.name));
        }
        end = field.offset + field.size;
    }
    if end != one.size {
        out.push(format!("{name}: implicit padding at its end"));
    }
    let natural = one.fields.iter().map(|field| alignment(schema, field)).max().unwrap_or(1);
    if one.align != natural {
        out.push(format!("{name} is aligned to {}, its fields ask for {natural}", one.align));
    }
    if !one.wire && !schema.is_nested(name) && one.size % 64 != 0 {
        out.push(format!("{name} is shared memory: {} is no multiple of 64 bytes", one.size));
    }
}

fn check_field(schema: &Schema, one: &Struct, field: &Field, out: &mut Vec<String>) {
    let name = format!("{}.{}", one.name, field.name);
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !field.name.starts_with(|c: char| c.is_ascii_lowercase()) || !field.name.chars().all(lower) {
        out.push(format!("{name} is not written like frame_count"));
    }
    if is_keyword(&field.name) {
        out.push(format!("{name} is a keyword of a target language"));
    }
    if field.padding != 0 {
        out.push(format!("{name}: {} bytes of implicit padding behind it", field.padding));
    }
    if field.offset % alignment(schema, field) != 0 {
        out.push(format!("{name} is not on its natural alignment"));
    }
    match &field.base {
        Base::Scalar(Scalar::Bool) => {
            out.push(format!("{name} is a bool, whose bytes differ between languages: use ubyte"));
        }
        Base::Unsized(kind) => out.push(format!("{name} is a {kind}, which has no fixed size")),
        Base::Struct(inner) if schema.find_struct(inner).is_none() => {
            out.push(format!("{name} is of no known struct {inner}"));
        }
        _ => {}
    }
    if field.text && (field.base != Base::Scalar(Scalar::U8) || field.count.is_none()) {
        out.push(format!("{name} is text, so it has to be an array of ubyte"));
    }
    let word = matches!(field.base, Base::Scalar(Scalar::U32 | Scalar::U64));
    if field.atomic && (!word || field.kind.is_some()) {
        out.push(format!("{name} is atomic, so it has to be a plain uint or ulong"));
    }
    if let Some(kind) = &field.kind {
        match schema.find_enum(kind) {
            None => out.push(format!("{name} is of no known enum {kind}")),
            Some(item) if Base::Scalar(item.scalar) != field.base => {
                out.push(format!("{name} is not as wide as the enum {kind}"));
            }
            Some(_) => {}
        }
    }
}

fn alignment(schema: &Schema, field: &Field) -> u64 {
    match &field.base {
        Base::Scalar(scalar) => scalar.size(),
        Base::Struct(name) => schema.find_struct(name).map_or(1, |one| one.align),
        Base::Unsized(_) => 1,
    }
}

fn check_namespace(name: &str, namespace: &str, out: &mut Vec<String>) {
    if namespace.chars().any(|c| c.is_ascii_digit()) {
        out.push(format!("{name}: a digit in namespace {namespace:?} is spelled v_1 by some"));
    }
    if namespace.split('.').any(|part| part.is_empty() || is_keyword(part)) {
        out.push(format!("{name}: namespace {namespace:?} is empty or has a keyword"));
    }
}

fn check_type_name(name: &str, out: &mut Vec<String>) {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric());
    if !letters || !name.starts_with(|c: char| c.is_ascii_uppercase()) || is_keyword(name) {
        out.push(format!("{name} is not written like FrameDescriptor, or is a keyword"));
    }
}
