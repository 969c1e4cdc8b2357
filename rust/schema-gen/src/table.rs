//! The canonical layout table, its hash, and the lock file.
//!
//! The table is one JSON object: version, then each enum with its numbers, then each struct with
//! size, alignment and fields `[name, type, offset]`, in schema order. LAYOUT_HASH is the 64-bit
//! FNV-1a hash of its compact form, the very bytes that travel behind a Refused(LAYOUT_MISMATCH).

use crate::model::{Enum, EnumStyle, Schema, Struct};

/// Version of the layout, from the schema's own constant.
pub fn version(schema: &Schema) -> u64 {
    schema.constant("Layout", "VERSION").unwrap_or_default()
}

/// The table in its compact form, in pieces of one struct, field or enum each.
pub fn pieces(schema: &Schema) -> Vec<String> {
    let mut out = vec![format!("{{\"version\":{},\"enums\":{{", version(schema))];
    for (index, item) in schema.enums.iter().enumerate() {
        out.push(format!("{}{}", comma(index), enum_piece(item)));
    }
    out.push("},\"structs\":{".to_owned());
    for (index, structure) in schema.structs.iter().enumerate() {
        let start = struct_start(structure);
        out.push(format!("{}{start}", comma(index)));
        for (index, field) in structure.fields.iter().enumerate() {
            let kind = field.type_name();
            out.push(format!("{}[\"{}\",\"{kind}\",{}]", comma(index), field.name, field.offset));
        }
        out.push("]}".to_owned());
    }
    out.push("}}".to_owned());
    out
}

fn comma(index: usize) -> &'static str {
    if index == 0 { "" } else { "," }
}

fn enum_piece(item: &Enum) -> String {
    let style = match item.style {
        EnumStyle::Choice => "choice",
        EnumStyle::Flags => "flags",
        EnumStyle::Constants => "constants",
    };
    let value = |value: &crate::model::EnumValue| format!("\"{}\":{}", value.name, value.value);
    let values: Vec<String> = item.values.iter().map(value).collect();
    let kind = item.scalar.name();
    let values = values.join(",");
    format!(
        "\"{}\":{{\"type\":\"{kind}\",\"style\":\"{style}\",\"values\":{{{values}}}}}",
        item.name
    )
}

fn struct_start(one: &Struct) -> String {
    let Struct { name, size, align, .. } = one;
    format!("\"{name}\":{{\"size\":{size},\"align\":{align},\"fields\":[")
}

/// The table in its compact form.
pub fn compact(schema: &Schema) -> String {
    pieces(schema).concat()
}

/// LAYOUT_HASH.
pub fn hash(schema: &Schema) -> u64 {
    fnv1a(compact(schema).as_bytes())
}

/// 64-bit FNV-1a.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// `layout.lock.json`: the hash and the table, one field or enum a line so that a change reads
/// well.
pub fn lock(schema: &Schema) -> String {
    let mut out = format!("{{\n\"layout_hash\": \"{:#018x}\",\n\"table\":\n", hash(schema));
    for piece in pieces(schema) {
        out += &piece;
        out.push('\n');
    }
    out + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_matches_its_published_vectors() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
