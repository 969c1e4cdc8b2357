/** What a frame costs in Kotlin; see bench/README.md. */

import com.sun.management.OperatingSystemMXBean
import framelane.Consumer
import framelane.ConsumerOptions
import framelane.FrameLayout
import framelane.PixelFormat
import framelane.Producer
import framelane.ProducerOptions
import framelane.monotonicNs
import java.lang.management.ManagementFactory
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

/** Of the whole process, in nanoseconds. */
private inline fun processorTime(frames: Int, handOver: () -> Unit): Long {
    val process = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
    val start = process.processCpuTime
    repeat(frames) { handOver() }
    return process.processCpuTime - start
}

private fun fail(text: String): Nothing {
    System.err.println(text)
    exitProcess(1)
}

private fun cost(lane: String, frames: Int) {
    val layout = FrameLayout(PixelFormat.NV12, 640, 480)
    Producer(lane, ProducerOptions(layout)).use { producer ->
        Consumer(lane).use { consumer ->
            val publish = { producer.publish { it.plane(0) } }
            val handOver = {
                publish()
                val frame = consumer.tryNext() ?: fail("the frame just published is not there")
                frame.use { it.plane(0) }
            }
            processorTime(frames) { handOver() }
            val first = processorTime(frames) { publish() }
            val second = processorTime(frames) { handOver() }
            val consumers = maxOf(second - first, 0) / frames
            println("producer_ns=${first / frames} consumer_ns=$consumers")
        }
    }
}

private fun paced(lane: String, frames: Int) {
    Consumer(lane, ConsumerOptions(waitForLane = 10.seconds)).use { consumer ->
        val times = List(frames) {
            val frame = consumer.next(5.seconds) ?: fail("no frame for 5 s")
            val now = monotonicNs()
            frame.use { (now - it.info.publishNs).toLong() }
        }
        println("p50_ns=${times.sorted()[frames / 2]}")
    }
}

fun main(arguments: Array<String>) {
    val frames = arguments.getOrNull(2)?.toIntOrNull()
    when (arguments.getOrNull(0).takeIf { frames != null }) {
        "cost" -> cost(arguments[1], frames!!)
        "paced" -> paced(arguments[1], frames!!)
        else -> fail("per-frame cost|paced LANE FRAMES")
    }
}
