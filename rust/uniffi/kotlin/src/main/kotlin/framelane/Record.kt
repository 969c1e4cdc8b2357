package framelane

import framelane.uniffi.Read
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean
import framelane.uniffi.RecordMut as RawRecordMut

/**
 * A record that was read: its own copy, or of a lossless reader the bytes in place. After [close]
 * its buffer must not be touched any more.
 */
class Record internal constructor(private val read: Read) : AutoCloseable {
    private val raw = read.record
    private val released = AtomicBoolean()
    private var copiedInfo: RecordInfo? = null
    private var memory: ByteBuffer? = null

    /** Number of the record in its epoch, from 1. */
    val sequence: ULong get() = read.sequence

    /** Writer incarnation the record comes from. */
    val epoch: ULong get() = read.epoch

    /** Records that passed between the one before and this one. */
    val missed: ULong get() = read.missed

    /** Whether this is the first record after the writer was restarted. */
    val newEpoch: Boolean get() = read.newEpoch

    /** Whether decoding can start here. */
    val isKey: Boolean get() = read.isKey

    /** Whether this is the first record under its config, of those that were read. */
    val newConfig: Boolean get() = read.newConfig

    /** What the record is: a copy, which stays valid. */
    val info: RecordInfo
        get() = copiedInfo ?: RecordInfo(open { read.info.copied() }).also { copiedInfo = it }

    /** What the stream is, from this record to the next change. */
    val config: StreamConfig get() = StreamConfig(ByteBuffer.wrap(open { told { raw.config() } }))

    /** Its bytes, read-only. */
    val bytes: ByteBuffer
        get() = open { (memory ?: read.bytes.inPlace(raw).also { memory = it }).readOnly() }

    /** Whether the record was given back. */
    val isClosed: Boolean get() = released.get()

    /** Gives the record back. */
    override fun close() {
        if (released.getAndSet(true)) return
        memory = null
        raw.close()
    }

    private inline fun <T> open(use: () -> T): T {
        if (released.get()) throw invalid("record $sequence was released")
        return use()
    }
}

/** The open record of a writer: append its bytes, then commit it. Closing it before gives it up. */
class RecordMut internal constructor(private val raw: RawRecordMut) : AutoCloseable {
    private val done = AtomicBoolean()

    /** What the record will say about itself: times, capture id and flags count. */
    val info: RecordInfo = RecordInfo().also {
        it.ptsNs = framelane.layout.StreamLimit.NO_TIME.toLong()
        it.dtsNs = framelane.layout.StreamLimit.NO_TIME.toLong()
    }

    /** Whether decoding can start at this record, a bit of the flags. */
    var isKey: Boolean
        get() = info.flags and framelane.layout.RecordFlag.KEY != 0u
        set(value) {
            val others = info.flags and framelane.layout.RecordFlag.KEY.inv()
            info.flags = if (value) others or framelane.layout.RecordFlag.KEY else others
        }

    /** Bytes that can still be appended. */
    val room: Long get() = open { told { raw.room() } }.toLong()

    /** Appends what is left in a buffer, counted as copied by the SDK. */
    fun append(bytes: ByteBuffer) = open { told { raw.append(bytes.remainingBytes()) } }

    /** Appends bytes, counted as copied by the SDK. */
    fun append(bytes: ByteArray) = open { told { raw.append(bytes) } }

    /** Makes the record the newest of the lane; its sequence. */
    fun commit(): ULong {
        if (done.getAndSet(true)) throw gone()
        return raw.use { told { it.commit(info.toByteArray()) } }
    }

    /** Gives the record up. */
    fun abandon() {
        if (!done.getAndSet(true)) raw.close()
    }

    override fun close() = abandon()

    private fun gone() = invalid("the record was committed or abandoned")

    private inline fun <T> open(use: () -> T): T = if (done.get()) throw gone() else use()
}
