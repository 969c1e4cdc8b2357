//! Rust: the layout as data, for the `schema` command and for the layout-table message.

use std::fmt::Write as _;

use crate::HEADER;
use crate::model::Schema;
use crate::table;

/// `table.rs`.
pub fn print(schema: &Schema) -> String {
    let mut out = format!("// {HEADER}\n{HEAD}");
    let hash = format!("{:016x}", table::hash(schema));
    let hash: Vec<&str> = [0, 4, 8, 12].iter().map(|at| &hash[*at..at + 4]).collect();
    let _ = writeln!(out, "pub const LAYOUT_HASH: u64 = 0x{};\n", hash.join("_"));
    out += "/// Every field of every struct, by struct and offset.\n";
    out += "pub const FIELDS: &[FieldLayout] = &[\n";
    for one in &schema.structs {
        for field in &one.fields {
            let (kind, offset, size) = (field.type_name(), field.offset, field.size);
            let _ = writeln!(
                out,
                "    row({:?}, {:?}, {kind:?}, {offset}, {size}),",
                one.name, field.name
            );
        }
    }
    out += "];\n\n";
    out += "/// The layout table as compact JSON. LAYOUT_HASH is the FNV-1a hash of these bytes.\n";
    out += "pub const fn layout_table() -> &'static str {\n    concat!(\n";
    for piece in table::pieces(schema) {
        let _ = writeln!(out, "        r#\"{piece}\"#,");
    }
    out + "    )\n}\n"
}

const HEAD: &str = r"//! The layout as data.

/// Where one field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLayout {
    /// Name of the struct.
    pub structure: &'static str,
    /// Name of the field.
    pub field: &'static str,
    /// Name of its type: `u32`, `Mode`, `Plane[4]`, `atomic_u64[64]`.
    pub type_name: &'static str,
    /// From the start of the struct, in bytes.
    pub offset: u32,
    /// Of the whole field, in bytes.
    pub size: u32,
}

const fn row(
    structure: &'static str,
    field: &'static str,
    type_name: &'static str,
    offset: u32,
    size: u32,
) -> FieldLayout {
    FieldLayout { structure, field, type_name, offset, size }
}

/// Names this layout, down to each offset and enum number.
";
