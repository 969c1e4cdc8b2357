package framelane.agent

import framelane.Codec
import framelane.ErrorKind
import framelane.FramelaneException
import framelane.Record
import framelane.RecordMut
import framelane.StreamConfig
import framelane.StreamReader
import framelane.StreamReaderOptions
import framelane.StreamStart
import framelane.StreamWriter
import framelane.StreamWriterOptions
import framelane.parameterSets
import java.nio.ByteBuffer
import kotlin.time.Duration

private fun bytesOf(line: Line, size: String = "size", seed: String = "seed") =
    filled(0, line.long(seed), line.int(size))

/** What a line says that records are. */
private fun config(line: Line): StreamConfig {
    val made = StreamConfig(line.choice("codec", Codec.OPAQUE))
    made.width = line.int("width").toUInt()
    made.height = line.int("height").toUInt()
    if ("parameters_seed" in line) {
        made.parameterSets = ByteBuffer.wrap(bytesOf(line, "parameters", "parameters_seed"))
    }
    return made
}

/** The commands of a stream writer. */
class Writing {
    private var writer: StreamWriter? = null
    private var record: RecordMut? = null

    private fun writer() = writer ?: throw Misunderstood("there is no stream writer")

    private fun record() = record ?: throw Misunderstood("no record is begun")

    fun command(line: Line): String? = when (line.word) {
        "create_stream" -> create(line)
        "write" -> write(line)
        "begin_record" -> begin(line)
        "append" -> "".also { record().append(bytesOf(line)) }
        "commit_record" -> commit(line)
        "abandon_record" -> "".also { record().abandon(); record = null }
        "set_config" -> " config=${writer().setConfig(config(line), line.timeOrNone("timeout_ms"))}"
        "key_wanted" -> " wanted=${writer().keyFrameWanted(line.timeOrNone("timeout_ms")).digit()}"
        "stream_report" -> report()
        "close_writer" -> "".also { writer().close(); writer = null }
        else -> null
    }

    private fun create(line: Line): String {
        val plain = StreamWriterOptions(config(line))
        val options = plain.copy(
            dataBytes = line.long("data_bytes", plain.dataBytes),
            indexCapacity = line.int("index_capacity", plain.indexCapacity),
            lossless = line.flag("lossless"),
            keyRequestInterval = line["key_interval_ms"]?.let { line.time("key_interval_ms") }
                ?: plain.keyRequestInterval,
            trust = trust(line),
        )
        val made = StreamWriter(line.need("lane"), options)
        close()
        writer = made
        return " epoch=${made.epoch} limit=${made.recordLimitBytes}"
    }

    private fun begin(line: Line): String {
        line.need("room")
        record = writer().begin(line.int("room"), line.timeOrNone("timeout_ms"))
        return ""
    }

    private fun write(line: Line): String {
        val (data, pieces) = bytesOf(line) to line.int("pieces", 1)
        val step = maxOf((data.size + pieces - 1) / pieces, 1)
        val parts = data.indices.step(step)
            .map { ByteBuffer.wrap(data, it, minOf(step, data.size - it)) }
        val time = line.timeOrNone("timeout_ms")
        val sequence =
            writer().write(*parts.toTypedArray(), key = line.flag("key"), timeout = time) {
                if ("pts" in line) it.ptsNs = line.long("pts")
                if ("dts" in line) it.dtsNs = line.long("dts")
                it.captureId = line.long("capture_id").toULong()
            }
        return " sequence=$sequence"
    }

    private fun commit(line: Line): String {
        val open = record()
        record = null
        open.isKey = line.flag("key")
        open.info.ptsNs = line.long("pts", open.info.ptsNs)
        open.info.dtsNs = line.long("dts", open.info.dtsNs)
        open.info.captureId = line.long("capture_id").toULong()
        return " sequence=${open.commit()}"
    }

    private fun report(): String {
        val r = writer().report()
        return " consumers=${r.consumerCount} published=${r.published} abandoned=${r.abandoned}" +
            " no_free_slot=${r.noFreeSlot} oldest=${r.stream.oldest} keys=${r.stream.keyRecords}"
    }

    fun close() {
        record?.close()
        writer?.close()
        record = null
        writer = null
    }
}

/** The commands of stream readers. */
class Reading {
    private val readers = Numbered<StreamReader>("reader")
    private val records = Numbered<Record>("record")

    fun command(line: Line): String? = when (line.word) {
        "open_stream" -> open(line)
        "next_record" -> next(line)
        "read_record" -> read(records.get(line))
        "release_record" -> "".also { records.take(line).close() }
        "seek" -> "".also { readers.get(line).seek(line.choice("place"), line.timeOrNone("age_ms")) }
        "request_key" -> "".also { readers.get(line).requestKeyFrame() }
        "wait_stream" -> " ready=${readers.get(line).wait(line.time("timeout_ms")).digit()}"
        "poll_stream" -> poll(readers.get(line), line)
        "count_stream" -> readers.get(line).let {
            " received=${it.received} missed=${it.missed} held=${it.held}"
        }
        "close_stream" -> "".also { readers.take(line).close() }
        else -> null
    }

    private fun open(line: Line): String {
        val options = StreamReaderOptions(
            start = line.choice("start", StreamStart.NEWEST_KEY),
            startAge = line.timeOrNone("age_ms"),
            afterLap = line.choice("after_lap", StreamStart.NEWEST_KEY),
            lossless = line.flag("lossless"),
            waitForLane = line.timeOrNone("wait_ms"),
            reattach = line.flag("reattach", true),
        )
        val reader = readers.put(line, StreamReader(line.need("lane"), options))
        return " epoch=${reader.epoch}"
    }

    private fun next(line: Line): String {
        val reader = readers.get(line)
        val record = try {
            val time = line.timeOrNone("timeout_ms")
            if (time == Duration.ZERO) reader.tryNext() else reader.next(time)
        } catch (failure: FramelaneException) {
            if (failure.kind != ErrorKind.LAPPED) throw failure
            return " lapped=${failure.missed}"
        }
        if (record == null) return NOTHING
        records.put(line, record)
        return " sequence=${record.sequence} missed=${record.missed}" +
            " new_epoch=${record.newEpoch.digit()} key=${record.isKey.digit()}" +
            " config=${record.info.configId} new_config=${record.newConfig.digit()}"
    }

    private fun read(record: Record): String {
        val (info, config) = record.info to record.config
        val parameters = config.parameterSets
        return " size=${record.bytes.remaining()} crc=${checksum(record.bytes)} pts=${info.ptsNs}" +
            " dts=${info.dtsNs} capture_id=${info.captureId} codec=${config.codec}" +
            " width=${config.width} height=${config.height} parameters=${parameters.remaining()}" +
            " parameters_crc=${checksum(parameters)}"
    }

    fun close() {
        records.close()
        readers.close()
    }
}
