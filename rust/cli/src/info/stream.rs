//! What there is to say about a stream lane.

use crate::numbers;
use crate::table::pairs;
use crate::units::{exact_size, time};
use framelane::layout::stream_limit::NO_KEY;
use framelane::{RecordInfo, Report};
use serde::Serialize;

#[derive(Serialize)]
pub struct Stream {
    pub codec: String,
    pub width: u32,
    pub height: u32,
    /// Configs so far; the number of the newest.
    pub config_id: u32,
    pub data_bytes: u64,
    pub index_capacity: u32,
    pub written_bytes: u64,
    pub key_records: u64,
    /// Key records that readers asked for.
    pub key_requests: u32,
    /// Records that can be read now.
    pub records: u64,
    pub oldest_sequence: Option<u64>,
    /// How far back the stream can be read.
    pub oldest_age_ns: Option<u64>,
    pub newest: Option<Record>,
}

#[derive(Serialize)]
pub struct Record {
    pub sequence: u64,
    pub age_ns: u64,
    pub publish_ns: u64,
    pub size_bytes: u32,
    pub pts_ns: Option<i64>,
    pub dts_ns: Option<i64>,
    pub capture_id: u64,
    pub config_id: u32,
    /// Records back to the newest key record; null where there was none.
    pub key_distance: Option<u32>,
    pub flags: Vec<&'static str>,
}

impl Stream {
    pub fn new(report: &Report) -> Self {
        let stream = &report.stream;
        let records = report.head.saturating_add(1).saturating_sub(stream.oldest);
        let oldest = (records > 0).then_some(stream.oldest);
        Stream {
            codec: numbers::codec(stream.codec),
            width: stream.width,
            height: stream.height,
            config_id: stream.config_id,
            data_bytes: stream.data_bytes,
            index_capacity: stream.index_capacity,
            written_bytes: stream.written_bytes,
            key_records: stream.key_records,
            key_requests: stream.key_requests,
            records,
            oldest_sequence: oldest,
            oldest_age_ns: oldest.map(|_| report.now_ns.saturating_sub(stream.oldest_publish_ns)),
            newest: (report.head != 0).then(|| record(report.now_ns, &stream.newest)),
        }
    }

    /// For people.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let size = match self.width {
            0 => String::new(),
            width => format!(" {width}x{}", self.height),
        };
        let ring = exact_size(self.data_bytes);
        let back = self.oldest_age_ns.map_or("nothing".into(), time);
        vec![
            ("stream", format!("{}{size}, config {}", self.codec, self.config_id)),
            ("ring", format!("{ring}, {} records at most", self.index_capacity)),
            ("holds", format!("{} records, {back} back", self.records)),
            ("written", exact_size(self.written_bytes)),
            ("keys", format!("{} written, {} asked for", self.key_records, self.key_requests)),
        ]
    }

    pub fn newest_text(&self) -> String {
        let Some(record) = &self.newest else { return "no record yet\n".into() };
        let unknown = |time: Option<i64>| time.map_or("unknown".into(), |ns| format!("{ns} ns"));
        let back = match record.key_distance {
            Some(0) => "is one".into(),
            Some(distance) => format!("{distance} back"),
            None => "none before".into(),
        };
        let heading = format!("newest record {}, {} old\n", record.sequence, time(record.age_ns));
        let mut lines = vec![
            ("  size", exact_size(record.size_bytes.into())),
            ("  pts", unknown(record.pts_ns)),
            ("  dts", unknown(record.dts_ns)),
            ("  capture", format!("id {}", record.capture_id)),
            ("  key", back),
        ];
        if !record.flags.is_empty() {
            lines.push(("  flags", record.flags.join(", ")));
        }
        heading + &pairs(&lines)
    }
}

fn record(now_ns: u64, info: &RecordInfo) -> Record {
    let distance = Some(info.key_distance).filter(|&n| u64::from(n) != NO_KEY);
    Record {
        sequence: info.sequence,
        age_ns: now_ns.saturating_sub(info.publish_ns),
        publish_ns: info.publish_ns,
        size_bytes: info.size_bytes,
        pts_ns: info.pts(),
        dts_ns: info.dts(),
        capture_id: info.capture_id,
        config_id: info.config_id,
        key_distance: distance,
        flags: numbers::record_flags(info.flags),
    }
}
