package framelane

import com.sun.jna.Pointer
import framelane.uniffi.Span
import java.lang.ref.Cleaner
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Keeps what a buffer's memory belongs to for as long as the buffer, or a part of it, is in use. */
private val CLEANER = Cleaner.create()

/** Does nothing: that the cleaner has it is what keeps [owner]. */
private class Keeps(@Suppress("unused") private val owner: Any) : Runnable {
    override fun run() = Unit
}

/** The memory itself, not a copy. */
internal fun Span.inPlace(owner: Any): ByteBuffer {
    if (length > Int.MAX_VALUE.toULong()) {
        throw FramelaneException(ErrorKind.TOO_LARGE, "$length bytes: a ByteBuffer has an Int of them")
    }
    if (length == 0uL) return ByteBuffer.allocateDirect(0)
    val buffer = Pointer(address.toLong()).getByteBuffer(0, length.toLong())
    CLEANER.register(buffer, Keeps(owner))
    return buffer
}

/** A copy of a structure of the schema. */
internal fun Span.copied(): ByteBuffer {
    val bytes = ByteArray(length.toInt())
    Pointer(address.toLong()).read(0, bytes, 0, bytes.size)
    return ByteBuffer.wrap(bytes)
}

/** Sees the same bytes from the first on, in the order of the schema. */
internal fun ByteBuffer.fromStart(): ByteBuffer {
    val view = duplicate()
    view.clear()
    return view.order(ByteOrder.LITTLE_ENDIAN)
}

internal fun ByteBuffer.readOnly(): ByteBuffer =
    asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN).also { it.clear() }

/** The bytes of a structure, to be handed to the library. */
internal fun framelane.layout.Structure.toByteArray(): ByteArray {
    val view = bytes.fromStart()
    return ByteArray(view.remaining()).also { view.get(it) }
}

/** What is left in a buffer, as an array. */
internal fun ByteBuffer.remainingBytes(): ByteArray =
    ByteArray(remaining()).also { duplicate().get(it) }
