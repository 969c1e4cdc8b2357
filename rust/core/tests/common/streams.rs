//! Streams that prove themselves: the bytes of each record follow from its epoch and number.

use super::{DEADLINE, LANE, Place};
use framelane::layout::RecordFlag;
use framelane::{
    Codec, Error, ErrorKind, Record, RecordInfo, StreamConfig, StreamReader, StreamReaderOptions,
    StreamWriter, StreamWriterOptions,
};
use std::time::Duration;

/// A key record comes each so many.
pub const GOP: u64 = 10;

pub fn video() -> StreamConfig {
    StreamConfig::video(Codec::H264, 640, 480).fps(30, 1)
}

/// A small ring, so that it is overwritten often.
pub fn small() -> StreamWriterOptions {
    StreamWriterOptions::new(video()).data_bytes(64 << 10).index_capacity(64)
}

impl Place {
    pub fn writer(&self, options: StreamWriterOptions) -> StreamWriter {
        StreamWriter::create(LANE, options.directory(self.directory())).unwrap()
    }

    pub fn reader(&self, options: StreamReaderOptions) -> StreamReader {
        self.try_reader(options.wait_for_lane(DEADLINE)).unwrap()
    }

    pub fn try_reader(&self, options: StreamReaderOptions) -> Result<StreamReader, Error> {
        StreamReader::open(LANE, options.directory(self.directory()))
    }
}

/// What record `sequence` of an epoch holds; of any size up to 6 KiB, zero included.
pub fn bytes_of(epoch: u64, sequence: u64) -> Vec<u8> {
    let mut word = (epoch ^ sequence).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let size = if sequence % 17 == 0 { 0 } else { word % 6000 };
    let mut next = || {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word as u8
    };
    (0..size).map(|_| next()).collect()
}

/// Writes record `sequence` in three pieces, as a key record where its turn has come.
pub fn write(writer: &StreamWriter, sequence: u64) -> u64 {
    try_write(writer, sequence, DEADLINE).unwrap()
}

/// Writes the records of these numbers.
pub fn write_all(writer: &StreamWriter, sequences: impl IntoIterator<Item = u64>) {
    sequences.into_iter().for_each(|sequence| assert_eq!(write(writer, sequence), sequence));
}

pub fn try_write(writer: &StreamWriter, sequence: u64, time: Duration) -> Result<u64, Error> {
    let bytes = bytes_of(writer.epoch(), sequence);
    let (first, rest) = bytes.split_at(bytes.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let mut record = writer.begin_within(bytes.len() + 100, time)?;
    for piece in [first, second, third] {
        record.append(piece)?;
    }
    let info = record.info_mut();
    (info.pts_ns, info.dts_ns) = (sequence as i64 * 1000, sequence as i64 * 1000 - 1);
    info.capture_id = sequence + 7;
    record.set_key(sequence % GOP == 1);
    let got = record.commit()?;
    assert_eq!(got, sequence, "sequences count up by one");
    Ok(got)
}

pub fn assert_whole(record: &Record) {
    let sequence = record.sequence();
    assert!(record.bytes() == bytes_of(record.epoch(), sequence), "record {sequence} is torn");
    let info = record.info();
    assert_eq!(info.pts_ns, sequence as i64 * 1000);
    assert_eq!(info.capture_id, sequence + 7);
    assert_eq!(record.is_key(), sequence % GOP == 1);
}

/// A record of raw bytes with nothing said of it.
pub fn raw(key: bool) -> RecordInfo {
    let flags = if key { RecordFlag::KEY } else { 0 };
    RecordInfo { flags, ..RecordInfo::ZERO }
}

/// What a reader has seen: order, wholeness, and that each record is accounted for.
pub struct Tale {
    pub epoch: u64,
    pub last: u64,
    pub restarts: u64,
    pub laps: u64,
    pub records: u64,
}

impl Tale {
    pub fn of(reader: &StreamReader) -> Tale {
        Tale { epoch: reader.epoch(), last: 0, restarts: 0, laps: 0, records: 0 }
    }

    /// Takes the next record, which comes within the deadline.
    pub fn next(&mut self, reader: &mut StreamReader) -> Record {
        self.try_next(reader, DEADLINE).expect("a record within the deadline")
    }

    pub fn try_next(&mut self, reader: &mut StreamReader, time: Duration) -> Option<Record> {
        loop {
            match reader.next(time) {
                Ok(record) => {
                    return record.inspect(|record| self.see(record));
                }
                Err(error) if error.kind() == ErrorKind::Lapped => {
                    assert!(error.missed() > 0, "{error}");
                    self.last += error.missed();
                    self.laps += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn see(&mut self, record: &Record) {
        assert_whole(record);
        if record.epoch() != self.epoch {
            assert!(record.new_epoch() || self.records == 0, "a new epoch says so");
            (self.epoch, self.last) = (record.epoch(), 0);
            self.restarts += 1;
            assert!(record.is_key() && record.new_config());
        } else {
            assert!(!record.new_epoch());
            if self.records > 0 {
                let expected = self.last + record.missed() + 1;
                assert_eq!(record.sequence(), expected, "each record is accounted for");
            }
        }
        self.last = record.sequence();
        self.records += 1;
    }
}
