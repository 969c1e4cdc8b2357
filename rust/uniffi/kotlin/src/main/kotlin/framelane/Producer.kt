package framelane

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration
import framelane.uniffi.Owner as RawOwner
import framelane.uniffi.Producer as RawProducer

/** That the buffer of an external frame may be used again. */
data class Returned(
    /** Of the frame. */
    val sequence: ULong,
    /** Whether it was taken back at its deadline while somebody held it. */
    val revoked: Boolean,
)

/** Owns a lane: claims slots, publishes them. Usable from several threads. */
class Producer(
    /** Name of the lane. */
    val name: String,
    options: ProducerOptions,
) : AutoCloseable {
    private val raw = told { RawProducer.create(name, options.raw()) }

    /** Random id of this producer incarnation. */
    val epoch: ULong = told { raw.epoch() }

    /** Runtime directory the lane's socket is in. */
    val directory: Path = Path.of(told { raw.directory() })

    /** Claims a slot at once, or within a time. */
    fun claim(timeout: Duration = Duration.ZERO): FrameMut =
        FrameMut(patiently(timeout, NO_ROOM) { raw.claim(it) })

    /** Claims a slot, has it filled and publishes it; its sequence. An exception abandons it. */
    inline fun publish(timeout: Duration = Duration.ZERO, fill: (FrameMut) -> Unit): ULong =
        claim(timeout).use { frame ->
            fill(frame)
            frame.publish()
        }

    /**
     * Publishes claimed frames in order with one wake-up; the last sequence. Where it fails on the
     * way, those that it had begun with are abandoned.
     */
    fun publishBatch(frames: List<FrameMut>): ULong {
        if (frames.toSet().size != frames.size) throw invalid("a frame stands in the batch twice")
        if (frames.any { it.isClosed }) throw invalid("a frame was published or abandoned")
        // Another thread may end one of them meanwhile: the others stay whose they are.
        val ours = ArrayList<FrameMut>(frames.size)
        try {
            for (frame in frames) ours += frame.apply { end() }
            ours.forEach { it.describe() }
            return told { raw.publishBatch(ours.map { it.raw }) }
        } finally {
            ours.forEach { it.raw.close() }
        }
    }

    /** Publishes a frame in device memory; its sequence. [owner] is called once, on another thread, when the buffer may be used again. */
    fun publishExternal(info: FrameDescriptor, owner: ((Returned) -> Unit)? = null): ULong =
        told { raw.publishExternal(info.toByteArray(), owner?.let(::Calls)) }

    /** Calls the owners of returned buffers, on lanes made with [Reclaim.PUMP]; how many. */
    fun reclaim(): Int = told { raw.reclaim() }.toInt()

    /** Takes back the device frames that nobody holds, the newest included. */
    fun recall() = told { raw.recall() }

    /** How the lane is: geometry, counts, consumers and what they hold. */
    fun report(): Report = Report(ByteBuffer.wrap(told { raw.report() }))

    /** Number of consumers attached now. */
    val consumers: Int get() = told { raw.consumers() }.toInt()

    /** Ends the lane. Consumers are told; frames that they hold stay valid. */
    override fun close() = told { raw.end() }

    override fun toString(): String = "Producer of lane \"$name\""
}

private class Calls(private val owner: (Returned) -> Unit) : RawOwner {
    override fun returned(sequence: ULong, revoked: Boolean) {
        try {
            owner(Returned(sequence, revoked))
        } catch (@Suppress("TooGenericExceptionCaught") failure: Throwable) {
            uncaught(failure)
        }
    }
}
