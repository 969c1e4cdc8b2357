package framelane

import framelane.uniffi.Failure

/** What went wrong: a kind that says what to do next, and a sentence that says what and why. */
class FramelaneException(
    /** Null where a newer library knows kinds that this code does not. */
    val kind: ErrorKind?,
    message: String,
    /** Of [ErrorKind.LAPPED]: records that were overwritten before they were read. */
    val missed: ULong = 0u,
    cause: Throwable? = null,
) : RuntimeException(message, cause)

/** Where nobody is there to catch it, it goes where such exceptions go. */
internal fun uncaught(failure: Throwable) {
    val thread = Thread.currentThread()
    thread.uncaughtExceptionHandler.uncaughtException(thread, failure)
}

internal fun invalid(text: String) = FramelaneException(ErrorKind.INVALID_ARGUMENT, text)

/** A call of the library, its errors as ours. */
internal inline fun <T> told(call: () -> T): T =
    try {
        call()
    } catch (failure: Failure.Lane) {
        throw FramelaneException(ErrorKind.of(failure.kind), failure.text, failure.missed, failure)
    } catch (gone: IllegalStateException) {
        // Another thread has closed it between our look and the call.
        throw FramelaneException(ErrorKind.INVALID_ARGUMENT, "$gone", cause = gone)
    }
