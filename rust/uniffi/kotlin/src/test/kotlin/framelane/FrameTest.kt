package framelane

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer
import java.nio.ReadOnlyBufferException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

class FrameTest {
    @Test
    fun `a frame is read in place and knows what it is`() = place {
        producer().use { producer ->
            consumer().use { consumer ->
                producer.claim().use { frame ->
                    frame.info.captureId = 77u
                    frame.plane(1).put(5, 9)
                    assertEquals(1uL, frame.publish())
                }
                consumer.next(LIMIT)!!.use { frame ->
                    assertEquals(1uL, frame.sequence)
                    assertEquals(producer.epoch, frame.epoch)
                    assertEquals(64 to 48, frame.width to frame.height)
                    assertEquals(77uL, frame.info.captureId)
                    assertEquals(2, frame.planeCount)
                    assertEquals(64 * 48, frame.plane(0).remaining())
                    assertEquals(9, frame.plane(1).get(5))
                    assertTrue(frame.plane(0).isDirect)
                    assertTrue(frame.check())
                }
                assertEquals(1uL, consumer.received)
                assertEquals(producer.epoch, consumer.epoch)
                assertEquals("lane", consumer.lane!!.name)
            }
        }
    }

    @Test
    fun `it sees the memory of the lane and cannot write it`() = place {
        producer().use { producer ->
            consumer { it.copy(leases = 3) }.use { consumer ->
                producer.show(1)
                consumer.next(LIMIT)!!.use { first ->
                    producer.show(2)
                    consumer.next(LIMIT)!!.use { second ->
                        assertEquals(listOf<Byte>(1, 2), listOf(first, second).map { it.plane(0).get(0) })
                        assertEquals(2, consumer.held)
                    }
                    assertThrows(ReadOnlyBufferException::class.java) { first.plane(0).put(0, 1) }
                }
                eventually("frames are given back") { consumer.held == 0 }
            }
        }
    }

    @Test
    fun `after close it refuses, and what was copied stays`() = place {
        producer().use { producer ->
            consumer().use { consumer ->
                producer.show(3)
                val frame = consumer.next(LIMIT)!!
                val info = frame.info
                frame.close()
                frame.close()
                assertTrue(frame.isClosed)
                assertEquals(64u, info.width)
                assertEquals(1uL, frame.sequence)
                failsWith(ErrorKind.INVALID_ARGUMENT) { frame.plane(0) }
                failsWith(ErrorKind.INVALID_ARGUMENT) { frame.check() }
                failsWith(ErrorKind.INVALID_ARGUMENT) { frame.planeFd(0) }
            }
        }
    }

    @Test
    fun `planes are copied whole or not at all`() = place {
        producer().use { producer ->
            consumer().use { consumer ->
                producer.show(4)
                consumer.next(LIMIT)!!.use { frame ->
                    val copy = ByteBuffer.allocate(64 * 48)
                    frame.copyTo(0, copy)
                    assertEquals(4, copy.get(0))
                    failsWith(ErrorKind.INVALID_ARGUMENT) { frame.copyTo(0, ByteBuffer.allocate(10)) }
                    failsWith(ErrorKind.INVALID_ARGUMENT) { frame.plane(2) }
                    failsWith(ErrorKind.INVALID_ARGUMENT) { frame.plane(-1) }
                    failsWith(ErrorKind.UNSUPPORTED) { frame.planeFd(0) }
                }
            }
        }
    }

    @Test
    fun `a claimed frame is published once or abandoned`() = place {
        producer().use { producer ->
            val frame = producer.claim()
            failsWith(ErrorKind.NO_FREE_SLOT) { producer.claim() }
            failsWith(ErrorKind.NO_FREE_SLOT) { producer.claim(30.milliseconds) }
            frame.close()
            failsWith(ErrorKind.INVALID_ARGUMENT) { frame.publish() }
            failsWith(ErrorKind.INVALID_ARGUMENT) { frame.plane(0) }
            assertThrows(IllegalStateException::class.java) { producer.publish { error("no picture") } }
            producer.claim().use { it.copyFrom(ByteBuffer.allocate(100)); it.publish() }
            val report = producer.report()
            assertEquals(listOf(1uL, 2uL), listOf(report.published, report.abandoned))
            assertEquals(100uL, report.copiedBytes)
            producer.claim().use { claimed ->
                val size = claimed.payload.remaining() + 1
                failsWith(ErrorKind.TOO_LARGE) { claimed.copyFrom(ByteBuffer.allocate(size)) }
                claimed.info.planes(0).offsetBytes = ULong.MAX_VALUE
                failsWith(ErrorKind.PROTOCOL) { claimed.plane(0) }
            }
        }
    }

    @Test
    fun `several are published as one`() = place {
        producer { it.copy(claims = 3, history = 3) }.use { producer ->
            consumer { it.copy(mode = Mode.ORDERED) }.use { consumer ->
                val frames = List(3) { number -> producer.claim().also { it.plane(0).put(0, number.toByte()) } }
                failsWith(ErrorKind.INVALID_ARGUMENT) { producer.publishBatch(frames + frames[0]) }
                assertEquals(3uL, producer.publishBatch(frames))
                failsWith(ErrorKind.INVALID_ARGUMENT) { producer.publishBatch(frames) }
                val read = List(3) { consumer.next(LIMIT)!!.use { it.plane(0).get(0) } }
                assertEquals(listOf<Byte>(0, 1, 2), read)
                assertNull(consumer.tryNext())
                assertNotNull(consumer.latest()?.close())
                assertNull(consumer.latest(maxAge = Duration.ZERO))
            }
        }
    }

    @Test
    fun `a batch that fails leaves alone what is not its own`() = place {
        producer { it.copy(claims = 3) }.use { producer ->
            val frames = List(3) { producer.claim() }
            var asked = 0
            // After the batch has looked at all, and before it takes them, somebody has the second.
            val meanwhile = object : AbstractList<FrameMut>() {
                override val size get() = frames.size
                override fun get(index: Int): FrameMut {
                    if (index == 0 && ++asked == 3) frames[1].publish()
                    return frames[index]
                }
            }
            failsWith(ErrorKind.INVALID_ARGUMENT) { producer.publishBatch(meanwhile) }
            assertEquals(listOf(true, true, false), frames.map { it.isClosed })
            assertEquals(2uL, frames[2].publish())
            val report = producer.report()
            assertEquals(listOf(2uL, 1uL), listOf(report.published, report.abandoned))
            assertEquals(0uL, report.claimedSlots)
        }
    }

    @Test
    fun `a frame outlives its consumer and the producer`() = place {
        val producer = producer()
        val consumer = consumer()
        producer.show(7)
        val frame = consumer.next(LIMIT)!!
        consumer.close()
        producer.close()
        assertEquals(7, frame.plane(0).get(0))
        frame.close()
        failsWith(ErrorKind.CLOSED) { consumer.tryNext() }
        failsWith(ErrorKind.CLOSED) { producer.claim() }
        assertFalse(discover(directory).any { it.name == "lane" })
    }
}
