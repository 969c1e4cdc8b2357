package framelane

import framelane.uniffi.Poller
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration

/**
 * Something that is read, frame after frame or record after record. Used by one thread at a time;
 * [close] works from any, and ends a wait.
 */
abstract class Reader<T : AutoCloseable> internal constructor(
    /** Name of the lane or switch. */
    val name: String,
    private val endsWithPeer: Boolean,
) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** A coroutine reads, also while it is awake between two waits. */
    private val taken = AtomicBoolean()

    /** The coroutine that waits. */
    internal val sleeper = AtomicReference<Sleeper?>()

    /** Whether it was closed. */
    val isClosed: Boolean get() = closed.get()

    internal abstract fun look(timeoutNs: ULong): T?
    internal abstract fun lookAhead(timeoutNs: ULong): Boolean
    internal abstract fun watch(poller: Poller, token: ULong)
    internal abstract fun end()

    /** What comes next, waiting so long for it; null when the time is over. */
    fun next(timeout: Duration = Duration.INFINITE): T? = within(timeout) { told { look(it) } }

    /** What comes next if it is there now. */
    fun tryNext(): T? = told { look(0u) }

    /** Waits until there may be something to read; whether there is. */
    fun wait(timeout: Duration = Duration.INFINITE): Boolean =
        within(timeout) { slice -> told { lookAhead(slice) }.takeIf { it } } ?: false

    /** What comes next. Suspends without keeping a thread; cancelling or closing ends it. */
    suspend fun receive(): T = exclusively {
        var found = tryNext()
        while (found == null) {
            Waiter.readable(this)
            found = tryNext()
        }
        found
    }

    /**
     * Suspends until there may be something to read, or this was closed. After a look that found
     * nothing, and now and then it returns for nothing.
     */
    suspend fun awaitReadable() = exclusively { Waiter.readable(this) }

    /** The same as [receive] within a time; null when it is over. */
    suspend fun receive(timeout: Duration): T? = exclusively {
        val deadline = Deadline(timeout)
        var found = tryNext()
        while (found == null) {
            // Around the wait alone: what was read is never lost to a deadline.
            val left = deadline.left()
            if (left <= Duration.ZERO) break
            withTimeoutOrNull(left) { Waiter.readable(this@Reader) }
            found = tryNext()
        }
        found
    }

    /** One coroutine at a time: a second one is told, whether the first sleeps just now or not. */
    private inline fun <R> exclusively(read: () -> R): R {
        if (!taken.compareAndSet(false, true)) {
            throw invalid("another coroutine waits for $name: open one for each")
        }
        try {
            return read()
        } finally {
            taken.set(false)
        }
    }

    /**
     * All that comes, until this is closed. Each is lent to the collector and closed when that is
     * done with it.
     *
     * Before an operator that hands on to another coroutine (`flowOn`, `buffer`, `conflate`,
     * `collectLatest`, `shareIn`...), map each to data of its own: in the channel between, what was
     * lent is closed before it is read, and refuses.
     */
    fun flow(): Flow<T> = flow {
        while (true) {
            val found = untilEnd { receive() } ?: break
            lending(found).use { emit(found) }
        }
    }

    /**
     * All that comes, until this is closed. Each is lent to the loop and closed when the next one
     * is asked for; who leaves a loop early closes the last one.
     */
    fun asSequence(): Sequence<T> = Sequence { Loop() }

    /** Reads all that comes, until this is closed; each is closed when [use] is done with it. */
    inline fun forEach(use: (T) -> Unit) {
        while (true) {
            val found = nextOfLoop() ?: return
            lending(found).use { use(found) }
        }
    }

    @PublishedApi
    internal fun lending(found: T): AutoCloseable = AutoCloseable { found.giveBack() }

    @PublishedApi
    internal fun nextOfLoop(): T? = untilEnd { next() }

    private inline fun untilEnd(read: () -> T?): T? =
        try {
            read()
        } catch (failure: FramelaneException) {
            if (!isEnd(failure)) throw failure
            null
        }

    private fun isEnd(failure: FramelaneException) =
        failure.kind == ErrorKind.CLOSED ||
            endsWithPeer && failure.kind == ErrorKind.DISCONNECTED

    /** Stops reading, from any thread. What is held stays valid. */
    override fun close() {
        if (closed.getAndSet(true)) return
        end()
        sleeper.get()?.wake()
    }

    private inner class Loop : AbstractIterator<T>() {
        private var lent: T? = null

        override fun computeNext() {
            lent?.let(::lending)?.close()
            lent = nextOfLoop()
            lent?.let(::setNext) ?: done()
        }
    }
}

/** Closes what was lent. Who read it has asked `check()`, or does not mind that it was taken back. */
internal fun AutoCloseable.giveBack() {
    try {
        close()
    } catch (failure: FramelaneException) {
        if (failure.kind != ErrorKind.REVOKED) throw failure
    }
}
