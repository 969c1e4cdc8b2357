//! What a run of `framelane encode` came to.

use crate::units;
use framelane::StreamWriter;
use framelane_camera::encode::EncodeStats;
use serde::Serialize;

#[derive(Serialize)]
pub struct Summary<'a> {
    lane: &'a str,
    stream: &'a str,
    directory: String,
    epoch: String,
    codec: String,
    width: u32,
    height: u32,
    elapsed_ns: u64,
    /// Frames read from the lane.
    frames: u64,
    /// Frames that passed unread.
    missed: u64,
    /// Frames left alone because nobody read the stream.
    unread: u64,
    /// Frames the encoder did not take.
    refused: u64,
    /// Pictures written to the stream, and key pictures among them.
    pictures: u64,
    keys: u64,
    key_requests: u64,
    too_large: u64,
    written_bytes: u64,
    source_restarts: u64,
    /// Times another lane of a switch became active.
    switches: u64,
    encoders: u64,
    encode_mean_ns: u64,
    encode_max_ns: u64,
    /// Bytes of frames copied or converted for the encoder.
    frame_copied_bytes: u64,
    /// Bytes the SDK itself copied into the stream.
    copied_bytes: u64,
}

impl<'a> Summary<'a> {
    pub fn new(
        lane: &'a str,
        writer: &'a StreamWriter,
        stats: &EncodeStats,
        elapsed_ns: u64,
    ) -> Self {
        let config = writer.config();
        let offered = stats.frames - stats.unread;
        Summary {
            lane,
            stream: writer.name(),
            directory: writer.directory().display().to_string(),
            epoch: crate::numbers::id(writer.epoch()),
            codec: crate::numbers::codec(config.codec),
            width: config.width,
            height: config.height,
            elapsed_ns,
            frames: stats.frames,
            missed: stats.missed,
            unread: stats.unread,
            refused: stats.refused,
            pictures: stats.units,
            keys: stats.keys,
            key_requests: stats.key_requests,
            too_large: stats.too_large,
            written_bytes: stats.bytes,
            source_restarts: stats.source_restarts,
            switches: stats.switches,
            encoders: stats.encoders,
            encode_mean_ns: stats.encode_ns / offered.max(1),
            encode_max_ns: stats.encode_max_ns,
            frame_copied_bytes: stats.copied_bytes,
            copied_bytes: writer.report().copied_bytes,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        format!(
            "{} -> {}: {} frames, {} missed, {} left alone unread; {} pictures, {} of them key, {} \
             of {} in {}; encoded in {} on average, {} at most\n",
            self.lane,
            self.stream,
            self.frames,
            self.missed,
            self.unread,
            self.pictures,
            self.keys,
            units::size(self.written_bytes),
            self.codec,
            units::time(self.elapsed_ns),
            units::time(self.encode_mean_ns),
            units::time(self.encode_max_ns)
        )
    }
}
