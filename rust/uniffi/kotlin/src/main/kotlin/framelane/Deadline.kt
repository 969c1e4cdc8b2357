package framelane

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** Longest stay in the library before a thread looks whether it was interrupted. */
internal val SLICE = 200.milliseconds

/** The end of a wait; an infinite time has none. */
internal class Deadline(timeout: Duration) {
    private val end: TimeMark?

    init {
        if (timeout.isNegative()) throw invalid("a wait of $timeout")
        end = if (timeout.isInfinite()) null else TimeSource.Monotonic.markNow() + timeout
    }

    val isOver: Boolean get() = end != null && end.hasPassedNow()

    /** What is left of the time. */
    fun left(): Duration = end?.let { -it.elapsedNow() } ?: Duration.INFINITE

    /** How long to stay in the library now; 0 only when the time is over. */
    fun slice(longest: Duration = SLICE): ULong =
        left().coerceIn(Duration.ZERO, longest).inWholeNanoseconds.toULong()
}

/** Looks, in slices, until something is there or the time is over. */
internal inline fun <T : Any> within(timeout: Duration, look: (ULong) -> T?): T? {
    val deadline = Deadline(timeout)
    while (true) {
        look(deadline.slice())?.let { return it }
        if (Thread.interrupted()) throw InterruptedException("while waiting for a lane")
        if (deadline.isOver) return null
    }
}

/** Tries, in slices, until it works, the time is over or waiting would not help. */
internal inline fun <T> patiently(
    timeout: Duration,
    passing: Set<ErrorKind>,
    longest: Duration = SLICE,
    attempt: (ULong) -> T,
): T {
    val deadline = Deadline(timeout)
    while (true) {
        try {
            return told { attempt(deadline.slice(longest)) }
        } catch (failure: FramelaneException) {
            if (failure.kind !in passing || deadline.isOver) throw failure
        }
        if (Thread.interrupted()) throw InterruptedException("while waiting for a lane")
    }
}

/** What may pass while a lane is waited for. */
internal val NOT_THERE_YET = setOf(ErrorKind.NOT_FOUND, ErrorKind.TIMED_OUT, ErrorKind.TOO_MANY)
internal val NO_ANSWER_YET = setOf(ErrorKind.TIMED_OUT, ErrorKind.TOO_MANY, ErrorKind.DISCONNECTED)
internal val NO_ROOM = setOf(ErrorKind.NO_FREE_SLOT)

internal fun nanoseconds(time: Duration, what: String): ULong {
    if (time.isNegative()) throw invalid("$what is $time")
    return if (time.isInfinite()) ULong.MAX_VALUE else time.inWholeNanoseconds.toULong()
}
