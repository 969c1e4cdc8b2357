//! Kotlin: enums, the offset of every field as a constant, and each struct as a view of its bytes.
//! Kotlin has no structs in memory, so what the compiler asserts elsewhere a printed test does.

use std::fmt::Write as _;

use super::kotlin_golden;
use crate::model::{Base, Enum, EnumStyle, Field, Scalar, Schema, Struct};
use crate::text::{lower_camel, number};
use crate::{HEADER, Output, table};

const FOLDER: &str = "rust/uniffi/kotlin/src";

/// The layout, and the test that reads the golden images with it.
pub fn print(schema: &Schema) -> Vec<Output> {
    let main = format!("{FOLDER}/main/kotlin/framelane/layout/Layout.kt");
    let test = format!("{FOLDER}/test/kotlin/framelane/layout/GoldenFields.kt");
    vec![Output::text(&main, layout(schema)), Output::text(&test, kotlin_golden::print(schema))]
}

fn layout(schema: &Schema) -> String {
    let mut out = format!("// {HEADER}\n{HEAD}");
    out += "/** Names this layout, down to each offset and enum number. */\n";
    let _ = writeln!(out, "public const val LAYOUT_HASH: ULong = {:#018x}uL", table::hash(schema));
    schema.enums.iter().for_each(|item| out += &enumeration(item));
    schema.structs.iter().for_each(|one| out += &structure(schema, one));
    out
}

const HEAD: &str = "
package framelane.layout

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A structure of the schema, seen in its bytes: what is changed here is changed there. */
public sealed class Structure(bytes: ByteBuffer, size: Int) {
    /** Its bytes, little-endian, the first at index 0. */
    public val bytes: ByteBuffer = bytes.slice().order(ByteOrder.LITTLE_ENDIAN)

