package framelane

import framelane.uniffi.Poller
import kotlin.time.Duration
import framelane.uniffi.Consumer as RawConsumer

/** Reads a lane. Used by one thread at a time; [close] works from any. */
class Consumer private constructor(
    name: String,
    options: ConsumerOptions,
    private val raw: RawConsumer,
) : Reader<Frame>(name, !options.reattach) {
    /** Attaches to a lane, waiting for it as long as the options say. */
    constructor(name: String, options: ConsumerOptions = ConsumerOptions()) : this(
        name,
        options,
        patiently(options.waitForLane, NOT_THERE_YET) { RawConsumer.open(name, options.raw(it)) },
    )

    /** The newest valid frame, also one that was delivered before; none older than [maxAge]. */
    fun latest(maxAge: Duration = Duration.INFINITE): Frame? =
        told { raw.latest() }?.let(::Frame)?.youngerThan(maxAge)

    /** Frames delivered. */
    val received: ULong get() = told { raw.received() }

    /** Frames that passed without being delivered. */
    val missed: ULong get() = told { raw.missed() }

    /** Random id of the producer attached to, 0 while there is none. */
    val epoch: ULong get() = told { raw.epoch() }

    /** Frames of this consumer that are held now. */
    val held: Int get() = told { raw.held() }.toInt()

    /** The lane as of the last attach, null while there is no producer. */
    val lane: LaneInfo? get() = told { raw.lane() }

    override fun look(timeoutNs: ULong) = raw.next(timeoutNs)?.let(::Frame)
    override fun lookAhead(timeoutNs: ULong) = raw.wait(timeoutNs)
    override fun watch(poller: Poller, token: ULong) = poller.watchConsumer(raw, token)
    override fun end() = told { raw.end() }

    override fun toString(): String = "Consumer of lane \"$name\""
}

internal fun Frame.youngerThan(maxAge: Duration): Frame? {
    if (maxAge.isInfinite()) return this
    val age = monotonicNs().toLong() - info.publishNs.toLong()
    if (age <= maxAge.inWholeNanoseconds) return this
    giveBack()
    return null
}
