//! Reads flatc's reflection data (`.bfbs`) into the model.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use flatbuffers::{ForwardsUOffset, Vector};
use flatbuffers_reflection::reflection::{self, BaseType, KeyValue, root_as_schema};

use crate::model::{Base, Enum, EnumStyle, EnumValue, Field, Scalar, Schema, Struct};

type Attributes<'a> = Option<Vector<'a, ForwardsUOffset<KeyValue<'a>>>>;
type Lines<'a> = Option<Vector<'a, ForwardsUOffset<&'a str>>>;

/// Reads a whole schema.
pub fn read(bfbs: &[u8]) -> Result<Schema> {
    let root = root_as_schema(bfbs).context("this is no FlatBuffers reflection data")?;
    let mut enums: Vec<Enum> = root.enums().iter().map(read_enum).collect::<Result<_>>()?;
    enums.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    let objects: Vec<_> = root.objects().iter().collect();
    let mut by_name = BTreeMap::new();
    for object in &objects {
        let structure = read_struct(&root, *object)?;
        by_name.insert((structure.file.clone(), structure.name.clone()), structure);
    }
    Ok(Schema { enums, structs: in_order_of_use(by_name)? })
}

fn in_order_of_use(mut waiting: BTreeMap<(String, String), Struct>) -> Result<Vec<Struct>> {
    let mut ready: Vec<Struct> = Vec::new();
    while !waiting.is_empty() {
        let defined = |name: &str| ready.iter().any(|structure| structure.name == name);
        let complete = |structure: &Struct| {
            structure.fields.iter().all(|field| match &field.base {
                Base::Struct(name) => defined(name),
                _ => true,
            })
        };
        let Some(key) = waiting.iter().find(|(_, one)| complete(one)).map(|(key, _)| key.clone())
        else {
            bail!("structs contain each other: {:?}", waiting.keys());
        };
        ready.extend(waiting.remove(&key));
    }
    Ok(ready)
}

fn read_enum(item: reflection::Enum<'_>) -> Result<Enum> {
    let (namespace, name) = split(item.name());
    ensure!(!item.is_union(), "{name} is a union: only enums and structs have a fixed layout");
    let attributes = item.attributes();
    let style = match () {
        () if has(attributes, "constants") => EnumStyle::Constants,
        () if has(attributes, "bit_flags") => EnumStyle::Flags,
        () => EnumStyle::Choice,
    };
    let value = |value: reflection::EnumVal<'_>| EnumValue {
        name: value.name().to_owned(),
        value: value.value() as u64,
        doc: doc(value.documentation()),
    };
    let scalar = scalar(item.underlying_type().base_type());
    Ok(Enum {
        scalar: scalar.with_context(|| format!("{name} is no enum of numbers"))?,
        file: file(item.declaration_file()),
        doc: doc(item.documentation()),
        values: item.values().iter().map(value).collect(),
        name,
        namespace,
        style,
    })
}

fn read_struct(root: &reflection::Schema<'_>, object: reflection::Object<'_>) -> Result<Struct> {
    let (namespace, name) = split(object.name());
    let mut fields = Vec::new();
    for field in object.fields().iter() {
        let field = read_field(root, field, object.is_struct());
        fields.push(field.with_context(|| format!("struct {name}"))?);
    }
    fields.sort_by_key(|field| field.offset);
    Ok(Struct {
        file: file(object.declaration_file()),
        doc: doc(object.documentation()),
        size: u64::try_from(object.bytesize())?,
        align: u64::try_from(object.minalign())?,
        fixed: object.is_struct(),
        wire: has(object.attributes(), "wire"),
        fields,
        name,
        namespace,
    })
}

fn read_field(
    root: &reflection::Schema<'_>,
    field: reflection::Field<'_>,
    fixed: bool,
) -> Result<Field> {
    let kind = field.type_();
    let array = kind.base_type() == BaseType::Array;
    let element = if array { kind.element() } else { kind.base_type() };
    let index = usize::try_from(kind.index()).ok();
    let attributes = field.attributes();
    let mut enum_name = value(attributes, "kind");
    // The reflection data states a wrong element size for arrays of structs, so sizes come from the
    // struct.
    let (base, size) = match (scalar(element), element) {
        (Some(scalar), _) => {
            enum_name = enum_name.or(index.map(|index| split(root.enums().get(index).name()).1));
            (Base::Scalar(scalar), scalar.size())
        }
        (None, BaseType::Obj) => {
            let object = root.objects().get(index.context("a struct field without its struct")?);
            (Base::Struct(split(object.name()).1), u64::try_from(object.bytesize())?)
        }
        (None, other) => (Base::Unsized(other.variant_name().unwrap_or("?").to_owned()), 0),
    };
    let count = array.then(|| u64::from(kind.fixed_length()));
    Ok(Field {
        name: field.name().to_owned(),
        doc: doc(field.documentation()),
        base,
        count,
        offset: if fixed { u64::from(field.offset()) } else { u64::from(field.id()) },
        size: size * count.unwrap_or(1),
        padding: u64::from(field.padding()),
        kind: enum_name,
        unit: value(attributes, "unit"),
        atomic: has(attributes, "atomic"),
        text: has(attributes, "text"),
    })
}

fn scalar(base: BaseType) -> Option<Scalar> {
    Some(match base {
        BaseType::UByte | BaseType::UType => Scalar::U8,
        BaseType::UShort => Scalar::U16,
        BaseType::UInt => Scalar::U32,
        BaseType::ULong => Scalar::U64,
        BaseType::Byte => Scalar::I8,
        BaseType::Short => Scalar::I16,
        BaseType::Int => Scalar::I32,
        BaseType::Long => Scalar::I64,
        BaseType::Float => Scalar::F32,
        BaseType::Double => Scalar::F64,
        BaseType::Bool => Scalar::Bool,
        _ => return None,
    })
}

fn split(name: &str) -> (String, String) {
    match name.rsplit_once('.') {
        Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

fn file(path: Option<&str>) -> String {
    let name = path.unwrap_or_default().trim_start_matches('/');
    name.trim_end_matches(".fbs").to_owned()
}

fn doc(lines: Lines<'_>) -> Vec<String> {
    lines.iter().flatten().map(|line| line.trim().to_owned()).collect()
}

fn value(attributes: Attributes<'_>, key: &str) -> Option<String> {
    let mut all = attributes.iter().flatten();
    all.find(|one| one.key() == key).map(|one| one.value().unwrap_or_default().to_owned())
}

fn has(attributes: Attributes<'_>, key: &str) -> bool {
    value(attributes, key).is_some()
}
