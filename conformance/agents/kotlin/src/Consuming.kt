package framelane.agent

import framelane.Consumer
import framelane.ConsumerOptions
import framelane.Frame
import framelane.FrameDescriptor
import framelane.MemoryKind
import framelane.Reader
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import kotlin.concurrent.thread

/** Until a reader's descriptor is readable. */
fun poll(reader: Reader<*>, line: Line): String {
    val time = line.time("timeout_ms")
    val ready = runBlocking { withTimeoutOrNull(time) { reader.awaitReadable() } }
    return " ready=${(ready != null).digit()}"
}

/** The commands of consumers. */
class Consuming {
    private val consumers = Numbered<Consumer>("consumer")
    private val frames = Numbered<Frame>("frame")

    fun command(line: Line): String? = when (line.word) {
        "open" -> open(line)
        "next" -> keep(consumers.get(line).next(line.time("timeout_ms")), line)
        "try" -> keep(consumers.get(line).tryNext(), line)
        "latest" -> keep(consumers.get(line).latest(), line)
        "wait" -> " ready=${consumers.get(line).wait(line.time("timeout_ms")).digit()}"
        "poll" -> poll(consumers.get(line), line)
        "read" -> read(frames.get(line))
        "in_place" -> inPlace(frames.get(line))
        "describe" -> describe(frames.get(line).info)
        "check" -> " intact=${frames.get(line).check().digit()}"
        "release" -> "".also { frames.take(line).close() }
        "count" -> consumers.get(line).let { " received=${it.received} missed=${it.missed}" }
        "close" -> "".also { consumers.take(line).close() }
        "close_later" -> closeLater(line)
        "decode" -> decode(line)
        else -> null
    }

    private fun open(line: Line): String {
        val options = ConsumerOptions(
            mode = line.choice("mode"),
            leases = line.int("leases", 1), // what the scenarios count on; here the default is 2
            waitForLane = line.timeOrNone("wait_ms"),
            reattach = line.flag("reattach", true),
            wantsWritable = line.flag("writable"),
        )
        val consumer = consumers.put(line, Consumer(line.need("lane"), options))
        return " epoch=${consumer.epoch}"
    }

    private fun keep(frame: Frame?, line: Line): String {
        if (frame == null) return NOTHING
        frames.put(line, frame)
        return " sequence=${frame.sequence} missed=${frame.missed} new_epoch=${frame.newEpoch.digit()}"
    }

    private fun read(frame: Frame): String {
        val info = frame.info
        val head = " format=${info.fourcc} width=${info.width} height=${info.height}"
        val inline = info.memoryKind == MemoryKind.INLINE.number
        return head + " planes=${frame.planeCount}" + (0 until frame.planeCount).joinToString("") { n ->
            var bytes = frame.plane(n)
            if (!inline) {
                bytes = ByteBuffer.allocate(bytes.remaining()).also { frame.copyTo(n, it) }.flip()
            }
            val layout = info.planes(n)
            " size$n=${bytes.remaining()} stride$n=${layout.strideBytes} rows$n=${layout.rows}" +
                " crc$n=${checksum(bytes)}"
        }
    }

    private fun inPlace(frame: Frame) = (0 until frame.planeCount).joinToString("") { n ->
        val fd = frame.planeFd(n)
        val file = try {
            Files.getAttribute(Path.of("/proc/self/fd/$fd"), "unix:ino")
        } finally {
            closeDescriptor(fd)
        }
        " crc$n=${checksum(frame.plane(n))} file$n=$file"
    }

    private fun closeLater(line: Line): String {
        val (consumer, time) = consumers.get(line) to line.time("after_ms")
        thread(isDaemon = true) {
            Thread.sleep(time.inWholeMilliseconds)
            consumer.close()
        }
        return ""
    }

    private fun decode(line: Line): String {
        // Not by a channel of java.nio, which would leave a pair of sockets of its own open.
        val bytes = File(line.need("file")).readBytes()
        return describe(FrameDescriptor(ByteBuffer.wrap(bytes)))
    }

    fun close() {
        frames.close()
        consumers.close()
    }
}
