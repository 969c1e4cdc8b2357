package framelane

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.seconds

class OptionsTest {
    private fun Place.refused(change: (ProducerOptions) -> ProducerOptions) =
        failsWith(ErrorKind.INVALID_ARGUMENT) { producer(change = change).close() }

    @Test
    fun `what makes no sense is refused by name`() = place {
        assertTrue("leaseBudget" in refused { it.copy(leaseBudget = -1) }.message!!)
        refused { it.copy(leaseBudget = 0) }
        refused { it.copy(claims = 100) }
        refused { it.copy(lease = (-1).seconds) }
        refused { it.copy(layout = FrameLayout(PixelFormat.NV12, 0, 48)) }
        refused { it.copy(layout = FrameLayout(PixelFormat.NV12, 64, 48, strideAlign = 3)) }
        refused { it.copy(memory = MemoryKind.MEMFD, deviceBuffers = listOf(-1)) }
        refused { it.copy(memory = MemoryKind.MEMFD, deviceBuffers = listOf(1_000_000)) }
        refused { it.copy(layout = null) }
        failsWith(ErrorKind.INVALID_NAME) { producer("../lane") }
        producer().use {
            failsWith(ErrorKind.INVALID_ARGUMENT) { consumer { it.copy(leases = 0) } }
            failsWith(ErrorKind.UNSUPPORTED) { consumer { it.copy(mode = Mode.LOSSLESS) } }
        }
    }

    @Test
    fun `a layout says where its planes are`() {
        val info = FrameLayout(PixelFormat.I420, 10, 4, strideAlign = 16).describe()
        assertEquals(3, info.planeCount.toInt())
        assertEquals(16u, info.planes(0).strideBytes)
        assertEquals(PixelFormat.I420, PixelFormat.of(info.fourcc))
    }

    @Test
    fun `lanes are found and asked`() = place {
        producer("one").use { producer ->
            producer("two") { it.copy(layout = null, payloadBytes = 100) }.use {
                assertEquals(listOf("one", "two"), discover(directory).map { it.name })
                producer.show(1)
                val report = query("one", LIMIT, directory)
                assertEquals(1uL, report.published)
                assertEquals(64u, report.newest.width)
                assertEquals(producer.epoch, report.epoch)
                failsWith(ErrorKind.NOT_FOUND) { query("three", LIMIT, directory) }
                assertTrue(monotonicNs() >= report.nowNs)
            }
        }
    }
}
