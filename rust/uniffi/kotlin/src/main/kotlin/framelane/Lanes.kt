/** Looking at lanes from outside. */
package framelane

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Names and runtime directories of the lanes that have a socket, by name. */
fun discover(directory: Path? = null): List<LaneEntry> =
    told { framelane.uniffi.discover(directory?.toString()) }

/** Longest wait for one answer: then the thread looks whether it was interrupted, and asks again. */
private val ANSWER = 1.seconds

/** Asks a lane's producer how the lane is. Takes no lease. An interrupt ends it within a second. */
fun query(name: String, timeout: Duration = 1.seconds, directory: Path? = null): Report {
    val bytes = patiently(timeout, NO_ANSWER_YET, ANSWER) {
        framelane.uniffi.query(name, directory?.toString(), it)
    }
    return Report(ByteBuffer.wrap(bytes))
}

/** CLOCK_MONOTONIC now, the clock of publish times. */
fun monotonicNs(): ULong = framelane.uniffi.monotonicNs()

/** Frames and records of this process, leased or claimed, that were not let go of yet. */
fun liveObjects(): ULong = framelane.uniffi.liveObjects()
