package framelane.agent

import framelane.ConsumerOptions
import framelane.Switch
import framelane.SwitchChoice
import framelane.SwitchController
import framelane.SwitchControllerOptions
import framelane.select
import kotlin.time.Duration

/** The commands of both sides of a switch. */
class Switching {
    private var controller: SwitchController? = null
    private var reader: Switch? = null

    private fun controller() = controller ?: throw Misunderstood("there is no controller")

    private fun reader() = reader ?: throw Misunderstood("there is no reader of a switch")

    fun command(line: Line): String? = when (line.word) {
        "create_switch" -> create(line)
        "select_lane" -> " switch_epoch=${selectLane(line)}"
        "propose" -> " active=${controller().propose(index(line)).digit()}"
        "set_automatic" -> "".also { controller().setAutomatic() }
        "switch_report" -> controller().let {
            " active=${it.active} switch_epoch=${it.switchEpoch} held=${it.isHeld.digit()}" +
                " readers=${it.readers}"
        }
        "close_switch" -> "".also { controller().close(); controller = null }
        "open_switch" -> open(line)
        "next_of_switch" -> next(line)
        "switch_status" -> status()
        "leave_switch" -> "".also { reader().close(); reader = null }
        "ask_switch" -> ask(line)
        else -> null
    }

    private fun index(line: Line): Int {
        line.need("index")
        return line.int("index")
    }

    private fun create(line: Line): String {
        val options = SwitchControllerOptions(active = line.int("active"))
        val made = SwitchController(line.need("switch"), line.need("lanes").split(','), options)
        controller?.close()
        controller = made
        return " epoch=${made.epoch}"
    }

    private fun selectLane(line: Line): ULong {
        val lane = line["lane"] ?: return controller().select(index(line))
        return controller().select(lane)
    }

    private fun open(line: Line): String {
        val wait = line.timeOrNone("wait_ms")
        val options = ConsumerOptions(line.choice("mode"), leases = 1, waitForLane = wait)
        val opened = Switch(line.need("switch"), options)
        reader?.close()
        reader = opened
        return ""
    }

    private fun next(line: Line): String {
        val frame = reader().next(line.time("timeout_ms")) ?: return NOTHING
        return frame.use {
            " sequence=${it.sequence} lane=${it.laneIndex} switch_epoch=${it.switchEpoch}" +
                " switched=${it.switched.digit()} crc=${checksum(it.plane(0))}"
        }
    }

    private fun status(): String {
        val switch = reader()
        switch.wait(Duration.ZERO)
        val status = switch.status
        return " active=${status.active?.toInt() ?: -1} switch_epoch=${status.switchEpoch}" +
            " controlled=${status.controlled.digit()} received=${switch.received}" +
            " switches=${switch.switches}"
    }

    private fun ask(line: Line): String {
        val choice = line["lane"]?.let { SwitchChoice.Lane(it) } ?: SwitchChoice.Automatic
        val selected = select(line.need("switch"), choice, line.time("timeout_ms"))
        return " active=${selected.active} switch_epoch=${selected.switchEpoch}"
    }

    fun close() {
        reader?.close()
        controller?.close()
        reader = null
        controller = null
    }
}
