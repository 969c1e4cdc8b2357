package framelane.layout

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path

/** What fields hold, in the words of expected.json. */
internal class Shown {
    val lines = mutableListOf<String>()

    fun put(path: String, value: Any) {
        lines += "\"$path\": $value"
    }

    fun readUByte(path: String, from: ByteBuffer, at: Int, many: Int?) =
        read(path, many) { from.get(at + it).toUByte() }

    fun readUShort(path: String, from: ByteBuffer, at: Int, many: Int?) =
        read(path, many) { from.getShort(at + 2 * it).toUShort() }

    fun readUInt(path: String, from: ByteBuffer, at: Int, many: Int?) =
        read(path, many) { from.getInt(at + 4 * it).toUInt() }

    fun readULong(path: String, from: ByteBuffer, at: Int, many: Int?) =
        read(path, many) { from.getLong(at + 8 * it).toULong() }

    private fun read(path: String, many: Int?, one: (Int) -> Any) =
        put(path, if (many == null) one(0) else List(many, one))
}

internal fun copyBytes(from: ByteBuffer, into: ByteBuffer, at: Int, size: Int) {
    for (index in at until at + size) into.put(index, from.get(index))
}

class GoldenTest {
    private val folder = Path.of(System.getProperty("framelane.root")).resolve(GOLDEN_FOLDER)

    private fun image(name: String): ByteBuffer =
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve("$name.bin")))

    @Test
    fun `every field of the golden images stands where the constants say`() {
        val expected = Files.readAllLines(folder.resolve("expected.json"))
            .filter { it.startsWith('"') }.map { it.trimEnd(',') }
        assertTrue(expected.size > 500)
        assertEquals(expected, Shown().also { showAll(::image, it) }.lines)
    }

    @Test
    fun `copied field by field they are the same bytes`() {
        var seen = 0
        copyAll(::image) { name, copy ->
            assertEquals(image(name), copy.bytes.order(ByteOrder.BIG_ENDIAN), name)
            seen++
        }
        assertTrue(seen > 20)
    }

    @Test
    fun `this is the layout of the library`() {
        assertEquals(LAYOUT_HASH, framelane.uniffi.layoutHash())
    }

    @Test
    fun `text ends at its first zero and too few bytes are refused`() {
        val report = ConsumerReport(image("ConsumerReport"))
        assertTrue(report.command.endsWith("command"))
        val short = ByteBuffer.allocate(Plane.SIZE - 1)
        assertTrue(runCatching { Plane(short) }.isFailure)
        assertTrue(runCatching { FrameDescriptor().planes(4) }.isFailure)
    }
}
