package framelane

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.milliseconds

/** What the JVM, and the one thread that waits, open meanwhile. */
private const val OTHER_FILES = 10

class LeakTest {
    private fun openFiles() = File("/proc/self/fd").list()!!.size

    @Test
    fun `a hundred thousand leases leave nothing behind`() = place {
        val (before, files) = liveObjects() to openFiles()
        var taken = 0
        producer().use { producer ->
            consumer().use { consumer ->
                repeat(5_000) { number ->
                    producer.show(number)
                    consumer.tryNext()!!.use { frame ->
                        assertEquals(number.toByte(), frame.plane(0).get(0))
                    }
                    // The newest again and again: a frame for a lease would cost ten calls each.
                    repeat(19) {
                        consumer.latest()!!.use { frame ->
                            assertEquals(number.toByte(), frame.plane(0).get(0))
                            assertEquals(frame.sequence, frame.info.sequence)
                        }
                    }
                    taken += 20
                }
                assertEquals(100_000, taken)
                assertEquals(before, liveObjects())
                assertEquals(0, consumer.held)
                val report = producer.report()
                assertEquals(5_000uL, report.published)
                assertEquals(0uL, report.consumers(0).heldSlots)
                assertEquals(0uL, report.claimedSlots)
            }
        }
        eventually("files are closed") { System.gc(); openFiles() < files + OTHER_FILES }
    }

    @Test
    fun `closed readers need no collection to let go of their lane`() = place {
        producer().use { producer ->
            val files = openFiles()
            val closed = List(40) {
                consumer().also { consumer ->
                    // It is polled: that is what the reader has one more descriptor for.
                    assertNull(runBlocking { consumer.receive(20.milliseconds) })
                    consumer.close()
                }
            }
            eventually("the producer sees them leave") { producer.consumers == 0 }
            eventually("descriptors are closed") { openFiles() < files + OTHER_FILES }
            assertTrue(closed.all { it.isClosed })
        }
    }

    @Test
    fun `forgotten frames are given back`() = place {
        val before = liveObjects()
        producer().use { producer ->
            consumer { it.copy(leases = 1) }.use { consumer ->
                repeat(3) { number ->
                    producer.show(number)
                    eventually("the frame before was found") {
                        System.gc()
                        runCatching { consumer.tryNext() }.getOrNull() != null
                    }
                }
                repeat(2) {
                    eventually("the claim before was found") {
                        System.gc()
                        runCatching { producer.claim() }.isSuccess
                    }
                }
            }
        }
        eventually("nothing is left") { System.gc(); liveObjects() == before }
    }

    @Test
    fun `a buffer keeps its frame, and a part of it does`() = place {
        producer().use { producer ->
            consumer { it.copy(leases = 1) }.use { consumer ->
                producer.show(5)
                var part: ByteBuffer? = consumer.next(LIMIT)!!.plane(0).slice()
                repeat(3) {
                    producer.show(6)
                    System.gc()
                    Thread.sleep(20)
                    failsWith(ErrorKind.LEASES_IN_USE) { consumer.tryNext()?.close() }
                    assertTrue(part!!.get(0) == 5.toByte())
                }
                part = null
                eventually("the buffer was found") { System.gc(); consumer.held == 0 }
            }
        }
    }
}
