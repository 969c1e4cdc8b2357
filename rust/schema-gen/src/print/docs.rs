//! The protocol document: tables of every struct and enum, a drawn memory map of each struct in
//! shared memory. Only what stands between markers is rewritten; the prose around them belongs to
//! its authors.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, bail, ensure};

use super::map;
use crate::model::{Enum, EnumStyle, Field, Schema, Struct};
use crate::text::{number, wrapped};
use crate::{Output, table};

/// The document.
pub const PATH: &str = "schema/README.md";
const START: &str = "<!-- generated:";
const START_END: &str = " -->";
const END: &str = "<!-- end -->";

/// The document with fresh tables. Every struct and enum needs a marker, and only those may have
/// one.
pub fn print(schema: &Schema, current: &str) -> Result<Output> {
    let mut missing: BTreeSet<&str> = names(schema).collect();
    let (mut out, mut rest) = (String::new(), current);
    while let Some(at) = rest.find(START) {
        let (before, marker) = rest.split_at(at);
        let Some((name, after)) = marker[START.len()..].split_once(START_END) else {
            bail!("{PATH}: a marker does not end in `{START_END}`");
        };
        let Some((_, after)) = after.split_once(END) else {
            bail!("{PATH}: the marker of {name} has no `{END}`");
        };
        ensure!(missing.remove(name), "{PATH}: nothing new in the schema is called {name:?}");
        let section = section(schema, name);
        let _ = write!(out, "{before}{START}{name}{START_END}\n{section}{END}");
        rest = after;
    }
    ensure!(missing.is_empty(), "{PATH} has no `{START}NAME{START_END}` for {missing:?}");
    Ok(Output::text(PATH, out + rest))
}

fn names(schema: &Schema) -> impl Iterator<Item = &str> {
    let enums = schema.enums.iter().map(|item| item.name.as_str());
    enums.chain(schema.structs.iter().map(|one| one.name.as_str())).chain(["layout_hash"])
}

fn section(schema: &Schema, name: &str) -> String {
    match (schema.find_enum(name), schema.find_struct(name)) {
        (Some(item), _) => enumeration(item),
        (None, Some(one)) => structure(schema, one),
        (None, None) => {
            let (version, hash) = (table::version(schema), table::hash(schema));
            format!("Layout version {version}, LAYOUT_HASH `{hash:#018x}`.\n")
        }
    }
}

fn enumeration(item: &Enum) -> String {
    let style = match item.style {
        EnumStyle::Choice => "one of these",
        EnumStyle::Flags => "any of these bits",
        EnumStyle::Constants => "constants",
    };
    let mut out = paragraph(&item.doc);
    let _ = writeln!(
        out,
        "`{}`, {style}.\n\n| Number | Name | Meaning |\n|---:|---|---|",
        item.scalar.name()
    );
    for value in &item.values {
        let (number, meaning) = (number(value.value), cell(&value.doc));
        let _ = writeln!(out, "| {number} | `{}` | {meaning} |", value.name);
    }
    out
}

fn structure(schema: &Schema, one: &Struct) -> String {
    let mut out = paragraph(&one.doc);
    let _ = writeln!(out, "{} bytes, aligned to {}.\n", one.size, one.align);
    if !one.wire {
        let _ = writeln!(out, "```text\n{}```\n", map::draw(one));
    }
    out += "| Offset | Bytes | Field | Type | Meaning |\n|---:|---:|---|---|---|\n";
    for field in &one.fields {
        let Field { name, offset, size, .. } = field;
        let kind = field.type_name();
        let meaning = meaning(schema, field);
        let _ = writeln!(out, "| {offset} | {size} | `{name}` | `{kind}` | {meaning} |");
    }
    out
}

fn meaning(schema: &Schema, field: &Field) -> String {
    let mut out = cell(&field.doc);
    let mut add = |note: String| {
        let space = if out.is_empty() { "" } else { " " };
        out = format!("{out}{space}{note}");
    };
    if let Some(note) = field.unit_note() {
        add(note);
    }
    let item = field.kind.as_ref().and_then(|kind| schema.find_enum(kind));
    if let Some(item) = item.filter(|item| item.style == EnumStyle::Flags) {
        add(format!("Bits of {}, a {}.", item.name, item.scalar.name()));
    }
    if field.text {
        add("UTF-8, padded with zeros.".to_owned());
    }
    out
}

fn paragraph(doc: &[String]) -> String {
    if doc.is_empty() { String::new() } else { format!("{}\n\n", wrapped(&doc.join(" "), 100)) }
}

fn cell(doc: &[String]) -> String {
    doc.join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let doc = vec!["One of two | three.".to_owned()];
        let value = crate::model::EnumValue { name: "A".into(), value: 1, doc };
        let item = Enum {
            name: "Mode".into(),
            namespace: "framelane".into(),
            file: "kinds".into(),
            doc: Vec::new(),
            scalar: crate::model::Scalar::U8,
            style: EnumStyle::Choice,
            values: vec![value],
        };
        Schema { enums: vec![item], structs: Vec::new() }
    }

    #[test]
    fn only_what_stands_between_markers_changes() {
        let old = "# Prose\n<!-- generated:layout_hash --><!-- end -->\nmore\n\
                   <!-- generated:Mode -->\nstale\n<!-- end -->\nlast";
        let new = String::from_utf8(print(&schema(), old).unwrap().content).unwrap();
        assert!(new.starts_with("# Prose\n<!-- generated:layout_hash -->\nLayout version 0"));
        assert!(new.ends_with("| 1 | `A` | One of two \\| three. |\n<!-- end -->\nlast"));
        assert!(!new.contains("stale") && new.contains("\nmore\n"));
        let again = print(&schema(), &new).unwrap();
        assert_eq!(again.content, new.into_bytes());
    }

    #[test]
    fn markers_match_the_schema() {
        let both = "<!-- generated:layout_hash --><!-- end --><!-- generated:Mode --><!-- end -->";
        assert!(print(&schema(), both).is_ok());
        for wrong in [
            "<!-- generated:layout_hash --><!-- end -->".to_owned(),
            both.to_owned() + "<!-- generated:Mode --><!-- end -->",
            both.to_owned() + "<!-- generated:Gone --><!-- end -->",
            both.to_owned() + "<!-- generated:Mode",
            both.replace(END, ""),
        ] {
            assert!(print(&schema(), &wrong).is_err(), "{wrong}");
        }
    }
}
