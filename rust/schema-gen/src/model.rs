//! What the printers see: enums and fixed structs, in an order where nothing is used before it is
//! defined.

/// The whole layout.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Enums, constants included, by file and then by name.
    pub enums: Vec<Enum>,
    /// Structs, each after the ones it contains.
    pub structs: Vec<Struct>,
}

/// A machine number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scalar {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    Bool,
}

/// How the numbers of an enum are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnumStyle {
    /// One of the values.
    Choice,
    /// Any union of the values.
    Flags,
    /// Unrelated constants under one heading.
    Constants,
}

/// An enum and its numbers.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Enum {
    pub name: String,
    pub namespace: String,
    /// Name of the schema file without its ending.
    pub file: String,
    pub doc: Vec<String>,
    pub scalar: Scalar,
    pub style: EnumStyle,
    pub values: Vec<EnumValue>,
}

/// One member of an enum.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct EnumValue {
    pub name: String,
    pub value: u64,
    pub doc: Vec<String>,
}

/// A struct (or, for the lints to refuse, a table).
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Struct {
    pub name: String,
    pub namespace: String,
    /// Name of the schema file without its ending.
    pub file: String,
    pub doc: Vec<String>,
    pub size: u64,
    pub align: u64,
    /// False for a table.
    pub fixed: bool,
    /// A socket message.
    pub wire: bool,
    pub fields: Vec<Field>,
}

/// What a field, or each element of it, is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A number.
    Scalar(Scalar),
    /// Another struct, by name.
    Struct(String),
    /// Something that has no fixed size, such as a string or a vector.
    Unsized(String),
}

/// One field of a struct.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Field {
    pub name: String,
    pub doc: Vec<String>,
    pub base: Base,
    /// Number of elements of an array field.
    pub count: Option<u64>,
    pub offset: u64,
    /// Bytes of the whole field.
    pub size: u64,
    /// Bytes flatc left unused behind the field.
    pub padding: u64,
    /// Name of the enum whose numbers it holds.
    pub kind: Option<String>,
    pub unit: Option<String>,
    pub atomic: bool,
    /// Zero-padded UTF-8.
    pub text: bool,
}

impl Scalar {
    /// Bytes it takes, which is also its alignment.
    pub fn size(self) -> u64 {
        match self {
            Scalar::U8 | Scalar::I8 | Scalar::Bool => 1,
            Scalar::U16 | Scalar::I16 => 2,
            Scalar::U32 | Scalar::I32 | Scalar::F32 => 4,
            Scalar::U64 | Scalar::I64 | Scalar::F64 => 8,
        }
    }

    /// The name that the layout table and Rust use.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::U8 => "u8",
            Scalar::U16 => "u16",
            Scalar::U32 => "u32",
            Scalar::U64 => "u64",
            Scalar::I8 => "i8",
            Scalar::I16 => "i16",
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::Bool => "bool",
        }
    }

    /// True for numbers with a fraction.
    pub fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }
}

impl Field {
    /// The name of its type in the layout table: `u32`, `Mode`, `Plane[4]`, `atomic_u64[64]`.
    pub fn type_name(&self) -> String {
        let base = match (&self.kind, &self.base) {
            (Some(kind), _) => kind.clone(),
            (None, Base::Scalar(scalar)) => scalar.name().to_owned(),
            (None, Base::Struct(name) | Base::Unsized(name)) => name.clone(),
        };
        let atomic = if self.atomic { "atomic_" } else { "" };
        match self.count {
            Some(count) => format!("{atomic}{base}[{count}]"),
            None => format!("{atomic}{base}"),
        }
    }

    /// The unit as a sentence, where the field's name does not end in it already.
    pub fn unit_note(&self) -> Option<String> {
        let unit = self.unit.as_ref()?;
        (!self.name.ends_with(unit.as_str())).then(|| format!("In {unit}."))
    }

    /// Zero by contract, so nobody's business.
    pub fn is_reserved(&self) -> bool {
        self.name == "reserved" || self.name.starts_with("reserved_")
    }
}

impl Struct {
    /// True when a word of it is touched by several processes at once.
    pub fn has_atomics(&self) -> bool {
        self.fields.iter().any(|field| field.atomic)
    }
}

impl Schema {
    /// The struct of that name, if there is one.
    pub fn find_struct(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|structure| structure.name == name)
    }

    /// The enum of that name, if there is one.
    pub fn find_enum(&self, name: &str) -> Option<&Enum> {
        self.enums.iter().find(|item| item.name == name)
    }

    /// The struct a field contains. Only after the lints: they refuse unknown names.
    pub fn contained(&self, name: &str) -> &Struct {
        self.find_struct(name).unwrap_or_else(|| panic!("no struct {name} in the schema"))
    }

    /// True when the struct occurs only inside others.
    pub fn is_nested(&self, name: &str) -> bool {
        let inside = |field: &Field| field.base == Base::Struct(name.to_owned());
        self.structs.iter().any(|structure| structure.fields.iter().any(inside))
    }

    /// Every number of every enum.
    pub fn numbers(&self) -> impl Iterator<Item = (&Enum, &EnumValue)> {
        self.enums.iter().flat_map(|item| item.values.iter().map(move |value| (item, value)))
    }

    /// Enums of one style.
    pub fn enums_of(&self, style: EnumStyle) -> impl Iterator<Item = &Enum> {
        self.enums.iter().filter(move |item| item.style == style)
    }

    /// Value of one constant.
    pub fn constant(&self, group: &str, name: &str) -> Option<u64> {
        let group = self.find_enum(group)?;
        Some(group.values.iter().find(|value| value.name == name)?.value)
    }
}
