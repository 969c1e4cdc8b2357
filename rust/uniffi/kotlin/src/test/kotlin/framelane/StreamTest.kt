package framelane

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer

class StreamTest {
    private fun Place.writer(change: (StreamWriterOptions) -> StreamWriterOptions = { it }) =
        StreamWriter("stream", change(StreamWriterOptions(StreamConfig(Codec.H264), directory = directory)))

    private fun Place.reader(change: (StreamReaderOptions) -> StreamReaderOptions = { it }) =
        StreamReader("stream", change(StreamReaderOptions(directory = directory)))

    private fun bytes(text: String) = ByteBuffer.wrap(text.toByteArray())

    private fun Record.text() = bytes.let { view -> ByteArray(view.remaining()).also { view.get(it) } }.decodeToString()

    @Test
    fun `records are written in pieces and read`() = place {
        writer().use { writer ->
            writer.write(bytes("one"), bytes(" piece"), key = true) { it.ptsNs = 5 }
            reader().use { reader ->
                reader.next(LIMIT)!!.use { record ->
                    assertEquals("one piece", record.text())
                    assertTrue(record.isKey && record.newConfig)
                    assertEquals(5L, record.info.ptsNs)
                    assertEquals(Codec.H264.number, record.config.codec)
                    assertEquals(writer.epoch, record.epoch)
                }
                assertNull(reader.tryNext())
                writer.write(bytes("two"))
                runBlocking { reader.receive(LIMIT)!! }.use { record ->
                    assertFalse(record.isKey)
                    assertEquals("two", record.text())
                    record.close()
                    failsWith(ErrorKind.INVALID_ARGUMENT) { record.bytes }
                }
                reader.seek(StreamStart.OLDEST_KEY)
                assertEquals(1uL, reader.next(LIMIT)!!.use { it.sequence })
                assertEquals(3uL, reader.received)
                assertEquals("stream", reader.lane!!.name)
            }
        }
    }

    @Test
    fun `the open record is committed once`() = place {
        writer().use { writer ->
            val record = writer.begin(10)
            failsWith(ErrorKind.INVALID_ARGUMENT) { writer.begin(-1) }
            record.append("12345".toByteArray())
            assertEquals(5L, record.room)
            failsWith(ErrorKind.RECORD_TOO_LARGE) { record.append(ByteArray(6)) }
            record.isKey = true
            assertTrue(record.isKey)
            assertEquals(1uL, record.commit())
            failsWith(ErrorKind.INVALID_ARGUMENT) { record.commit() }
            writer.begin(4).close()
            assertEquals(1uL, writer.report().abandoned)
        }
    }

    @Test
    fun `a key record is asked for and the config changes`() = place {
        writer().use { writer ->
            reader().use { reader ->
                reader.requestKeyFrame()
                assertTrue(writer.keyFrameWanted(LIMIT))
                val config = StreamConfig(Codec.H265).also { it.width = 640u }
                assertEquals(2, writer.setConfig(config))
                assertEquals(640u, writer.config.width)
                eventually("the reader is counted") { writer.readers == 1 }
            }
        }
    }

    @Test
    fun `lossless records are held in place until they are closed`() = place {
        val before = liveObjects()
        writer { it.copy(lossless = true) }.use { writer ->
            reader { it.copy(lossless = true, start = StreamStart.OLDEST_KEY) }.use { reader ->
                writer.write(bytes("held"), key = true)
                val record = reader.next(LIMIT)!!
                assertEquals(1, reader.held)
                record.close()
                assertEquals(0, reader.held)
            }
        }
        assertEquals(before, liveObjects())
    }
}
