package framelane

import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

private fun <T> within(test: suspend () -> T): T = runBlocking { withTimeout(LIMIT) { test() } }

class ReaderTest {
    /** What a call on a thread of its own ends with. */
    private fun <T> elsewhere(call: () -> T): Pair<Thread, CompletableFuture<T>> {
        val result = CompletableFuture<T>()
        val thread = thread(isDaemon = true) {
            runCatching(call).fold(result::complete, result::completeExceptionally)
        }
        return thread to result
    }

    /** The test's own look whether it is in use may be in the way of a call. */
    private fun <T> insisting(call: () -> T): T {
        while (true) {
            try {
                return call()
            } catch (failure: FramelaneException) {
                if (failure.kind != ErrorKind.INVALID_ARGUMENT) throw failure
            }
        }
    }

    private fun Consumer.untilInUse() = eventually("it is in use") {
        val kind = runCatching { held }.exceptionOrNull() as? FramelaneException
        kind?.kind == ErrorKind.INVALID_ARGUMENT
    }

    private fun CompletableFuture<*>.failure(): Throwable =
        runCatching { get(LIMIT.inWholeSeconds, TimeUnit.SECONDS) }.exceptionOrNull()!!.cause!!

    @Test
    fun `a wait ends with its time`() = place {
        producer().use {
            consumer().use { consumer ->
                assertNull(consumer.tryNext())
                assertNull(consumer.next(20.milliseconds))
                assertFalse(consumer.wait(Duration.ZERO))
                assertNull(within { consumer.receive(20.milliseconds) })
                failsWith(ErrorKind.INVALID_ARGUMENT) { consumer.next((-1).milliseconds) }
            }
        }
    }

    @Test
    fun `closing wakes a thread`() = place {
        producer().use { producer ->
            val consumer = consumer()
            // One stay in the library that is longer than this test: no slice ends it.
            val time = (LIMIT * 10).inWholeNanoseconds.toULong()
            val result = elsewhere { insisting { told { consumer.look(time) } } }.second
            consumer.untilInUse()
            consumer.close()
            assertEquals(ErrorKind.CLOSED, (result.failure() as FramelaneException).kind)
            eventually("it lets go of the lane") { producer.consumers == 0 }
        }
    }

    @Test
    fun `closed at any moment, it lets go of its lane`() = place {
        producer().use { producer ->
            val closed = List(100) {
                val consumer = consumer()
                val begun = CountDownLatch(1)
                val looks = elsewhere {
                    while (true) consumer.tryNext().also { begun.countDown() }
                }.second
                assertTrue(begun.await(LIMIT.inWholeSeconds, TimeUnit.SECONDS))
                consumer.close()
                assertEquals(ErrorKind.CLOSED, (looks.failure() as FramelaneException).kind)
                consumer
            }
            eventually("all let go of it") { producer.consumers == 0 }
            assertTrue(closed.all { it.isClosed })
        }
    }

    @Test
    fun `an interrupt wakes a thread, and a second thread is refused`() = place {
        producer().use {
            consumer().use { consumer ->
                val (sleeper, result) = elsewhere { insisting { consumer.next() } }
                consumer.untilInUse()
                assertEquals(0uL, consumer.received)
                sleeper.interrupt()
                assertTrue(result.failure() is InterruptedException)
            }
        }
    }

    @Test
    fun `many coroutines wait without a thread each`() = place {
        val names = List(50) { "lane$it" }
        val producers = names.map { producer(it) }
        val consumers = names.map { consumer(it) }
        within {
            coroutineScope {
                // All on this one thread: a look that kept it would stop the others.
                val read = consumers.map { async { it.receive().use { frame -> frame.plane(0).get(0) } } }
                yield()
                assertTrue(read.none { it.isCompleted })
                producers.forEachIndexed { number, producer -> producer.show(number) }
                assertEquals(List(50) { it.toByte() }, read.map { it.await() })
            }
        }
        consumers.forEach { it.close() }
        producers.forEach { it.close() }
    }

