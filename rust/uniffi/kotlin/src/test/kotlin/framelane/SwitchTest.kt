package framelane

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

class SwitchTest {
    private fun Place.controller() = SwitchController(
        "front",
        listOf("day", "night"),
        SwitchControllerOptions(directory = directory),
    )

    @Test
    fun `the reader follows what is selected`() = place {
        producer("day").use { day ->
            producer("night").use { night ->
                controller().use { controller ->
                    Switch("front", ConsumerOptions(directory = directory)).use { switch ->
                        day.show(1)
                        switch.next(LIMIT)!!.use { assertEquals(0, it.laneIndex) }
                        assertEquals(2uL, controller.select("night"))
                        night.show(2)
                        switch.next(LIMIT)!!.use { frame ->
                            assertEquals(1, frame.laneIndex)
                            assertTrue(frame.switched)
                            assertEquals(2, frame.plane(0).get(0))
                        }
                        assertEquals(1uL, switch.switches)
                        assertEquals(listOf("day", "night"), switch.status.lanes.map { it.name })
                        assertTrue(switch.status.controlled)
                        eventually("the reader is counted") { controller.readers == 1 }
                    }
                }
            }
        }
    }

    @Test
    fun `a choice stands until it is taken back`() = place {
        controller().use { controller ->
            assertFalse(controller.isHeld)
            assertTrue(controller.propose(1))
            val selected = select("front", SwitchChoice.Index(0), LIMIT, directory)
            assertEquals(0u, selected.active)
            assertTrue(controller.isHeld)
            assertFalse(controller.propose(1))
            failsWith(ErrorKind.INVALID_ARGUMENT) {
                select("front", SwitchChoice.Automatic, Duration.INFINITE, directory)
            }
            assertTrue(controller.isHeld)
            assertEquals(2u, query("front", Duration.INFINITE, directory).switchReport.memberCount)
            select("front", SwitchChoice.Automatic, LIMIT, directory)
            assertTrue(controller.propose(1))
            val epoch = controller.switchEpoch
            assertEquals(epoch, controller.waitSwitched(epoch, 20.milliseconds))
            failsWith(ErrorKind.INVALID_ARGUMENT) { controller.select("dusk") }
            failsWith(ErrorKind.INVALID_ARGUMENT) { controller.select(2) }
            controller.close()
            failsWith(ErrorKind.CLOSED) { controller.active }
        }
    }
}
