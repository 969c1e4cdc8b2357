package framelane.agent

import framelane.FrameDescriptor
import framelane.layout.Plane
import framelane.layout.Structure

/** How a field is written and read. */
private enum class Kind { U8, U32, U64, I32, F32, BYTES }

private class Field(val name: String, val kind: Kind, val offset: Int, val size: Int)

/** Fields by the names of the schema: where they are is said by the constants of the layout. */
private fun fields(of: Class<*>, kind: Kind, names: String, size: Int = 0) =
    names.split(' ').map { name ->
        Field(name, kind, of.getField("${name.uppercase()}_OFFSET").getInt(null), size)
    }

private val DESCRIPTOR: List<Field> = FrameDescriptor::class.java.let { of ->
    fields(
        of, Kind.U64,
        "sequence capture_id capture_ns publish_ns valid_until_ns modifier switch_epoch exposure_ns",
    ) + fields(
        of, Kind.U32,
        "fourcc width height crop_x crop_y crop_width crop_height sensor_width sensor_height " +
            "camera_id flags correction_applied vendor_tag vendor_bytes",
    ) + fields(of, Kind.F32, "analog_gain digital_gain brightness_avg") + fields(
        of, Kind.U8,
        "capture_clock memory_kind color_matrix color_range color_transfer plane_count",
    ) + fields(of, Kind.BYTES, "vendor_data", 160) + fields(of, Kind.BYTES, "user_data", 64)
}

private val PLANE: List<Field> = Plane::class.java.let { of ->
    fields(of, Kind.U64, "offset_bytes size_bytes physical_address") +
        fields(of, Kind.U32, "stride_bytes rows") + fields(of, Kind.I32, "share_id buffer_index")
}

private fun Field.tell(of: Structure): String = when (kind) {
    Kind.U8 -> of.bytes.get(offset).toUByte().toString()
    Kind.U32 -> of.bytes.getInt(offset).toUInt().toString()
    Kind.U64 -> of.bytes.getLong(offset).toULong().toString()
    Kind.I32 -> of.bytes.getInt(offset).toString()
    Kind.F32 -> of.bytes.getFloat(offset).toString()
    Kind.BYTES -> (0 until size).joinToString("") { "%02x".format(of.bytes.get(offset + it)) }
}

private fun Field.set(of: Structure, value: String) {
    when (kind) {
        Kind.U8 -> of.bytes.put(offset, value.toUByte().toByte())
        Kind.U32 -> of.bytes.putInt(offset, value.toUInt().toInt())
        Kind.U64 -> of.bytes.putLong(offset, value.toULong().toLong())
        Kind.I32 -> of.bytes.putInt(offset, value.toInt())
        Kind.F32 -> of.bytes.putFloat(offset, value.toFloat())
        Kind.BYTES -> {
            if (value.length != 2 * size) throw NumberFormatException("$size bytes are needed")
            value.chunked(2).forEachIndexed { at, two ->
                of.bytes.put(offset + at, two.toUByte(16).toByte())
            }
        }
    }
}

/** All fields but the reserved ones. */
fun describe(info: FrameDescriptor): String {
    val own = DESCRIPTOR.map { "d.${it.name}=${it.tell(info)}" }
    val planes = (0 until 4).flatMap { number ->
        val plane = info.planes(number)
        PLANE.map { "d.planes.$number.${it.name}=${it.tell(plane)}" }
    }
    return (own + planes).joinToString("") { " $it" }
}

/** Sets the fields that a line names. */
fun apply(line: Line, info: FrameDescriptor) {
    for ((key, value) in line.pairs.filterKeys { it.startsWith("d.") }) {
        val path = key.removePrefix("d.").split('.')
        try {
            when (path.size) {
                1 -> DESCRIPTOR.single { it.name == path[0] }.set(info, value)
                else -> PLANE.single { it.name == path[2] }.set(info.planes(path[1].toInt()), value)
            }
        } catch (_: RuntimeException) {
            throw Misunderstood("$key=$value has no meaning")
        }
    }
}

fun hasFields(line: Line) = line.pairs.keys.any { it.startsWith("d.") }
