package framelane

import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import java.nio.file.Files
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Longest that a test waits for anything. */
internal val LIMIT: Duration = 60.seconds

/** A runtime directory of a test's own, and options that lead there. */
internal class Place : AutoCloseable {
    val directory = Files.createTempDirectory("framelane")

    val layout = FrameLayout(PixelFormat.NV12, 64, 48)

    fun producer(
        name: String = "lane",
        change: (ProducerOptions) -> ProducerOptions = { it },
    ) = Producer(name, change(ProducerOptions(layout, directory = directory)))

    fun consumer(
        name: String = "lane",
        change: (ConsumerOptions) -> ConsumerOptions = { it },
    ) = Consumer(name, change(ConsumerOptions(directory = directory)))

    override fun close() {
        directory.toFile().deleteRecursively()
    }
}

internal fun place(test: Place.() -> Unit) = Place().use(test)

/** One frame whose planes begin with a number. */
internal fun Producer.show(number: Int): ULong = publish { frame ->
    for (plane in 0 until frame.planeCount) frame.plane(plane).put(0, number.toByte())
}

internal fun failsWith(kind: ErrorKind, call: () -> Unit): FramelaneException {
    val failure = assertThrows(FramelaneException::class.java) { call() }
    assertTrue(failure.kind == kind) { "$failure is ${failure.kind}, not $kind" }
    return failure
}

/** Looks until it is so. */
internal fun eventually(what: String, look: () -> Boolean) {
    val start = TimeSource.Monotonic.markNow()
    while (!look()) {
        assertTrue(start.elapsedNow() < LIMIT, what)
        Thread.sleep(5)
    }
}
