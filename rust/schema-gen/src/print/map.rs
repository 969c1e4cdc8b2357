//! A struct drawn as memory: 16 bytes a row, a double line wherever a cache line begins.

use std::fmt::Write as _;

use crate::model::{Field, Struct};

const ROW: u64 = 16;
/// Characters for one byte, its border included.
const BYTE: usize = 5;
const LINE: u64 = 64;

/// The drawing, with offsets on the left.
pub fn draw(one: &Struct) -> String {
    let mut out = String::from("       ");
    for byte in (0..ROW).step_by(4) {
        let _ = write!(out, "+{byte:<width$}", width = 4 * BYTE - 1);
    }
    out = out.trim_end().to_owned() + "\n";
    let mut at = 0;
    while at < one.size {
        let end = (at + ROW).min(one.size);
        // Rows that one field fills from edge to edge are drawn once, however many they are.
        let filled = one.fields.iter().find(|field| {
            field.offset <= at && field.offset + field.size >= end && field.size > 2 * ROW
        });
        let next = filled.map_or(end, |field| {
            let field_end = field.offset + field.size;
            (field_end - field_end % ROW).max(end)
        });
        out += &border(at);
        let _ = writeln!(out, "{at:>5}  |{}", cells(one, at, end, next > end));
        at = next;
    }
    out + &border(one.size)
}

fn border(at: u64) -> String {
    let line = if at % LINE == 0 { "=" } else { "-" };
    format!("       +{}+\n", line.repeat(ROW as usize * BYTE - 1))
}

fn cells(one: &Struct, from: u64, end: u64, folded: bool) -> String {
    let inside = |field: &&Field| field.offset < end && field.offset + field.size > from;
    let mut out = String::new();
    for field in one.fields.iter().filter(inside) {
        let bytes = (field.offset + field.size).min(end) - field.offset.max(from);
        let width = bytes as usize * BYTE - 1;
        let mut label = format!(" {}", field.name);
        if field.count.is_some()
            && (field.offset + field.size > end || field.offset < from || folded)
        {
            let _ = write!(label, ": {}", field.type_name());
        }
        if folded {
            let _ = write!(label, ", {} bytes from {}", field.size, field.offset);
        }
        if label.len() > width {
            label.truncate(width - 1);
            label.push('~');
        }
        let _ = write!(out, "{label:<width$}|");
    }
    out
}
