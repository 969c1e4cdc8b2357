package framelane

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import framelane.uniffi.Access as RawAccess
import framelane.uniffi.ConsumerOptions as RawConsumerOptions
import framelane.uniffi.ProducerOptions as RawProducerOptions
import framelane.uniffi.StreamReaderOptions as RawStreamReaderOptions
import framelane.uniffi.StreamWriterOptions as RawStreamWriterOptions

/** How one picture lies in memory. */
data class FrameLayout(
    val format: PixelFormat,
    val width: Int,
    val height: Int,
    /** Rows begin at multiples of so many bytes. */
    val strideAlign: Int = 1,
) {
    /** A descriptor of such a picture in one block of memory. */
    fun describe(): FrameDescriptor {
        val (wide, high) = count(width, "width") to count(height, "height")
        val align = count(strideAlign, "strideAlign")
        return FrameDescriptor(
            ByteBuffer.wrap(told { framelane.uniffi.picture(format.number, wide, high, align) })
        )
    }
}

/** Who may attach. */
sealed interface Access {
    /** The owner's user, and root. */
    data object Owner : Access

    /** Members of a group by its number. */
    data class Group(val gid: Int) : Access

    /** Every user of the machine. */
    data object Everyone : Access
}

internal fun Access.raw(): RawAccess = when (this) {
    Access.Owner -> RawAccess.Owner
    is Access.Group -> RawAccess.Group(count(gid, "gid"))
    Access.Everyone -> RawAccess.Everyone
}

/** How to make a lane. Slots = [leaseBudget] + [claims] + 1 + [history], at most 64. */
data class ProducerOptions(
    /** The lane's picture; without one, [payloadBytes] says how large a slot is. */
    val layout: FrameLayout? = null,
    val payloadBytes: Long? = null,
    /** Leases of all consumers together. */
    val leaseBudget: Int = 8,
    /** Frames claimed at once. */
    val claims: Int = 1,
    /** Frames before the newest that stay reachable. */
    val history: Int = 1,
    /** Whether lossless consumers are admitted. */
    val lossless: Boolean = false,
    /** Time a device frame is guaranteed after publication; zero: it is never taken back. */
    val lease: Duration = Duration.ZERO,
    /** Expected time between frames; zero: unknown. */
    val framePeriod: Duration = Duration.ZERO,
    val memory: MemoryKind = MemoryKind.INLINE,
    /** File descriptors of memfds or dma-bufs; the producer keeps duplicates. */
    val deviceBuffers: List<Int> = emptyList(),
    val hugePages: HugePages = HugePages.OFF,
    val lockMemory: Boolean = false,
    val numaNode: Int? = null,
    val access: Access = Access.Owner,
    val trust: Trust = Trust.SAME_USER,
    val reclaim: Reclaim = Reclaim.THREAD,
    /** Runtime directory; null searches where every language does. */
    val directory: Path? = null,
) {
    internal fun raw() = RawProducerOptions(
        format = layout?.format?.number ?: 0u,
        width = count(layout?.width ?: 0, "width"),
        height = count(layout?.height ?: 0, "height"),
        strideAlign = count(layout?.strideAlign ?: 1, "strideAlign"),
        payloadBytes = payloadBytes?.let { bytes(it, "payloadBytes") },
        leaseBudget = count(leaseBudget, "leaseBudget"),
        claims = count(claims, "claims"),
        history = count(history, "history"),
        lossless = lossless,
        leaseNs = nanoseconds(lease, "lease"),
        framePeriodNs = nanoseconds(framePeriod, "framePeriod"),
        memory = memory.number.toUInt(),
        deviceBuffers = deviceBuffers,
        hugePages = hugePages,
        lockMemory = lockMemory,
        numaNode = numaNode?.let { count(it, "numaNode") },
        access = access.raw(),
        trust = trust,
        reclaim = reclaim,
        directory = directory?.toString(),
    )
}

/** How to read frames, of a lane or of those behind a switch. */
data class ConsumerOptions(
    val mode: Mode = Mode.LATEST,
    /** Frames held at once, 1 to 63. */
    val leases: Int = 2,
    /** How long to wait for a producer to make the lane. */
    val waitForLane: Duration = Duration.ZERO,
    /** Whether to attach to the next producer when this one is gone. */
    val reattach: Boolean = true,
    /** Accept device buffers that this process could write. */
    val wantsWritable: Boolean = false,
    /** Runtime directory; null searches where every language does. */
    val directory: Path? = null,
) {
    internal fun raw(waitNs: ULong) = RawConsumerOptions(
        mode = mode.number.toUInt(),
        leases = count(leases, "leases"),
        waitNs = waitNs,
        reattach = reattach,
        writable = wantsWritable,
        directory = directory?.toString(),
    )
}

/** How to make a stream lane. */
data class StreamWriterOptions(
    val config: StreamConfig,
    /** Bytes of the data ring. */
    val dataBytes: Long = 8 shl 20,
    /** Records the lane keeps at most. */
    val indexCapacity: Int = 1024,
    /** Whether lossless readers are admitted. */
    val lossless: Boolean = false,
    /** Least time between two requests for a key record. */
    val keyRequestInterval: Duration = 1.seconds,
    val lockMemory: Boolean = false,
    val numaNode: Int? = null,
    val access: Access = Access.Owner,
    val trust: Trust = Trust.SAME_USER,
    /** Runtime directory; null searches where every language does. */
    val directory: Path? = null,
) {
    internal fun raw() = RawStreamWriterOptions(
        config = config.toByteArray(),
        dataBytes = bytes(dataBytes, "dataBytes"),
        indexCapacity = count(indexCapacity, "indexCapacity"),
        lossless = lossless,
        keyRequestIntervalNs = nanoseconds(keyRequestInterval, "keyRequestInterval"),
        lockMemory = lockMemory,
        numaNode = numaNode?.let { count(it, "numaNode") },
        access = access.raw(),
        trust = trust,
        directory = directory?.toString(),
    )
}

/** How to read a stream. */
data class StreamReaderOptions(
    /** Where reading begins. */
    val start: StreamStart = StreamStart.NEWEST_KEY,
    /** How long ago the record was published that [StreamStart.KEY_BEFORE] means. */
    val startAge: Duration = Duration.ZERO,
    /** Where reading goes on after the writer has lapped this reader. */
    val afterLap: StreamStart = StreamStart.NEWEST_KEY,
    /** Whether the writer waits for this reader. */
    val lossless: Boolean = false,
    /** How long to wait for a writer to make the lane. */
    val waitForLane: Duration = Duration.ZERO,
    /** Whether to attach to the next writer when this one is gone. */
    val reattach: Boolean = true,
    /** Runtime directory; null searches where every language does. */
    val directory: Path? = null,
) {
    internal fun raw(waitNs: ULong) = RawStreamReaderOptions(
        start = start.number.toUInt(),
        startAgeNs = nanoseconds(startAge, "startAge"),
        afterLap = afterLap.number.toUInt(),
        lossless = lossless,
        waitNs = waitNs,
        reattach = reattach,
        directory = directory?.toString(),
    )
}

internal fun count(number: Int, what: String): UInt {
    if (number < 0) throw invalid("$what is $number")
    return number.toUInt()
}

private fun bytes(number: Long, what: String): ULong {
    if (number < 0) throw invalid("$what is $number")
    return number.toULong()
}
