package framelane

import framelane.layout.Plane
import framelane.uniffi.Claimed
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean

/**
 * A slot of the lane to be filled, then published. Closing one that was not published abandons it.
 *
 * Its buffers are the lane's memory: nothing may be written to them once it is published.
 */
class FrameMut internal constructor(claimed: Claimed) : AutoCloseable {
    internal val raw = claimed.frame
    private val where = claimed
    private val done = AtomicBoolean()
    private val memory: ByteBuffer by lazy { open { where.payload.inPlace(raw) } }

    /** As the lane lays it out, or as the producer changes it. */
    private val description by lazy { FrameDescriptor(open { where.descriptor.copied() }) }
    private var wasHandedOut = false

    /** What the frame will say about itself. Sequence and publish time are set at [publish]. */
    val info: FrameDescriptor
        get() = description.also { wasHandedOut = true }

    /** All bytes of the slot. */
    val payload: ByteBuffer get() = open { memory.fromStart() }

    /** Number of planes. */
    val planeCount: Int get() = minOf(description.planeCount.toInt(), 4)

    /** Whether it was published or abandoned. */
    val isClosed: Boolean get() = done.get()

    /** The bytes of one plane as [info] lays it out now. */
    fun plane(index: Int): ByteBuffer = open {
        if (index !in 0 until planeCount) throw invalid("plane $index of a frame with $planeCount")
        val plane: Plane = description.planes(index)
        val (offset, size) = plane.offsetBytes to plane.sizeBytes
        val room = memory.capacity().toULong()
        if (offset > room || size > room - offset) {
            val text = "a plane at $offset of $size bytes does not fit in $room"
            throw FramelaneException(ErrorKind.PROTOCOL, text)
        }
        val view = memory.fromStart()
        view.position(offset.toInt()).limit((offset + size).toInt())
        view.slice().order(view.order())
    }

    /** Copies bytes to the start of the slot, counted as copied by the SDK. */
    fun copyFrom(bytes: ByteBuffer) {
        val (size, into) = bytes.remaining() to payload
        if (size > into.remaining()) {
            val text = "$size bytes into a payload of ${into.remaining()}"
            throw FramelaneException(ErrorKind.TOO_LARGE, text)
        }
        into.put(bytes.duplicate())
        told { raw.countCopied(size.toULong()) }
    }

    /** Makes the frame the newest of the lane; its sequence. */
    fun publish(): ULong {
        end()
        // A slot that could not be published is given back here, not by the garbage collector.
        return raw.use {
            describe()
            told { it.publish() }
        }
    }

    /** Gives the slot back unpublished. */
    fun abandon() {
        if (!done.getAndSet(true)) raw.close()
    }

    override fun close() = abandon()

    /** From here on nobody else can publish or abandon it. */
    internal fun end() {
        if (done.getAndSet(true)) throw gone()
    }

    /** Tells the library what the frame is, where somebody may have changed it. */
    internal fun describe() {
        if (wasHandedOut) told { raw.describe(description.toByteArray()) }
    }

    private fun gone() = invalid("the frame was published or abandoned")

    private inline fun <T> open(use: () -> T): T = if (done.get()) throw gone() else use()
}
