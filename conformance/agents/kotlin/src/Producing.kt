package framelane.agent

import framelane.Access
import framelane.FrameDescriptor
import framelane.FrameLayout
import framelane.FrameMut
import framelane.MemoryKind
import framelane.PixelFormat
import framelane.Producer
import framelane.ProducerOptions
import framelane.Returned
import framelane.Trust
import java.nio.ByteBuffer
import java.util.Collections

fun trust(line: Line) = line.choice("trust", Trust.SAME_USER)

private fun access(line: Line) = when (val text = line["access"]) {
    null, "owner" -> Access.Owner
    "everyone" -> Access.Everyone
    else -> throw Misunderstood("access=$text has no meaning")
}

/** The commands of a producer. */
class Producing {
    private var producer: Producer? = null
    private var layout: FrameLayout? = null
    private val claims = Numbered<FrameMut>("claim")
    private var returned: MutableList<Returned> = Collections.synchronizedList(mutableListOf())

    private fun producer() = producer ?: throw Misunderstood("there is no producer")

    fun command(line: Line): String = when (line.word) {
        "create" -> create(line)
        "publish" -> producer().claim().use { fill(it, line); " sequence=${it.publish()}" }
        "claim" -> claim(line)
        "fill" -> "".also { fill(claims.get(line), line) }
        "commit" -> commit(line)
        "abandon" -> "".also { claims.take(line).abandon() }
        "publish_external" -> publishExternal(line)
        "returned" -> " count=${returned.size} revoked=${returned.toList().count { it.revoked }}"
        "recall" -> "".also { producer().recall() }
        "report" -> report()
        "close_producer" -> "".also { producer().close(); producer = null }
        else -> throw Misunderstood("there is no command ${line.word}")
    }

    private fun create(line: Line): String {
        val picture = if ("format" !in line) null else {
            val format = line.choice<PixelFormat>("format")
            FrameLayout(format, line.int("width"), line.int("height"), line.int("align", 1))
        }
        val default = ProducerOptions()
        val memory = line.choice("memory", MemoryKind.INLINE)
        val described = picture?.describe()
        val buffers = List(if (described == null) 0 else line.int("buffers")) {
            DeviceBuffer(described!!, it, line.flag("writable"))
        }
        val options = ProducerOptions(
            layout = picture,
            payloadBytes = line["payload_bytes"]?.let { line.long("payload_bytes") },
            leaseBudget = line.int("lease_budget", default.leaseBudget),
            claims = line.int("claims", default.claims),
            history = line.int("history", default.history),
            lossless = line.flag("lossless"),
            lease = line.timeOrNone("lease_ms"),
            memory = memory,
            deviceBuffers = buffers.map { it.fd },
            access = access(line),
            trust = trust(line),
        )
        val made = try {
            Producer(line.need("lane"), options)
        } finally {
            buffers.forEach { it.close() }
        }
        producer?.close()
        claims.close()
        producer = made
        layout = picture
        returned = Collections.synchronizedList(mutableListOf())
        return " epoch=${made.epoch}"
    }

    private fun fill(frame: FrameMut, line: Line) {
        if (hasFields(line)) apply(line, frame.info)
        if ("seed" !in line) return
        for (number in 0 until frame.planeCount) {
            val plane: ByteBuffer = frame.plane(number)
            plane.put(filled(number, line.long("seed"), plane.remaining()))
        }
    }

    private fun claim(line: Line): String {
        claims.put(line, producer().claim(line.timeOrNone("timeout_ms")))
        return ""
    }

    private fun commit(line: Line): String {
        val numbers = line.need("claims").split(',').map { it.toInt() }
        val frames = numbers.map(claims::take)
        val sequence =
            frames.singleOrNull()?.publish() ?: producer().publishBatch(frames)
        return " sequence=$sequence"
    }

    private fun publishExternal(line: Line): String {
        val info = layout?.describe() ?: FrameDescriptor()
        for (number in 0 until 4) info.planes(number).bufferIndex = line.int("buffer")
        apply(line, info)
        val told = returned
        return " sequence=${producer().publishExternal(info) { told += it }}"
    }

    private fun report(): String {
        val r = producer().report()
        return " consumers=${r.consumerCount} published=${r.published} abandoned=${r.abandoned}" +
            " no_free_slot=${r.noFreeSlot} revoked=${r.revoked}" +
            " leases_granted=${r.leasesGranted} slots=${r.slotCount}"
    }

    fun close() {
        claims.close()
        producer?.close()
        producer = null
        layout = null
        returned = Collections.synchronizedList(mutableListOf())
    }
}
