//! Stream lanes of framelane, through its public API only.

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, Wait, read_all};
use crate::shared::Shared;
use anyhow::{Context, Result, bail, ensure};
use framelane::layout::RecordFlag;
use framelane::{
    Codec, Record, RecordInfo, StreamConfig, StreamReader, StreamReaderOptions, StreamStart,
    StreamWriter, StreamWriterOptions,
};
use std::marker::PhantomData;

/// Records that the ring has room for: as in practice many more than are unread.
const ROOM: u64 = 16;

/// How records are read.
pub trait Way {
    const LOSSLESS: bool;
}

/// Each reader has a copy of its own; the writer never waits.
pub struct Live;

impl Way for Live {
    const LOSSLESS: bool = false;
}

/// Read in place; the writer waits for room.
pub struct Lossless;

impl Way for Lossless {
    const LOSSLESS: bool = true;
}

pub struct Records<W>(PhantomData<W>);

pub struct Writer {
    writer: StreamWriter,
    record: Vec<u8>,
}

fn info() -> RecordInfo {
    RecordInfo { flags: RecordFlag::KEY, ..RecordInfo::new() }
}

impl<W: Way> Lane for Records<W> {
    type Producer = Writer;
    type Consumer = StreamReader;

    fn producer(setup: &Setup, _: &'static Shared) -> Result<Writer> {
        let bytes = setup.bytes();
        let config = StreamConfig::new(Codec::Opaque);
        let options = StreamWriterOptions::new(config)
            .data_bytes(ROOM * bytes as u64)
            .lossless(W::LOSSLESS)
            .directory(Some(setup.place.clone()));
        Ok(Writer { writer: StreamWriter::create(&setup.name, options)?, record: vec![1; bytes] })
    }

    fn consumer(setup: &Setup, _: &'static Shared, _index: usize) -> Result<StreamReader> {
        ensure!(setup.wait == Wait::Sleep, "it is measured asleep, as its rivals");
        let options = StreamReaderOptions::new()
            .start(StreamStart::Next)
            .lossless(W::LOSSLESS)
            .wait_for_lane(SOON)
            .reattach(false)
            .directory(Some(setup.place.clone()));
        Ok(StreamReader::open(&setup.name, options)?)
    }
}

impl Producer for Writer {
    type Claim = ();

    fn claim(&mut self) -> Result<()> {
        Ok(())
    }

    fn describe(&mut self, _claim: &mut (), sequence: u64) {
        self.record[..8].copy_from_slice(&sequence.to_ne_bytes());
    }

    fn publish(&mut self, _claim: ()) -> Result<()> {
        self.writer.write_within(&info(), &[&self.record], SOON)?;
        Ok(())
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        self.writer.write_within(&info(), &[source], SOON)?;
        Ok(())
    }
}

impl Consumer for StreamReader {
    type Held = Record;

    fn poll(&mut self) -> Result<Option<Record>> {
        bail!("it is measured asleep, as its rivals")
    }

    fn wait(&mut self) -> Result<Record> {
        self.next(SOON)?.context("no record in time")
    }

    fn read(&mut self, record: &Record) -> Result<Seen> {
        Ok(read_all(record.bytes()))
    }

    fn release(&mut self, record: Record) -> Result<()> {
        drop(record);
        Ok(())
    }
}
