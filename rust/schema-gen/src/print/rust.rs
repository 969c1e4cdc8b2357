//! Rust: `#[repr(C)]` types for the core. Fields that several processes touch are atomics.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{rust_golden, rust_table};
use crate::model::{Base, Enum, EnumStyle, Field, Schema, Struct};
use crate::text::{camel, comment, number, snake};
use crate::{HEADER, Output};

const FOLDER: &str = "rust/core/src/layout";
const PLAIN_DERIVES: &str =
    "#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]";
const ATOMIC_DERIVES: &str = "#[derive(Debug, FromBytes, IntoBytes, KnownLayout)]";

/// All files of the module `layout`.
pub fn print(schema: &Schema) -> Vec<Output> {
    let files: BTreeSet<&str> = schema.structs.iter().map(|one| one.file.as_str()).collect();
    let mut out = vec![
        Output::text("rust/core/src/layout.rs", root(&files)),
        Output::text(&format!("{FOLDER}/constants.rs"), constants(schema)),
        Output::text(&format!("{FOLDER}/enums.rs"), enums(schema)),
        Output::text(&format!("{FOLDER}/table.rs"), rust_table::print(schema)),
        Output::text(&format!("{FOLDER}/golden.rs"), rust_golden::print(schema)),
    ];
    for file in files {
        out.push(Output::text(&format!("{FOLDER}/{file}.rs"), structs(schema, file)));
    }
    out
}

fn root(files: &BTreeSet<&str>) -> String {
    let mut modules: Vec<&str> = files.iter().copied().chain(["constants", "enums"]).collect();
    modules.push("table");
    modules.sort_unstable();
    let mut out = format!("// {HEADER}\n//! The bytes that every language shares.\n\n");
    for module in &modules {
        let _ = writeln!(out, "#[rustfmt::skip]\nmod {module};");
    }
    out += "#[cfg(test)]\n#[rustfmt::skip]\nmod golden;\n\n";
    for module in modules {
        let _ = writeln!(out, "pub use {module}::*;");
    }
    out
}

fn constants(schema: &Schema) -> String {
    let mut out = format!("// {HEADER}\n//! Numbers that the protocol fixes.\n");
    for item in schema.enums_of(EnumStyle::Constants) {
        let _ = write!(out, "\n{}", comment("", "///", &item.doc));
        let _ = writeln!(out, "pub mod {} {{", snake(&item.name));
        for value in &item.values {
            out += &comment("    ", "///", &value.doc);
            let _ = writeln!(out, "    pub const {}: u64 = {};", value.name, number(value.value));
        }
        out += "}\n";
    }
    out
}

fn enums(schema: &Schema) -> String {
    let mut out = format!("// {HEADER}\n//! Enums with the same numbers in every language.\n");
    out += "#![allow(missing_docs, reason = \"the schema leaves out what a name says\")]\n\n";
    out += ENUM_MACRO;
    for item in schema.enums_of(EnumStyle::Choice) {
        let _ = writeln!(out, "\nnumbered_enum! {{\n{}", doc_lines(item));
        let _ = writeln!(out, "    pub enum {}: {} {{", item.name, item.scalar.name());
        for value in &item.values {
            out += &comment("        ", "///", &value.doc);
            let word = value.name.to_ascii_lowercase();
            let _ = writeln!(out, "        {} = {}, {word:?};", camel(&value.name), value.value);
        }
        out += "    }\n}\n";
    }
    for item in schema.enums_of(EnumStyle::Flags) {
        out += &flags(item);
    }
    out
}

fn doc_lines(item: &Enum) -> String {
    comment("    ", "///", &item.doc).trim_end().to_owned()
}

fn flags(item: &Enum) -> String {
    let (name, scalar) = (&item.name, item.scalar.name());
    let mut out =
        format!("\n{}#[derive(Debug)]\npub struct {name};\n\n", comment("", "///", &item.doc));
    let _ = writeln!(out, "impl {name} {{");
    for value in &item.values {
        out += &comment("    ", "///", &value.doc);
        let _ = writeln!(out, "    pub const {}: {scalar} = {};", value.name, value.value);
    }
    let _ = writeln!(out, "    /// Each bit and its name.");
    let _ = writeln!(out, "    pub const NAMES: &'static [({scalar}, &'static str)] = &[");
    for value in &item.values {
        let word = value.name.to_ascii_lowercase();
        let _ = writeln!(out, "        (Self::{}, {word:?}),", value.name);
    }
    out + "    ];\n}\n"
}