    init {
        require(bytes.remaining() >= size) { \"${bytes.remaining()} bytes where $size are needed\" }
    }

    internal fun part(offset: Int, size: Int): ByteBuffer {
        val part = bytes.duplicate()
        part.position(offset).limit(offset + size)
        return part
    }

    internal fun text(offset: Int, size: Int): String {
        val raw = ByteArray(size)
        part(offset, size).get(raw)
        return raw.decodeToString(0, raw.indexOf(0).let { if (it < 0) size else it })
    }

    override fun equals(other: Any?): Boolean =
        other is Structure && javaClass == other.javaClass && bytes == other.bytes

    override fun hashCode(): Int = bytes.hashCode()
}

/** An element of an array. */
private fun place(index: Int, count: Int, offset: Int, size: Int): Int {
    require(index in 0 until count) { \"$index of $count\" }
    return offset + index * size
}

/** Zeroed bytes for a structure of one's own. */
private fun room(size: Int): ByteBuffer = ByteBuffer.allocate(size)

";

/// A type and how a buffer gives and takes it.
pub(super) struct Access {
    pub name: &'static str,
    get: &'static str,
    put: &'static str,
    /// Behind what was got, and behind what is to be put.
    from: &'static str,
    into: &'static str,
}

pub(super) fn access(scalar: Scalar) -> Access {
    let row = |name, get, put, from, into| Access { name, get, put, from, into };
    match scalar {
        Scalar::U8 | Scalar::Bool => row("UByte", "get", "put", ".toUByte()", ".toByte()"),
        Scalar::U16 => row("UShort", "getShort", "putShort", ".toUShort()", ".toShort()"),
        Scalar::U32 => row("UInt", "getInt", "putInt", ".toUInt()", ".toInt()"),
        Scalar::U64 => row("ULong", "getLong", "putLong", ".toULong()", ".toLong()"),
        Scalar::I8 => row("Byte", "get", "put", "", ""),
        Scalar::I16 => row("Short", "getShort", "putShort", "", ""),
        Scalar::I32 => row("Int", "getInt", "putInt", "", ""),
        Scalar::I64 => row("Long", "getLong", "putLong", "", ""),
        Scalar::F32 => row("Float", "getFloat", "putFloat", "", ""),
        Scalar::F64 => row("Double", "getDouble", "putDouble", "", ""),
    }
}

fn literal(scalar: Scalar, value: u64) -> String {
    match scalar {
        Scalar::U64 => format!("{}uL", number(value)),
        _ => format!("{}u", number(value)),
    }
}

fn documentation(indent: &str, doc: &[String], note: Option<String>) -> String {
    let lines: Vec<String> = doc.iter().cloned().chain(note).collect();
    match lines.as_slice() {
        [] => String::new(),
        [one] => format!("{indent}/** {one} */\n"),
        many => {
            let body: String = many.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

fn enumeration(item: &Enum) -> String {
    let (name, kind) = (&item.name, access(item.scalar).name);
    let mut out = format!("\n{}", documentation("", &item.doc, None));
    if item.style != EnumStyle::Choice {
        let _ = writeln!(out, "public object {name} {{");
        for value in &item.values {
            out += &documentation("    ", &value.doc, None);
            let number = literal(item.scalar, value.value);
            let _ = writeln!(out, "    public const val {}: {kind} = {number}", value.name);
        }
        return out + "}\n";
    }
    let _ = writeln!(out, "public enum class {name}(public val number: {kind}) {{");
    for value in &item.values {
        out += &documentation("    ", &value.doc, None);
        let _ = writeln!(out, "    {}({}),", value.name, literal(item.scalar, value.value));
    }
    out += "    ;\n\n    public companion object {\n";
    out += "        /** The one of this number, if there is one. */\n";
    let _ = writeln!(out, "        public fun of(number: {kind}): {name}? =");
    out + "            entries.firstOrNull { it.number == number }\n    }\n}\n"
}

fn structure(schema: &Schema, one: &Struct) -> String {
    let name = &one.name;
    let mut out = format!("\n{}", documentation("", &one.doc, None));
    let _ = writeln!(out, "public class {name}(bytes: ByteBuffer) : Structure(bytes, SIZE) {{");
    out += "    /** All of it zero. */\n    public constructor() : this(room(SIZE))\n";
    for field in one.fields.iter().filter(|field| !is_hidden(field)) {
        out += &accessor(schema, field);
    }
    out += "\n    /** Where each field is. */\n    public companion object {\n";
    let _ = writeln!(out, "        public const val SIZE: Int = {}", one.size);
    for field in &one.fields {
        let _ = writeln!(out, "        public const val {}: Int = {}", offset(field), field.offset);
    }
    out + "    }\n}\n"
}

/// Only the library touches words of several processes, and nobody what is zero by contract.
pub(super) fn is_hidden(field: &Field) -> bool {
    field.atomic || field.is_reserved()
}

pub(super) fn offset(field: &Field) -> String {
    format!("{}_OFFSET", field.name.to_ascii_uppercase())
}

fn accessor(schema: &Schema, field: &Field) -> String {
    let (name, at, size) = (lower_camel(&field.name), offset(field), field.size);
    let note = match &field.kind {
        Some(kind) => Some(format!("A number of [{kind}].")),
        None => field.unit_note(),
    };
    let doc = format!("\n{}", documentation("    ", &field.doc, note));
    let body = match (&field.base, field.count) {
        (Base::Scalar(_), Some(_)) if field.text => {
            format!("public val {name}: String get() = text({at}, {size})\n")
        }
        (Base::Scalar(Scalar::U8), Some(_)) => {
            format!("public val {name}: ByteBuffer get() = part({at}, {size}).slice()\n")
        }
        (Base::Scalar(scalar), Some(count)) => {
            let (Access { name: kind, get, from, .. }, each) = (access(*scalar), scalar.size());
            format!(
                "public fun {name}(index: Int): {kind} =\n        \
                 bytes.{get}(place(index, {count}, {at}, {each})){from}\n"
            )
        }
        (Base::Scalar(scalar), None) => {
            let Access { name: kind, get, put, from, into } = access(*scalar);
            format!(
                "public var {name}: {kind}\n        get() = bytes.{get}({at}){from}\n        \
                 set(value) {{\n            bytes.{put}({at}, value{into})\n        }}\n"
            )
        }
        (Base::Struct(inner), None) => {
            format!("public val {name}: {inner} get() = {inner}(part({at}, {size}))\n")
        }
        (Base::Struct(inner), Some(count)) => {
            let each = schema.contained(inner).size;
            format!(
                "public fun {name}(index: Int): {inner} =\n        \
                 {inner}(part(place(index, {count}, {at}, {each}), {each}))\n"
            )
        }
        (Base::Unsized(_), _) => unreachable!("the lints refuse it"),
    };
    format!("{doc}    {body}")
}
