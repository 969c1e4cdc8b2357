//! Golden images: one binary image of each struct; what every field of it holds, and every enum's
//! numbers.
//!
//! Each field has a pattern of its own, made from its path, so that a field read from a wrong
//! place, in a wrong width or order, shows. Images of a released layout version are never changed
//! again.

use std::fmt::Write as _;

use crate::model::{Base, EnumStyle, Field, Scalar, Schema};
use crate::{Output, table};

/// The folder of the schema's layout version.
pub fn folder(schema: &Schema) -> String {
    format!("schema/golden/v{}", table::version(schema))
}

/// The images, what they hold, and the lock of their version.
pub fn print(schema: &Schema) -> Vec<Output> {
    let folder = folder(schema);
    let lock = Output::text(&format!("{folder}/layout.lock.json"), table::lock(schema));
    let (mut out, mut lines) = (vec![lock], Vec::new());
    for one in &schema.structs {
        let bytes = vec![0; one.size as usize];
        let mut image = Image { schema, bytes, lines: Vec::new(), used: Vec::new() };
        image.fill(&one.name, &one.name, 0);
        lines.append(&mut image.lines);
        out.push(Output { path: format!("{folder}/{}.bin", one.name), content: image.bytes });
    }
    for (item, value) in schema.numbers() {
        lines.push(format!("\"{}.{}\": {}", item.name, value.name, value.value));
    }
    // One field or number a line: every reader of the images prints these very lines.
    let expected = format!("{{\n{}\n}}\n", lines.join(",\n"));
    out.push(Output::text(&format!("{folder}/expected.json"), expected));
    out
}

struct Image<'a> {
    schema: &'a Schema,
    bytes: Vec<u8>,
    lines: Vec<String>,
    /// Single-byte values so far: neighbours that a wrong offset would swap shall differ.
    used: Vec<u64>,
}

impl Image<'_> {
    fn fill(&mut self, name: &str, path: &str, start: u64) {
        for field in &self.schema.contained(name).fields {
            let path = format!("{path}.{}", field.name);
            match &field.base {
                Base::Struct(inner) => self.fill_structs(inner, field, &path, start),
                Base::Scalar(scalar) => self.fill_numbers(*scalar, field, &path, start),
                Base::Unsized(_) => unreachable!("the lints refuse it"),
            }
        }
    }

    fn fill_structs(&mut self, inner: &str, field: &Field, path: &str, start: u64) {
        let size = self.schema.contained(inner).size;
        match field.count {
            None => self.fill(inner, path, start + field.offset),
            Some(count) => {
                for index in 0..count {
                    let at = start + field.offset + index * size;
                    self.fill(inner, &format!("{path}[{index}]"), at);
                }
            }
        }
    }

    fn fill_numbers(&mut self, scalar: Scalar, field: &Field, path: &str, start: u64) {
        let mut shown = Vec::new();
        for index in 0..field.count.unwrap_or(1) {
            let bits = match field.text {
                true => letter(path, index, field.count.unwrap_or(1)),
                false => self.pattern(field, scalar, &format!("{path}[{index}]")),
            };
            let at = (start + field.offset + index * scalar.size()) as usize;
            let size = scalar.size() as usize;
            self.bytes[at..at + size].copy_from_slice(&bits.to_le_bytes()[..size]);
            shown.push(value_text(scalar, bits));
        }
        let mut line = format!("{path:?}: ");
        let _ = match field.count {
            Some(_) => write!(line, "[{}]", shown.join(", ")),
            None => write!(line, "{}", shown.join("")),
        };
        self.lines.push(line);
    }

    /// The bits of a number: no two paths alike, never 0, an enum's numbers only where it has some.
    fn pattern(&mut self, field: &Field, scalar: Scalar, path: &str) -> u64 {
        let mixed = mix(table::fnv1a(path.as_bytes()));
        if let Some(item) = field.kind.as_ref().and_then(|kind| self.schema.find_enum(kind)) {
            let values: Vec<u64> =
                item.values.iter().map(|v| v.value).filter(|v| *v != 0).collect();
            let value = |index: u64| values[(index % values.len() as u64) as usize];
            if item.style == EnumStyle::Flags {
                return value(mixed) | value(mixed >> 32);
            }
            let start = mixed % values.len() as u64;
            return self.unused((start..).map(value).take(values.len()));
        }
        // With a quarter, so that every language prints the fraction, and prints it alike.
        let fraction = ((mixed % 8000) as f64 - 4000.0) + 0.25;
        match scalar {
            Scalar::F32 => u64::from((fraction as f32).to_bits()),
            Scalar::F64 => fraction.to_bits(),
            Scalar::U64 | Scalar::I64 => mixed,
            Scalar::U8 | Scalar::I8 if field.count.is_none() => {
                self.unused((0..255).map(|step| ((mixed >> 8) + step) % 255 + 1))
            }
            _ => mixed % ((1 << (8 * scalar.size())) - 1) + 1,
        }
    }

    /// The first value that no byte of this image has yet, else just the first.
    fn unused(&mut self, values: impl Iterator<Item = u64> + Clone) -> u64 {
        let first = values.clone().next().unwrap_or(1);
        let value = values.clone().find(|value| !self.used.contains(value)).unwrap_or(first);
        self.used.push(value);
        value
    }
}

/// Text says where it stands; the end of the path, because that is where paths differ.
fn letter(path: &str, index: u64, count: u64) -> u64 {
    let skip = path.len().saturating_sub(count as usize - 1);
    u64::from(path.as_bytes()[skip..].get(index as usize).copied().unwrap_or(0))
}

/// Spreads every bit of the hash over all others.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 29)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (bits ^ (bits >> 32)).max(1)
}

fn value_text(scalar: Scalar, bits: u64) -> String {
    match scalar {
        Scalar::F32 => f32::from_bits(bits as u32).to_string(),
        Scalar::F64 => f64::from_bits(bits).to_string(),
        Scalar::I8 => (bits as i8).to_string(),
        Scalar::I16 => (bits as i16).to_string(),
        Scalar::I32 => (bits as i32).to_string(),
        Scalar::I64 => (bits as i64).to_string(),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 | Scalar::Bool => bits.to_string(),
    }
}