const ENUM_MACRO: &str = r#"macro_rules! numbered_enum {
    ($(#[$doc:meta])* pub enum $name:ident: $number:ident {
        $($(#[$value_doc:meta])* $variant:ident = $value:literal, $word:literal;)*
    }) => {
        $(#[$doc])*
        #[repr($number)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $variant = $value,)* }

        impl $name {
            /// Every value, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value with that number; numbers read from a peer may have none.
            pub const fn from_number(number: $number) -> Option<Self> {
                match number { $($value => Some(Self::$variant),)* _ => None }
            }

            /// The number that stands in shared memory and messages.
            pub const fn number(self) -> $number { self as $number }

            /// The name in lower case, words joined by underscores.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}
"#;

fn structs(schema: &Schema, file: &str) -> String {
    let list: Vec<&Struct> = schema.structs.iter().filter(|one| one.file == file).collect();
    let mut out = format!("// {HEADER}\n//! The structs of schema/{file}.fbs.\n");
    out += "#![allow(missing_docs, reason = \"the schema leaves out what a name says\")]\n\n";
    out += "use std::mem::{align_of, offset_of, size_of};\n";
    out += &atomics_used(&list);
    let derives = if list.iter().all(|one| one.has_atomics()) { "" } else { "Immutable, " };
    let _ = writeln!(out, "\nuse zerocopy::{{FromBytes, {derives}IntoBytes, KnownLayout}};");
    let mut imports = BTreeSet::new();
    for field in list.iter().flat_map(|one| &one.fields) {
        if let Base::Struct(name) = &field.base {
            if schema.contained(name).file != file {
                imports.insert(name.as_str());
            }
        }
    }
    if !imports.is_empty() {
        let names: Vec<&str> = imports.into_iter().collect();
        let _ = match names.as_slice() {
            [name] => writeln!(out, "\nuse super::{name};"),
            names => writeln!(out, "\nuse super::{{{}}};", names.join(", ")),
        };
    }
    for one in list {
        out += &structure(schema, one);
    }
    out
}

fn atomics_used(list: &[&Struct]) -> String {
    let atomic = list.iter().flat_map(|one| &one.fields).filter(|field| field.atomic);
    let names: BTreeSet<String> = atomic.map(element_type).collect();
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.into_iter().collect();
    format!("use std::sync::atomic::{{{}}};\n", names.join(", "))
}

fn element_type(field: &Field) -> String {
    match &field.base {
        Base::Scalar(scalar) if field.atomic => format!("Atomic{}", scalar.name().to_uppercase()),
        Base::Scalar(scalar) => scalar.name().to_owned(),
        Base::Struct(name) | Base::Unsized(name) => name.clone(),
    }
}

fn structure(schema: &Schema, one: &Struct) -> String {
    let name = &one.name;
    let derives = if one.has_atomics() { ATOMIC_DERIVES } else { PLAIN_DERIVES };
    let mut out =
        format!("\n{}{derives}\n#[repr(C)]\npub struct {name} {{\n", comment("", "///", &one.doc));
    for field in &one.fields {
        out += &comment("    ", "///", &field.doc);
        out += &annotation(schema, field);
        let element = element_type(field);
        let kind = field.count.map_or(element.clone(), |count| format!("[{element}; {count}]"));
        let _ = writeln!(out, "    pub {}: {kind},", field.name);
    }
    out += "}\n";
    if !one.has_atomics() {
        out += &zero(one);
    }
    out + &asserts(one)
}

fn annotation(schema: &Schema, field: &Field) -> String {
    let mut notes = Vec::new();
    if let Some(item) = field.kind.as_ref().and_then(|name| schema.find_enum(name)) {
        let what = if item.style == EnumStyle::Flags { "Bits" } else { "A number" };
        notes.push(format!("{what} of [`{0}`](super::{0}).", item.name));
    }
    notes.extend(field.unit_note());
    if notes.is_empty() { String::new() } else { comment("    ", "///", &[notes.join(" ")]) }
}

fn zero(one: &Struct) -> String {
    let mut out = format!("\nimpl {} {{\n    /// All bytes zero.\n", one.name);
    out += "    pub const ZERO: Self = Self {\n";
    for field in &one.fields {
        let zero = match &field.base {
            Base::Scalar(scalar) if scalar.is_float() => "0.0".to_owned(),
            Base::Scalar(_) => "0".to_owned(),
            Base::Struct(name) | Base::Unsized(name) => format!("{name}::ZERO"),
        };
        let zero = field.count.map_or(zero.clone(), |count| format!("[{zero}; {count}]"));
        let _ = writeln!(out, "        {}: {zero},", field.name);
    }
    out + "    };\n}\n"
}

fn asserts(one: &Struct) -> String {
    let name = &one.name;
    let mut out =
        format!("\nconst _: () = {{\n    assert!(size_of::<{name}>() == {});\n", one.size);
    let _ = writeln!(out, "    assert!(align_of::<{name}>() == {});", one.align);
    for field in &one.fields {
        let _ =
            writeln!(out, "    assert!(offset_of!({name}, {}) == {});", field.name, field.offset);
    }
    out + "};\n"
}
