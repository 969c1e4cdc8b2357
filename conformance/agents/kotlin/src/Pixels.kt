package framelane.agent

import com.sun.jna.Library
import com.sun.jna.Native
import framelane.FrameDescriptor
import java.nio.ByteBuffer
import java.util.zip.CRC32

/** Byte `i` of plane `p` is `(i + 31 * p + seed) % 251`. */
fun filled(plane: Int, seed: Long, size: Int): ByteArray {
    val start = Math.floorMod(31L * plane + seed, 251L).toInt()
    return ByteArray(size) { ((it + start) % 251).toByte() }
}

fun checksum(bytes: ByteBuffer): String =
    "%08x".format(CRC32().also { it.update(bytes.duplicate()) }.value)

/** What Java has no call for. */
private interface C : Library {
    fun memfd_create(name: String, flags: Int): Int
    fun pwrite(fd: Int, bytes: ByteArray, count: Long, offset: Long): Long
    fun fcntl(fd: Int, command: Int, argument: Int): Int
    fun close(fd: Int): Int
}

private val c by lazy { Native.load("c", C::class.java) }
private const val CLOSE_ON_EXEC_ALLOW_SEALING = 3
private const val ADD_SEALS = 1033
private const val SHRINK_AND_GROW = 2 or 4
private const val FUTURE_WRITE = 0x10

fun closeDescriptor(fd: Int) = c.close(fd)

/** A memfd that holds the picture, filled with its number as seed. The lane duplicates it. */
class DeviceBuffer(picture: FrameDescriptor, number: Int, writable: Boolean) : AutoCloseable {
    val fd: Int = c.memfd_create("conformance", CLOSE_ON_EXEC_ALLOW_SEALING)

    init {
        check(fd >= 0) { "there is no memfd" }
        for (index in 0 until picture.planeCount.toInt()) {
            val plane = picture.planes(index)
            val bytes = filled(index, number.toLong(), plane.sizeBytes.toInt())
            c.pwrite(fd, bytes, bytes.size.toLong(), plane.offsetBytes.toLong())
        }
        c.fcntl(fd, ADD_SEALS, SHRINK_AND_GROW or if (writable) 0 else FUTURE_WRITE)
    }

    override fun close() {
        closeDescriptor(fd)
    }
}
