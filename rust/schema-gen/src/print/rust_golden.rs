//! Rust: a unit test of the core that decodes every golden image, field by field, and encodes it
//! again.

use std::fmt::Write as _;

use crate::model::{EnumStyle, Schema};
use crate::text::{camel, snake};
use crate::{HEADER, golden};

/// `golden.rs`.
pub fn print(schema: &Schema) -> String {
    let mut out = format!("// {HEADER}\n{HEAD}");
    for one in &schema.structs {
        let fields: Vec<&str> = one.fields.iter().map(|field| field.name.as_str()).collect();
        let _ = writeln!(out, "golden_struct! {{ {}:", one.name);
        for chunk in fields.chunks(6) {
            let _ = writeln!(out, "    {},", chunk.join(", "));
        }
        out += "}\n";
    }
    let folder = format!("../../../../{}", golden::folder(schema));
    out += "\n#[test]\nfn every_field_of_the_golden_images_decodes_and_encodes() {\n";
    out += "    let mut lines = Vec::new();\n";
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(out, "    let image = include_bytes!(\"{folder}/{name}.bin\");");
        let _ = writeln!(out, "    round_trip::<super::{name}>({name:?}, image, &mut lines);");
    }
    out += "    numbers(&mut lines);\n";
    let _ = writeln!(out, "    let expected = include_str!(\"{folder}/expected.json\");");
    out += TAIL;
    out += "\nfn numbers(lines: &mut Vec<String>) {\n";
    for (item, value) in schema.numbers() {
        let (name, value) = (&item.name, &value.name);
        let number = match item.style {
            EnumStyle::Choice => format!("{name}::{}.number()", camel(value)),
            EnumStyle::Flags => format!("{name}::{value}"),
            EnumStyle::Constants => format!("{}::{value}", snake(name)),
        };
        let _ = writeln!(out, "    super::{number}.show(\"{name}.{value}\", lines);");
    }
    out + "}\n"
}

const HEAD: &str = r#"//! Golden images: every field stands where the images have it.

use std::array::from_fn;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use zerocopy::{FromBytes, IntoBytes, KnownLayout};

/// What a field holds, in the words of expected.json.
trait Golden {
    /// A number or a list of numbers; None for structs.
    fn text(&self) -> Option<String>;
    fn show(&self, path: &str, lines: &mut Vec<String>) {
        lines.extend(self.text().map(|text| format!("{path:?}: {text}")));
    }
    /// The same value, put together field by field.
    fn copy(&self) -> Self;
}

macro_rules! golden_number {
    ($($number:ty: $value:ident => $text:expr, $copy:expr;)*) => { $(
        impl Golden for $number {
            fn text(&self) -> Option<String> { let $value = self; Some($text.to_string()) }
            fn copy(&self) -> Self { let $value = self; $copy }
        }
    )* };
}

golden_number! {
    u8: n => n, *n; u16: n => n, *n; u32: n => n, *n; u64: n => n, *n;
    i8: n => n, *n; i16: n => n, *n; i32: n => n, *n; i64: n => n, *n;
    f32: n => n, *n; f64: n => n, *n;
    AtomicU32: n => n.load(Relaxed), AtomicU32::new(n.load(Relaxed));
    AtomicU64: n => n.load(Relaxed), AtomicU64::new(n.load(Relaxed));
}

impl<T: Golden, const N: usize> Golden for [T; N] {
    fn text(&self) -> Option<String> {
        let all: Option<Vec<String>> = self.iter().map(Golden::text).collect();
        Some(format!("[{}]", all?.join(", ")))
    }

    fn show(&self, path: &str, lines: &mut Vec<String>) {
        match self.text() {
            Some(text) => lines.push(format!("{path:?}: {text}")),
            None => (0..N).for_each(|i| self[i].show(&format!("{path}[{i}]"), lines)),
        }
    }

    fn copy(&self) -> Self { from_fn(|i| self[i].copy()) }
}

macro_rules! golden_struct {
    ($name:ident: $($field:ident),* $(,)?) => {
        impl Golden for super::$name {
            fn text(&self) -> Option<String> { None }

            fn show(&self, path: &str, lines: &mut Vec<String>) {
                $(self.$field.show(&format!("{path}.{}", stringify!($field)), lines);)*
            }

            fn copy(&self) -> Self { Self { $($field: self.$field.copy()),* } }
        }
    };
}

fn round_trip<T>(name: &str, image: &[u8], lines: &mut Vec<String>)
where
    T: Golden + FromBytes + IntoBytes + KnownLayout,
{
    let decoded = T::read_from_bytes(image).expect(name);
    decoded.show(name, lines);
    assert!(decoded.copy().as_mut_bytes() == image, "{name} encodes to other bytes");
}

"#;

const TAIL: &str = r#"    let expected = expected.lines().filter(|line| line.starts_with('"'));
    let expected: Vec<&str> = expected.map(|line| line.trim_end_matches(',')).collect();
    assert!(!expected.is_empty());
    for (found, expected) in lines.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(lines.len(), expected.len());
}
"#;
