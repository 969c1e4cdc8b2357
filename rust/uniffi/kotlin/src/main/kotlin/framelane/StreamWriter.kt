package framelane

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration
import framelane.uniffi.StreamWriter as RawWriter

/** A config that says what the records hold and no more. */
fun StreamConfig(codec: Codec): StreamConfig = StreamConfig().also { it.codec = codec.number }

/** The out-of-band parameter sets, of which a config has room for 1856 bytes. */
var StreamConfig.parameterSets: ByteBuffer
    get() = parameters.also { it.limit(minOf(parameterBytes.toInt(), it.capacity())) }.slice()
    set(value) {
        val (size, into) = value.remaining() to parameters
        if (size > into.capacity()) {
            throw FramelaneException(ErrorKind.TOO_LARGE, "$size bytes of parameter sets")
        }
        for (at in 0 until into.capacity()) {
            into.put(at, if (at < size) value.get(value.position() + at) else 0)
        }
        parameterBytes = size.toUInt()
    }

/** Owns a stream lane and writes its records, one after the other. */
class StreamWriter(
    /** Name of the lane. */
    val name: String,
    options: StreamWriterOptions,
) : AutoCloseable {
    private val raw = told { RawWriter.create(name, options.raw()) }

    /** Random id of this writer incarnation. */
    val epoch: ULong = told { raw.epoch() }

    /** Largest record, in bytes: half of the ring. */
    val recordLimitBytes: Long = told { raw.recordLimitBytes() }.toLong()

    /** Runtime directory the lane's socket is in. */
    val directory: Path = Path.of(told { raw.directory() })

    /** Begins a record of up to [room] bytes, at once or within a time. */
    fun begin(room: Int, timeout: Duration = Duration.ZERO): RecordMut {
        val bytes = count(room, "room").toULong()
        return RecordMut(patiently(timeout, NO_ROOM) { raw.begin(bytes, it) })
    }

    /** Writes a record from its pieces, at once or within a time; its sequence. [describe] sets times, capture id and flags. */
    fun write(
        vararg pieces: ByteBuffer,
        key: Boolean = false,
        timeout: Duration = Duration.ZERO,
        describe: (RecordInfo) -> Unit = {},
    ): ULong = begin(pieces.sumOf { it.remaining() }, timeout).use { record ->
        record.isKey = key
        describe(record.info)
        pieces.forEach(record::append)
        record.commit()
    }

    /** Says what the records to come are, at once or within a time; the number of that config. */
    fun setConfig(config: StreamConfig, timeout: Duration = Duration.ZERO): Int {
        val bytes = config.toByteArray()
        return patiently(timeout, NO_ROOM) { raw.setConfig(bytes, it) }.toInt()
    }

    /** What the records to come are. */
    val config: StreamConfig get() = StreamConfig(ByteBuffer.wrap(told { raw.config() }))

    /** Whether a reader wants a key record, waiting so long for it. */
    fun keyFrameWanted(timeout: Duration = Duration.ZERO): Boolean =
        within(timeout) { slice -> told { raw.keyFrameWanted(slice) }.takeIf { it } } ?: false

    /** How the lane is: sizes, counts and readers. */
    fun report(): Report = Report(ByteBuffer.wrap(told { raw.report() }))

    /** Number of readers attached now. */
    val readers: Int get() = told { raw.readers() }.toInt()

    /** Ends the lane. Readers are told, and read what is left. */
    override fun close() = told { raw.end() }

    override fun toString(): String = "Writer of lane \"$name\""
}
