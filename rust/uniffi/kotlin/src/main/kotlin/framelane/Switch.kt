package framelane

import framelane.uniffi.Poller
import kotlin.time.Duration
import framelane.uniffi.Switch as RawSwitch

/** Reads the active lane of a switch. Used by one thread at a time; [close] works from any. */
class Switch private constructor(
    name: String,
    options: ConsumerOptions,
    private val raw: RawSwitch,
) : Reader<Frame>(name, !options.reattach) {
    /** Attaches to a switch and the lanes behind it, waiting as long as the options say. */
    constructor(name: String, options: ConsumerOptions = ConsumerOptions()) : this(
        name,
        options,
        patiently(options.waitForLane, NOT_THERE_YET) { RawSwitch.open(name, options.raw(it)) },
    )

    /** The newest valid frame of the active lane, also one that was delivered before; none older than [maxAge]. */
    fun latest(maxAge: Duration = Duration.INFINITE): Frame? =
        told { raw.latest() }?.let(::Frame)?.youngerThan(maxAge)

    /** Frames delivered. */
    val received: ULong get() = told { raw.received() }

    /** Frames that passed without being delivered while their lane was active. */
    val missed: ULong get() = told { raw.missed() }

    /** Frames that were too old after a switch, or of the lane that was switched away from. */
    val dropped: ULong get() = told { raw.dropped() }

    /** Switches this reader has followed. */
    val switches: ULong get() = told { raw.switches() }

    /** Frames of this reader that are held now. */
    val held: Int get() = told { raw.held() }.toInt()

    /** How the switch is: its lanes, which is active, what is wrong. */
    val status: SwitchStatus get() = told { raw.status() }

    override fun look(timeoutNs: ULong) = raw.next(timeoutNs)?.let(::Frame)
    override fun lookAhead(timeoutNs: ULong) = raw.wait(timeoutNs)
    override fun watch(poller: Poller, token: ULong) = poller.watchSwitch(raw, token)
    override fun end() = told { raw.end() }

    override fun toString(): String = "Reader of switch \"$name\""
}
