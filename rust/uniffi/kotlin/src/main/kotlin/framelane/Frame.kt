package framelane

import framelane.uniffi.Leased
import framelane.uniffi.Span
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean

/**
 * A frame that is held: its bytes stay as they are until it is closed.
 *
 * The buffers of its planes are the lane's memory. After [close] they must not be touched any more:
 * they then show other frames, or memory that is gone. A frame that is forgotten is given back when
 * the garbage collector finds it and the last of its buffers, which may be late.
 */
class Frame internal constructor(leased: Leased) : AutoCloseable {
    private val lease = leased.frame
    private val whereInfo = leased.descriptor
    private val wherePlanes = leased.planes
    private val planes = arrayOfNulls<ByteBuffer>(leased.planes.size)
    private val released = AtomicBoolean()
    private var copiedInfo: FrameDescriptor? = null

    /** Number of the frame in its epoch, from 1. */
    val sequence: ULong = leased.sequence

    /** Producer incarnation the frame comes from. */
    val epoch: ULong = leased.epoch

    /** Frames that passed between the one before and this one. */
    val missed: ULong = leased.missed

    /** Whether this is the first frame after the producer was restarted. */
    val newEpoch: Boolean = leased.newEpoch

    /** Slot the frame is in; a small number to key caches by. */
    val slot: Int = leased.slot.toInt()

    /** Switch epoch under which a switch read the frame; 0 of any other reader. */
    val switchEpoch: ULong = leased.switchEpoch

    /** Index of the lane of a switch that the frame comes from; 0 of any other reader. */
    val laneIndex: Int = leased.laneIndex.toInt()

    /** Whether this is the first frame that a switch delivers under another selection. */
    val switched: Boolean = leased.switched

    /** Everything the producer said about the frame: a copy, which stays valid. */
    val info: FrameDescriptor
        get() = copiedInfo ?: FrameDescriptor(open { whereInfo.copied() }).also { copiedInfo = it }

    /** Width in pixels. */
    val width: Int get() = info.width.toInt()

    /** Height in pixels. */
    val height: Int get() = info.height.toInt()

    /** Number of planes. */
    val planeCount: Int get() = wherePlanes.size

    /** Whether the frame was given back. */
    val isClosed: Boolean get() = released.get()

    /** The bytes of one plane, in place, read-only. Of a frame in device memory they count if [check] says so afterwards. */
    fun plane(index: Int): ByteBuffer = root(index).readOnly()

    /** Whether everything read from the frame before this call counts. */
    fun check(): Boolean = open { told { lease.check() } }

    /** Copies what is in one plane, padding included; fails where the copy is not whole. */
    fun copyTo(index: Int, into: ByteBuffer) {
        val from = root(index).fromStart()
        if (into.remaining() < from.remaining()) {
            throw invalid("${into.remaining()} bytes for plane $index of ${from.remaining()}")
        }
        into.put(from)
        if (!check()) throw FramelaneException(ErrorKind.REVOKED, "frame $sequence was taken back")
    }

    /** A descriptor of the dma-buf or memfd that one plane is in; the caller owns and closes it. */
    fun planeFd(index: Int): Int = open { told { lease.planeFd(number(index)) } }

    /** Gives the frame back. Fails with [ErrorKind.REVOKED] where it had been taken back before. */
    override fun close() {
        if (released.getAndSet(true)) return
        planes.fill(null)
        // Only a frame in device memory can have been taken back: of others one call is enough.
        val mayFail = wherePlanes.any { it.address == 0uL }
        lease.use { if (mayFail) told { it.release() } }
    }

    override fun toString(): String = "Frame $sequence" + if (isClosed) " (closed)" else ""

    private inline fun <T> open(use: () -> T): T {
        if (released.get()) throw invalid("frame $sequence was released")
        return use()
    }

    private fun root(index: Int): ByteBuffer = open {
        planes.getOrNull(index) ?: where(index).inPlace(lease).also { planes[index] = it }
    }

    private fun where(index: Int): Span =
        wherePlanes.getOrNull(index)?.takeIf { it.address != 0uL }
            ?: told { lease.plane(number(index)) }

    private fun number(index: Int): UInt {
        if (index < 0) throw invalid("plane $index")
        return index.toUInt()
    }
}
