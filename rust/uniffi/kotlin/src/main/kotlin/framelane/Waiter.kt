package framelane

import framelane.uniffi.Poller
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** A suspended coroutine. */
internal class Sleeper(
    val token: Long,
    val reader: Reader<*>,
    val continuation: CancellableContinuation<Unit>,
) {
    fun wake() = Waiter.wake(this)
}

/** One thread of the process waits for all coroutines, and is there only while there are some. */
internal object Waiter {
    private const val IDLE_NS = 5_000_000_000uL
    private val poller by lazy { told { Poller.create() } }
    private val sleepers = ConcurrentHashMap<Long, Sleeper>()
    private val tokens = AtomicLong()
    private var running = false

    /**
     * Suspends until a reader, which this coroutine has for itself, may have something, or was
     * closed. After a look that found nothing.
     */
    suspend fun readable(reader: Reader<*>) = suspendCancellableCoroutine<Unit> { continuation ->
        val sleeper = Sleeper(tokens.incrementAndGet(), reader, continuation)
        reader.sleeper.set(sleeper)
        sleepers[sleeper.token] = sleeper
        // Also told of a cancellation that is already there.
        continuation.invokeOnCancellation { remove(sleeper) }
        try {
            told { reader.watch(poller, sleeper.token.toULong()) }
            run()
        } catch (@Suppress("TooGenericExceptionCaught") failure: Throwable) {
            // Whatever it is: a sleeper that nobody wakes would keep its reader for ever.
            if (remove(sleeper)) continuation.resumeWithException(failure)
        }
        // It may have been closed before it could be told that somebody sleeps.
        if (reader.isClosed) sleeper.wake()
    }

    fun wake(sleeper: Sleeper) {
        if (remove(sleeper)) sleeper.continuation.resume(Unit)
    }

    /** Whoever removes it resumes it, so that nobody does twice; the reader is free for the next. */
    private fun remove(sleeper: Sleeper): Boolean {
        val removed = sleepers.remove(sleeper.token, sleeper)
        if (removed) sleeper.reader.sleeper.compareAndSet(sleeper, null)
        return removed
    }

    private fun run() = synchronized(this) {
        if (!running) {
            // In this order: that there is no memory for a thread must not look like one at work.
            thread(isDaemon = true, name = "framelane-waiter") { loop() }
            running = true
        }
    }

    private fun loop() {
        while (true) {
            val ready = try {
                told { poller.wait(IDLE_NS) }
            } catch (@Suppress("TooGenericExceptionCaught") failure: Throwable) {
                return stop(failure)
            }
            for (token in ready) sleepers[token.toLong()]?.let { alone { wake(it) } }
            if (ready.isEmpty() && isIdle()) return
        }
    }

    /** What one coroutine's dispatcher throws is no reason to leave the others asleep. */
    private inline fun alone(resume: () -> Unit) {
        try {
            resume()
        } catch (@Suppress("TooGenericExceptionCaught") failure: Throwable) {
            uncaught(failure)
        }
    }

    private fun isIdle() = synchronized(this) {
        if (sleepers.isEmpty()) running = false
        !running
    }

    private fun stop(failure: Throwable) {
        synchronized(this) { running = false }
        // Not under the lock: who is told may sleep again at once, which starts the next thread.
        for (sleeper in sleepers.values) {
            if (remove(sleeper)) alone { sleeper.continuation.resumeWithException(failure) }
        }
    }
}
