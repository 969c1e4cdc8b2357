package framelane

import com.sun.jna.NativeLibrary
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTimeoutPreemptively
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

private const val BYTES = 64L * 64

private val process = NativeLibrary.getProcess()

private fun call(name: String, vararg arguments: Any): Int {
    val result = process.getFunction(name).invokeInt(arguments)
    assertTrue(result >= 0) { "$name says $result" }
    return result
}

/** Sealed, as a lane asks for. */
private fun memfd(): Int {
    val (cloexec, allowSealing) = 1 to 2
    val fd = call("memfd_create", "test", cloexec or allowSealing)
    call("ftruncate", fd, BYTES)
    val (addSeals, shrink, grow, futureWrite) = listOf(1033, 2, 4, 16)
    call("fcntl", fd, addSeals, shrink or grow or futureWrite)
    return fd
}

class RevokedTest {
    private val layout = FrameLayout(PixelFormat.GREY, 64, 64)
    private val returned = LinkedBlockingQueue<Returned>()
    private var published = 0

    private fun Place.deviceLane(test: (Producer) -> Unit) {
        val buffers = List(2) { memfd() }
        producer {
            it.copy(
                layout = layout,
                history = 0,
                lease = 1.seconds,
                memory = MemoryKind.MEMFD,
                deviceBuffers = buffers,
            )
        }.use { producer ->
            buffers.forEach { call("close", it) }
            test(producer)
        }
    }

    /** In the two buffers by turns. Nobody gets a frame whose time is over: read it soon. */
    private fun Producer.showNext() {
        val what = layout.describe()
        what.planes(0).bufferIndex = published++ % 2
        publishExternal(what) { returned.add(it) }
    }

    /** Keeps a frame until it is taken back; then there is a fresh one. */
    private fun Producer.overstay(frame: Frame) {
        assertTrue(frame.check())
        assertEquals(0, frame.plane(0).get(0))
        showNext()
        do {
            val back = returned.poll(LIMIT.inWholeSeconds, TimeUnit.SECONDS)!!
        } while (back.sequence != frame.sequence)
        assertFalse(frame.check())
        showNext()
    }

    @Test
    fun `who closes a frame that was taken back is told, once`() = place {
        deviceLane { producer ->
            consumer().use { consumer ->
                producer.showNext()
                val frame = consumer.next(LIMIT)!!
                producer.overstay(frame)
                failsWith(ErrorKind.REVOKED) { frame.close() }
                frame.close()
            }
        }
    }

    /** Has a loop over two frames, the first of which is taken back meanwhile. */
    private fun loop(read: (Consumer, (Frame) -> Unit) -> Unit) = place {
        deviceLane { producer ->
            consumer().use { consumer ->
                producer.showNext()
                var seen = 0
                assertTimeoutPreemptively(LIMIT.toJavaDuration()) {
                    read(consumer) { if (seen++ == 0) producer.overstay(it) else consumer.close() }
                }
                assertEquals(2, seen)
            }
        }
    }

    @Test
    fun `forEach goes on after a frame that was taken back`() =
        loop { consumer, use -> consumer.forEach(use) }

    @Test
    fun `a sequence goes on after a frame that was taken back`() =
        loop { consumer, use -> consumer.asSequence().forEach(use) }

    @Test
    fun `a flow goes on after a frame that was taken back`() =
        loop { consumer, use -> runBlocking { consumer.flow().collect { use(it) } } }
}
