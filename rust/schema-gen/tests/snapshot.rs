//! The layout as a table under review: any change of a size, an offset or a number shows in the
//! diff.

use std::fmt::Write as _;

use framelane_schema_gen::reflect;

#[test]
fn the_layout_is_the_reviewed_one() {
    let bfbs = include_bytes!("../../../schema/framelane.bfbs");
    let schema = reflect::read(bfbs).unwrap();
    let mut text = String::new();
    for one in &schema.structs {
        let (name, size, align) = (&one.name, one.size, one.align);
        writeln!(text, "struct {name}: {size} bytes, aligned to {align}").unwrap();
        for field in &one.fields {
            let kind = field.type_name();
            writeln!(text, "  {:>5} {:>5}  {}: {kind}", field.offset, field.size, field.name)
                .unwrap();
        }
    }
    for item in &schema.enums {
        writeln!(text, "enum {}: {}, {:?}", item.name, item.scalar.name(), item.style).unwrap();
        for value in &item.values {
            writeln!(text, "  {:>5}  {}", value.value, value.name).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
