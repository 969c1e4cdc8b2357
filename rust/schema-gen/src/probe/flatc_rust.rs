//! Probe of the Rust that flatc prints.

use std::fmt::Write as _;

use crate::model::{Base, EnumStyle, Field, Schema, Struct};

/// `main.rs` beside flatc's `framelane_generated.rs`.
pub fn print(schema: &Schema) -> String {
    let mut out = HEAD.to_owned();
    for item in schema.enums_of(EnumStyle::Choice) {
        let name = &item.name;
        let _ = writeln!(
            out,
            "impl Text for {name} {{ fn text(&self) -> String {{ self.0.to_string() }} }}"
        );
    }
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(out, "\nfn show_{name}(at: &str, v: &{name}) {{\n{}}}", show(one));
        let _ =
            writeln!(out, "\nfn copy_{name}(to: &mut {name}, from: &{name}) {{\n{}}}", copy(one));
    }
    out += "\nfn main() {\n";
    for one in &schema.structs {
        let name = &one.name;
        let _ = writeln!(out, "    run!({name}, show_{name}, copy_{name});");
    }
    for (item, value) in schema.numbers() {
        let (name, value) = (&item.name, &value.name);
        let number = if item.style == EnumStyle::Flags { "bits()" } else { "0" };
        let _ = writeln!(out, "    one({name:?}, {value:?}, u64::from({name}::{value}.{number}));");
    }
    out + "}\n"
}

const HEAD: &str = r#"#![allow(non_snake_case)]
#[allow(warnings)]
mod framelane_generated;
use framelane_generated::framelane::*;

trait Text { fn text(&self) -> String; }

macro_rules! text {
    ($($number:ty)*) => { $(
        impl Text for $number { fn text(&self) -> String { self.to_string() } }
    )* };
}
text! { u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 }

fn one(at: &str, field: &str, value: impl Text) {
    println!("\"{at}.{field}\": {}", value.text());
}

fn list<T: Text>(at: &str, field: &str, values: impl Iterator<Item = T>) {
    let values: Vec<String> = values.map(|value| value.text()).collect();
    println!("\"{at}.{field}\": [{}]", values.join(", "));
}

fn copied<T: Default>(copy: fn(&mut T, &T), from: &T) -> T {
    let mut to = T::default();
    copy(&mut to, from);
    to
}

macro_rules! run {
    ($name:ident, $show:ident, $copy:ident) => {{
        let folder = |index| std::path::PathBuf::from(std::env::args_os().nth(index).unwrap());
        let file = concat!(stringify!($name), ".bin");
        let image = std::fs::read(folder(1).join(file)).unwrap();
        assert_eq!(image.len(), std::mem::size_of::<$name>(), "{file}");
        // SAFETY: the image is as long as the struct, whose alignment is 1.
        let decoded = unsafe { <&$name as flatbuffers::Follow>::follow(&image, 0) };
        $show(stringify!($name), decoded);
        let mut fresh = vec![0; image.len()];
        // SAFETY: as above, and nobody else refers to these bytes.
        $copy(unsafe { &mut *fresh.as_mut_ptr().cast::<$name>() }, decoded);
        std::fs::write(folder(2).join(file), fresh).unwrap();
    }};
}

"#;

fn show(one: &Struct) -> String {
    let mut out = String::new();
    for Field { name, base, count, .. } in &one.fields {
        let _ = match (base, count) {
            (Base::Struct(inner), None) => {
                writeln!(out, "    show_{inner}(&format!(\"{{at}}.{name}\"), v.{name}());")
            }
            (Base::Struct(inner), Some(count)) => writeln!(
                out,
                "    (0..{count}).for_each(|i| show_{inner}(&format!(\"{{at}}.{name}[{{i}}]\"), \
                 v.{name}().get(i)));"
            ),
            (_, None) => writeln!(out, "    one(at, {name:?}, v.{name}());"),
            (_, Some(_)) => writeln!(out, "    list(at, {name:?}, v.{name}().iter());"),
        };
    }
    out
}

fn copy(one: &Struct) -> String {
    let mut out = String::new();
    for Field { name, base, count, .. } in &one.fields {
        let _ = match (base, count) {
            (Base::Struct(inner), None) => {
                writeln!(out, "    to.set_{name}(&copied(copy_{inner}, from.{name}()));")
            }
            (Base::Struct(inner), Some(_)) => writeln!(
                out,
                "    to.set_{name}(&std::array::from_fn(|i| copied(copy_{inner}, \
                 from.{name}().get(i))));"
            ),
            (_, None) => writeln!(out, "    to.set_{name}(from.{name}());"),
            (_, Some(_)) => {
                writeln!(out, "    to.set_{name}(&std::array::from_fn(|i| from.{name}().get(i)));")
            }
        };
    }
    out
}
