//! Naming what differs between two layouts.

use crate::layout::{FIELDS, FieldLayout};
use serde_json::Value;

/// The first difference between a peer's compact layout table and ours, in words.
///
/// `peer` comes from another process: whatever is wrong with it ends up in the words.
pub fn first_difference(peer: &str) -> String {
    let Ok(table) = serde_json::from_str::<Value>(peer) else {
        return "the peer's layout table cannot be read".into();
    };
    let Some(structs) = table.get("structs").and_then(Value::as_object) else {
        return "the peer's layout table has no structs".into();
    };
    for field in FIELDS {
        if let Some(difference) = differs(structs.get(field.structure), field) {
            return difference;
        }
    }
    "every struct agrees; an enum or a constant differs".into()
}

fn differs(theirs: Option<&Value>, ours: &FieldLayout) -> Option<String> {
    let name = format!("{}.{}", ours.structure, ours.field);
    let rows = theirs.and_then(|s| s.get("fields")).and_then(Value::as_array);
    let Some(rows) = rows else {
        return Some(format!("struct {} is missing on the peer's side", ours.structure));
    };
    let row = rows.iter().find(|row| row.get(0).and_then(Value::as_str) == Some(ours.field));
    let Some(row) = row else {
        return Some(format!("{name} is missing on the peer's side"));
    };
    let kind = row.get(1).and_then(Value::as_str).unwrap_or("?");
    if kind != ours.type_name {
        return Some(format!("{name} is {} here and {kind} there", ours.type_name));
    }
    let offset = row.get(2).and_then(Value::as_u64);
    if offset != Some(ours.offset.into()) {
        let there = offset.map_or("nowhere".into(), |at| at.to_string());
        return Some(format!("{name} is at offset {} here and {there} there", ours.offset));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::layout_table;

    #[test]
    fn the_same_table_has_no_differing_field() {
        let same = first_difference(layout_table());
        assert!(same.starts_with("every struct agrees"), "{same}");
    }

    #[test]
    fn the_first_differing_field_is_named() {
        let moved = layout_table().replacen("[\"width\",\"u32\",68]", "[\"width\",\"u32\",72]", 1);
        let text = first_difference(&moved);
        assert_eq!(text, "FrameDescriptor.width is at offset 68 here and 72 there");
        let other = layout_table().replacen("[\"width\",\"u32\"", "[\"width\",\"u64\"", 1);
        assert_eq!(first_difference(&other), "FrameDescriptor.width is u32 here and u64 there");
        for garbage in ["", "{", "[]", "{\"structs\":7}", "{\"structs\":{}}"] {
            assert!(!first_difference(garbage).is_empty(), "{garbage}");
        }
    }
}
