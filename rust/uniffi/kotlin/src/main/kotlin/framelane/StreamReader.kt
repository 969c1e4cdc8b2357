package framelane

import framelane.uniffi.Poller
import kotlin.time.Duration
import framelane.uniffi.StreamReader as RawReader

/** Reads a stream lane, record after record. Used by one thread at a time; [close] works from any. */
class StreamReader private constructor(
    name: String,
    options: StreamReaderOptions,
    private val raw: RawReader,
) : Reader<Record>(name, !options.reattach) {
    /** Attaches to a stream lane, waiting for it as long as the options say. */
    constructor(name: String, options: StreamReaderOptions = StreamReaderOptions()) : this(
        name,
        options,
        patiently(options.waitForLane, NOT_THERE_YET) { RawReader.open(name, options.raw(it)) },
    )

    /** Goes to another place of the stream; [age] is that of [StreamStart.KEY_BEFORE]. */
    fun seek(place: StreamStart, age: Duration = Duration.ZERO) =
        told { raw.seek(place.number.toUInt(), nanoseconds(age, "age")) }

    /** Asks the writer for a key record. */
    fun requestKeyFrame() = told { raw.requestKeyFrame() }

    /** Records delivered. */
    val received: ULong get() = told { raw.received() }

    /** Records that passed without being delivered, seeks left out. */
    val missed: ULong get() = told { raw.missed() }

    /** Random id of the writer attached to, 0 while there is none. */
    val epoch: ULong get() = told { raw.epoch() }

    /** Records that are held in place now. */
    val held: Int get() = told { raw.held() }.toInt()

    /** The lane as of the last attach, null while there is no writer. */
    val lane: StreamInfo? get() = told { raw.lane() }

    override fun look(timeoutNs: ULong) = raw.next(timeoutNs)?.let(::Record)
    override fun lookAhead(timeoutNs: ULong) = raw.wait(timeoutNs)
    override fun watch(poller: Poller, token: ULong) = poller.watchStream(raw, token)
    override fun end() = told { raw.end() }

    override fun toString(): String = "Reader of lane \"$name\""
}
