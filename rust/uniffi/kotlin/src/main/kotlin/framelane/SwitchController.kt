package framelane

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import framelane.uniffi.SwitchChoice as RawChoice
import framelane.uniffi.SwitchController as RawController

/** How to make a switch. */
data class SwitchControllerOptions(
    /** Index of the lane that is active at first. */
    val active: Int = 0,
    val access: Access = Access.Owner,
    val trust: Trust = Trust.SAME_USER,
    /** Runtime directory; null searches where every language does. */
    val directory: Path? = null,
)

/** Owns a switch and says which of its lanes is active. Usable from several threads. */
class SwitchController(
    /** Name of the switch. */
    val name: String,
    /** Names of the lanes, by index. */
    val lanes: List<String>,
    options: SwitchControllerOptions = SwitchControllerOptions(),
) : AutoCloseable {
    private val raw = told {
        val active = count(options.active, "active")
        val directory = options.directory?.toString()
        val access = options.access.raw()
        RawController.create(name, lanes, active, access, options.trust, directory)
    }

    /** Makes a lane active; the switch epoch. */
    fun select(index: Int): ULong = told { raw.select(count(index, "index")) }

    /** Makes a lane active; the switch epoch. */
    fun select(lane: String): ULong = told { raw.selectLane(lane) }

    /** What a policy wants: makes a lane active unless somebody has chosen. Whether it is active. */
    fun propose(index: Int): Boolean = told { raw.propose(count(index, "index")) }

    /** Takes a choice back: from now on a policy chooses. */
    fun setAutomatic() = told { raw.setAutomatic() }

    /** Waits while the switch epoch is [switchEpoch]; the epoch of now. */
    fun waitSwitched(switchEpoch: ULong, timeout: Duration = Duration.INFINITE): ULong {
        val look = { slice: ULong -> told { raw.waitSwitched(switchEpoch, slice) } }
        return within(timeout) { slice -> look(slice).takeIf { it != switchEpoch } } ?: switchEpoch
    }

    /** Index of the active lane. */
    val active: Int get() = told { raw.active() }.toInt()

    /** How many-th selection this is, from 1. */
    val switchEpoch: ULong get() = told { raw.switchEpoch() }

    /** Whether somebody has chosen and no policy is to choose otherwise. */
    val isHeld: Boolean get() = told { raw.isHeld() }

    /** Random id of this controller incarnation. */
    val epoch: ULong get() = told { raw.epoch() }

    /** Readers attached now. */
    val readers: Int get() = told { raw.readers() }.toInt()

    /** How the switch is: lanes, selection, counts and readers. */
    fun report(): Report = Report(ByteBuffer.wrap(told { raw.report() }))

    /** Ends the switch, also while another thread waits. Readers go on with the active lane. */
    override fun close() = told { raw.end() }
}

/** What somebody wants of a switch. */
sealed interface SwitchChoice {
    /** A lane by its place, from 0. */
    data class Index(val index: Int) : SwitchChoice

    /** A lane by its name. */
    data class Lane(val name: String) : SwitchChoice

    /** No choice: what the controller's policy says. */
    data object Automatic : SwitchChoice
}

private fun SwitchChoice.raw(): RawChoice = when (this) {
    is SwitchChoice.Index -> RawChoice.Index(count(index, "index"))
    is SwitchChoice.Lane -> RawChoice.Lane(name)
    SwitchChoice.Automatic -> RawChoice.Automatic
}

/**
 * Selects a lane of a switch whose controller is another process, or takes a choice back. Keeps its
 * thread for as long as the controller needs, [timeout] at most, also when that is interrupted: to
 * ask again would choose again.
 */
fun select(
    switch: String,
    choice: SwitchChoice,
    timeout: Duration = 1.seconds,
    directory: Path? = null,
): Selected {
    if (timeout.isInfinite()) throw invalid("timeout is $timeout")
    val time = nanoseconds(timeout, "timeout")
    return told { framelane.uniffi.select(switch, choice.raw(), directory?.toString(), time) }
}
