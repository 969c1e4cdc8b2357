package framelane

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer

class LeakTest {
    @Test
    fun `a hundred thousand frames leave nothing behind`() = place {
        val before = liveObjects()
        var taken = 0
        producer().use { producer ->
            consumer().use { consumer ->
                repeat(5_000) { number ->
                    producer.show(number)
                    consumer.tryNext()!!.use { frame ->
                        assertEquals(number.toByte(), frame.plane(0).get(0))
                    }
                    // The newest again and again: a frame for a lease would cost ten calls each.
                    repeat(19) { consumer.latest()!!.close() }
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
