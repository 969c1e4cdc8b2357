/** Prints what it reads: `consumer [LANE [FRAMES]]`. */

import framelane.Consumer
import framelane.ConsumerOptions
import framelane.FramelaneException
import framelane.Mode
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

fun main(arguments: Array<String>) {
    val lane = arguments.getOrNull(0) ?: "hello"
    val frames = arguments.getOrNull(1)?.toInt() ?: 30
    val patience = 10.seconds
    try {
        Consumer(lane, ConsumerOptions(Mode.ORDERED, waitForLane = patience)).use { consumer ->
            repeat(frames) {
                val frame = consumer.next(patience) ?: fail("no frame for $patience")
                frame.use {
                    val first = it.plane(0)[0].toUByte()
                    println("frame ${it.sequence} ${it.width}x${it.height} first byte $first")
                }
            }
        }
    } catch (failure: FramelaneException) {
        fail("${failure.message}")
    }
}

private fun fail(text: String): Nothing {
    System.err.println(text)
    exitProcess(1)
}
