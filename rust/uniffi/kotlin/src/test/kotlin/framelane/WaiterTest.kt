package framelane

import framelane.uniffi.Poller
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.coroutines.CoroutineContext

private class OfATest : Error("of a test")

private class Unwatchable : Reader<Frame>("unwatchable", false) {
    override fun look(timeoutNs: ULong): Frame? = null
    override fun lookAhead(timeoutNs: ULong) = false
    override fun watch(poller: Poller, token: ULong) = throw OfATest()
    override fun end() = Unit
}

private object Refusing : CoroutineDispatcher() {
    override fun dispatch(context: CoroutineContext, block: Runnable) = throw OfATest()
}

class WaiterTest {
    @Test
    fun `what goes wrong beneath a wait is told, and the reader is free again`() {
        val reader = Unwatchable()
        repeat(2) {
            val failure = runBlocking { withTimeout(LIMIT) { runCatching { reader.receive() } } }
            assertTrue(failure.exceptionOrNull() is OfATest) { "$failure" }
        }
    }

    @Test
    fun `a dispatcher that fails leaves no other coroutine asleep`() = place {
        val producers = List(2) { producer("lane$it") }
        val (doomed, other) = List(2) { consumer("lane$it") }
        CoroutineScope(Refusing).launch(start = CoroutineStart.UNDISPATCHED) { doomed.receive() }
        assertTrue(doomed.sleeper.get() != null)
        producers[0].show(1)
        eventually("the first is woken") { doomed.sleeper.get() == null }
        val sequence = runBlocking {
            withTimeout(LIMIT) {
                val waits = async { other.receive().use { it.sequence } }
                yield()
                assertFalse(waits.isCompleted)
                producers[1].show(2)
                waits.await()
            }
        }
        assertEquals(1uL, sequence)
        listOf(doomed, other).forEach { it.close() }
        producers.forEach { it.close() }
    }
}
