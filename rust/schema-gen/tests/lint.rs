//! Each lint refuses a schema that breaks its rule, and the real schema breaks none.

use framelane_schema_gen::lint::{check, implicit_values};
use framelane_schema_gen::model::{
    Base, Enum, EnumStyle, EnumValue, Field, Scalar, Schema, Struct,
};

fn field(name: &str, scalar: Scalar, count: u64, offset: u64) -> Field {
    Field {
        name: name.into(),
        doc: Vec::new(),
        base: Base::Scalar(scalar),
        count: (count > 1).then_some(count),
        offset,
        size: scalar.size() * count,
        padding: 0,
        kind: None,
        unit: None,
        atomic: false,
        text: false,
    }
}

fn value(name: &str, value: u64) -> EnumValue {
    EnumValue { name: name.into(), value, doc: Vec::new() }
}

fn item(name: &str, style: EnumStyle, scalar: Scalar, values: Vec<EnumValue>) -> Enum {
    let (namespace, file) = ("framelane".into(), "kinds".into());
    Enum { name: name.into(), namespace, file, doc: Vec::new(), scalar, style, values }
}

/// A schema without a fault: one shared struct of 64 bytes, one enum, the limit of the table.
fn good() -> Schema {
    let limits = vec![value("LAYOUT_TABLE_BYTES", 4096)];
    Schema {
        enums: vec![
            item("Limit", EnumStyle::Constants, Scalar::U64, limits),
            item("Mode", EnumStyle::Choice, Scalar::U8, vec![value("LATEST", 1)]),
        ],
        structs: vec![Struct {
            name: "Header".into(),
            namespace: "framelane".into(),
            file: "lane".into(),
            doc: Vec::new(),
            size: 64,
            align: 8,
            fixed: true,
            wire: false,
            fields: vec![
                field("magic", Scalar::U64, 1, 0),
                field("width", Scalar::U32, 1, 8),
                field("mode", Scalar::U8, 1, 12),
                field("reserved", Scalar::U8, 51, 13),
            ],
        }],
    }
}

/// Spoils the good schema and expects exactly one complaint, with these words.
fn refused(words: &str, spoil: impl FnOnce(&mut Schema)) {
    let mut schema = good();
    spoil(&mut schema);
    let problems = check(&schema);
    assert_eq!(problems.len(), 1, "{words:?}: {problems:?}");
    assert!(problems[0].contains(words), "{words:?}: {problems:?}");
}

#[test]
fn the_sample_and_the_real_schema_pass() {
    assert_eq!(check(&good()), Vec::<String>::new());
    let bfbs = include_bytes!("../../../schema/framelane.bfbs");
    let real = framelane_schema_gen::reflect::read(bfbs).unwrap();
    assert!(real.structs.len() > 10 && real.enums.len() > 10);
    assert_eq!(check(&real), Vec::<String>::new());
}

#[test]
fn tables_strings_and_bools_are_refused() {
    refused("is a table", |schema| schema.structs[0].fixed = false);
    refused("has no fixed size", |schema| {
        schema.structs[0].fields[2].base = Base::Unsized("String".into());
    });
    refused("is a bool", |schema| schema.structs[0].fields[2].base = Base::Scalar(Scalar::Bool));
    refused("no known struct", |schema| {
        schema.structs[0].fields[3].base = Base::Struct("Plane".into());
    });
}

#[test]
fn padding_is_refused_wherever_it_is() {
    refused("bytes of implicit padding behind", |schema| schema.structs[0].fields[2].padding = 3);
    refused("in front of it", |schema| {
        schema.structs[0].fields[3] = field("reserved", Scalar::U8, 50, 14);
    });
    refused("at its end", |schema| schema.structs[0].fields[3].size = 50);
}

#[test]
fn alignment_is_the_natural_one() {
    refused("natural alignment", |schema| {
        schema.structs[0].fields = vec![
            field("mode", Scalar::U8, 1, 0),
            field("width", Scalar::U32, 1, 1),
            field("reserved", Scalar::U8, 59, 5),
        ];
        schema.structs[0].align = 4;
    });
    refused("its fields ask for", |schema| schema.structs[0].align = 16);
}

#[test]
fn shared_structs_fill_cache_lines() {
    let shrink = |schema: &mut Schema| {
        schema.structs[0].fields.truncate(1);
        schema.structs[0].size = 8;
    };
    refused("no multiple of 64", shrink);
    let mut message = good();
    shrink(&mut message);
    message.structs[0].wire = true;
    assert_eq!(check(&message), Vec::<String>::new(), "messages are exempt");
    let mut nested = good();
    shrink(&mut nested);
    let mut outer = good().structs.remove(0);
    outer.name = "Outer".into();
    let eight = Field { base: Base::Struct("Header".into()), ..field("x", Scalar::U64, 8, 0) };
    outer.fields = vec![eight];
    nested.structs.push(outer);
    assert_eq!(check(&nested), Vec::<String>::new(), "structs inside others are exempt");
}

#[test]
fn keywords_and_misspelt_names_are_refused() {
    // One word of each language: Go, C++, Python, Rust, Kotlin, C.
    for word in ["range", "namespace", "lambda", "impl", "when", "register"] {
        refused("keyword", |schema| schema.structs[0].fields[0].name = word.into());
    }
    refused("keyword", |schema| schema.enums[1].values[0].name = "NONE".into());
    refused("keyword", |schema| schema.enums[0].values.push(value("DEFAULT", 1)));
    refused("like frame_count", |schema| schema.structs[0].fields[0].name = "frameCount".into());
    refused("like FrameDescriptor", |schema| schema.structs[0].name = "lane_header".into());
    refused("like NO_FREE_SLOT", |schema| schema.enums[1].values[0].name = "Latest".into());
    refused("becomes a module", |schema| {
        schema.enums.push(item("Type", EnumStyle::Constants, Scalar::U64, Vec::new()));
    });
}

#[test]
fn namespaces_have_no_digits_and_agree() {
    refused("a digit in namespace", |schema| schema.enums[1].namespace = "framelane.v1".into());
    refused("is empty or has a keyword", |schema| schema.enums[1].namespace = String::new());
    refused("share one namespace", |schema| {
        let mut other = schema.structs[0].clone();
        (other.name, other.namespace) = ("Other".into(), "elsewhere".into());
        schema.structs.push(other);
    });
}

#[test]
fn attributes_fit_their_fields() {
    refused("has to be an array of ubyte", |schema| schema.structs[0].fields[1].text = true);
    refused("has to be a plain uint", |schema| schema.structs[0].fields[2].atomic = true);
    refused("no known enum", |schema| schema.structs[0].fields[2].kind = Some("Mood".into()));
    refused("not as wide", |schema| schema.structs[0].fields[1].kind = Some("Mode".into()));
}

#[test]
fn numbers_fit_and_the_table_fits_its_message() {
    refused("too large for a C enum", |schema| schema.enums[1].values[0].value = 1 << 31);
    refused("the layout table has", |schema| schema.enums[0].values[0].value = 64);
}

#[test]
fn enum_values_have_explicit_numbers() {
    let text = "/// enum Not { ME }\nenum Mode : ubyte (bit_flags) {\n  A = 0, // B\n  C,\n\
                D = 2 }\n\
                struct S { x: uint; }\nenum E : uint { F, G = 1 }";
    let problems = implicit_values("a.fbs", text);
    assert_eq!(
        problems,
        ["a.fbs: Mode.C has no explicit number", "a.fbs: E.F has no explicit number"]
    );
}