    @Test
    fun `a coroutine is cancelled, closed and not doubled`() = place {
        producer().use { producer ->
            consumer().use { consumer ->
                within {
                    coroutineScope {
                        val waits = launch { consumer.receive() }
                        yield()
                        val second = runCatching { consumer.receive() }.exceptionOrNull()
                        assertEquals(ErrorKind.INVALID_ARGUMENT, (second as FramelaneException).kind)
                        waits.cancelAndJoin()
                        assertTrue(waits.isCancelled)
                        val again = async { consumer.receive().use { it.sequence } }
                        yield()
                        producer.show(1)
                        assertEquals(1uL, again.await())
                        val closed = async { runCatching { consumer.receive() }.exceptionOrNull() }
                        yield()
                        consumer.close()
                        assertEquals(ErrorKind.CLOSED, (closed.await() as FramelaneException).kind)
                    }
                }
            }
        }
    }

    @Test
    fun `flows lend what comes until they are closed`() = place {
        producer().use { producer ->
            consumer { it.copy(mode = Mode.ORDERED) }.use { consumer ->
                within {
                    coroutineScope {
                        val seen = async { consumer.flow().map { it.sequence }.take(3).toList() }
                        yield()
                        repeat(3) { producer.show(it); while (consumer.received <= it.toULong()) yield() }
                        assertEquals(listOf(1uL, 2uL, 3uL), seen.await())
                        assertEquals(0, consumer.held)
                        val rest = async { consumer.flow().toList() }
                        yield()
                        consumer.close()
                        assertEquals(emptyList<Frame>(), rest.await())
                    }
                }
            }
        }
    }

    @Test
    fun `a frame behind a buffer refuses, and data of its own does not`() = place {
        producer().use { producer ->
            consumer().use { consumer ->
                producer.show(1)
                val late = consumer.flow().buffer().map { it.plane(0).get(0) }
                val failure = within { runCatching { late.first() } }.exceptionOrNull()
                assertEquals(ErrorKind.INVALID_ARGUMENT, (failure as FramelaneException).kind)
                assertEquals("frame 1 was released", failure.message)
                producer.show(2)
                val early = consumer.flow().map { it.plane(0).get(0) }.buffer()
                assertEquals(2, within { early.first() })
            }
        }
    }

    @Test
    fun `loops lend what comes until the producer is gone`() = place {
        val producer = producer()
        consumer { it.copy(mode = Mode.ORDERED, reattach = false) }.use { consumer ->
            producer.show(1)
            var last: Frame? = null
            for (frame in consumer.asSequence()) {
                last = frame
                assertEquals(1, frame.plane(0).get(0))
                producer.close()
            }
            assertTrue(last!!.isClosed)
            var more = 0
            consumer.forEach { more++ }
            assertEquals(0, more)
        }
    }

    @Test
    fun `the next producer is found`() = place {
        val first = producer()
        consumer().use { consumer ->
            first.show(1)
            consumer.next(LIMIT)!!.use { assertFalse(it.newEpoch) }
            first.close()
            val waits = elsewhere { within { consumer.receive().use { it.newEpoch to it.epoch } } }.second
            producer().use { second ->
                eventually("it is attached again") { second.consumers == 1 }
                second.show(2)
                val told = waits.get(LIMIT.inWholeSeconds, TimeUnit.SECONDS)
                assertEquals(true to second.epoch, told)
            }
        }
    }

    @Test
    fun `a lane is waited for`() = place {
        failsWith(ErrorKind.NOT_FOUND) { consumer() }
        failsWith(ErrorKind.NOT_FOUND) { consumer { it.copy(waitForLane = 30.milliseconds) } }
        val opened = elsewhere { consumer { it.copy(waitForLane = LIMIT) } }.second
        producer().use { opened.get(LIMIT.inWholeSeconds, TimeUnit.SECONDS).close() }
    }
}
