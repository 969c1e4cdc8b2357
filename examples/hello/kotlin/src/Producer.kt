/** Publishes numbered frames: `producer [LANE [FRAMES]]`. */

import framelane.FrameLayout
import framelane.FramelaneException
import framelane.PixelFormat
import framelane.Producer
import framelane.ProducerOptions
import kotlin.system.exitProcess

fun main(arguments: Array<String>) {
    val lane = arguments.getOrNull(0) ?: "hello"
    val frames = arguments.getOrNull(1)?.toInt() ?: 30
    try {
        val layout = FrameLayout(PixelFormat.NV12, 640, 480)
        Producer(lane, ProducerOptions(layout)).use { producer ->
            for (number in 1..frames) {
                producer.publish { frame ->
                    for (plane in 0 until frame.planeCount) frame.plane(plane).put(0, number.toByte())
                }
                Thread.sleep(1000L / 30)
            }
        }
    } catch (failure: FramelaneException) {
        System.err.println(failure.message)
        exitProcess(1)
    }
}
