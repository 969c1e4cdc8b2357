//! The commands of stream readers.

use crate::line::{Answer, Line, Refusal, misunderstood};
use framelane::{ErrorKind, Record, StreamReader, StreamReaderOptions, StreamStart};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::HashMap;
use std::time::Duration;

/// Stream readers and the records they have read.
#[derive(Default)]
pub struct StreamReading {
    records: HashMap<u32, Record>,
    readers: HashMap<u32, StreamReader>,
}

impl StreamReading {
    pub fn open(&mut self, line: &Line<'_>) -> Answer {
        let mut options = StreamReaderOptions::new();
        if let Some(start) = place(line, "start")? {
            options = options.start(start);
        }
        if let Some(age) = line.get("age_ms")? {
            options = options.start_age(Duration::from_millis(age));
        }
        if let Some(after) = place(line, "after_lap")? {
            options = options.after_lap(after);
        }
        if let Some(lossless) = line.flag("lossless")? {
            options = options.lossless(lossless);
        }
        if let Some(time) = line.get("wait_ms")? {
            options = options.wait_for_lane(Duration::from_millis(time));
        }
        if let Some(reattach) = line.flag("reattach")? {
            options = options.reattach(reattach);
        }
        let reader = StreamReader::open(&line.need::<String>("lane")?, options)?;
        let epoch = reader.epoch();
        self.readers.insert(line.number("reader")?, reader);
        Ok(format!(" epoch={epoch}"))
    }

    fn reader(&mut self, line: &Line<'_>) -> Result<&mut StreamReader, Refusal> {
        let number: u32 = line.number("reader")?;
        let reader = self.readers.get_mut(&number);
        reader.ok_or_else(|| misunderstood(format!("there is no reader {number}")))
    }

    fn record(&self, line: &Line<'_>) -> Result<&Record, Refusal> {
        let number: u32 = line.number("record")?;
        let record = self.records.get(&number);
        record.ok_or_else(|| misunderstood(format!("there is no record {number}")))
    }

    /// The next record, at once where the line gives no time.
    pub fn next(&mut self, line: &Line<'_>) -> Answer {
        let reader = self.reader(line)?;
        let read = match line.get("timeout_ms")? {
            Some(time) => reader.next(Duration::from_millis(time)),
            None => reader.try_next(),
        };
        let record = match read {
            Err(error) if error.kind() == ErrorKind::Lapped => {
                return Ok(format!(" lapped={}", error.missed()));
            }
            read => read?.ok_or(Refusal::Nothing)?,
        };
        let text = format!(
            " sequence={} missed={} new_epoch={} key={} config={} new_config={}",
            record.sequence(),
            record.missed(),
            u8::from(record.new_epoch()),
            u8::from(record.is_key()),
            record.info().config_id,
            u8::from(record.new_config())
        );
        self.records.insert(line.number("record")?, record);
        Ok(text)
    }

    pub fn read(&self, line: &Line<'_>) -> Answer {
        let record = self.record(line)?;
        let (info, config) = (record.info(), record.config());
        let parameters = config.parameter_sets();
        Ok(format!(
            " size={} crc={:08x} pts={} dts={} capture_id={} codec={} width={} height={} \
             parameters={} parameters_crc={:08x}",
            record.bytes().len(),
            crc32fast::hash(record.bytes()),
            info.pts_ns,
            info.dts_ns,
            info.capture_id,
            config.codec,
            config.width,
            config.height,
            parameters.len(),
            crc32fast::hash(parameters)
        ))
    }

    pub fn release(&mut self, line: &Line<'_>) -> Answer {
        self.record(line)?;
        drop(self.records.remove(&line.number("record")?));
        Ok(String::new())
    }

    pub fn seek(&mut self, line: &Line<'_>) -> Answer {
        let to = place(line, "place")?.ok_or_else(|| misunderstood("seek needs place="))?;
        let age = Duration::from_millis(line.number("age_ms")?);
        self.reader(line)?.seek(to, age)?;
        Ok(String::new())
    }

    pub fn request_key(&mut self, line: &Line<'_>) -> Answer {
        self.reader(line)?.request_key_frame()?;
        Ok(String::new())
    }

    pub fn wait(&mut self, line: &Line<'_>) -> Answer {
        let time = Duration::from_millis(line.need("timeout_ms")?);
        Ok(format!(" ready={}", u8::from(self.reader(line)?.wait(time)?)))
    }

    pub fn poll(&mut self, line: &Line<'_>) -> Answer {
        let time: u64 = line.need("timeout_ms")?;
        let reader = self.reader(line)?;
        let fd = reader.fd();
        let time = Timespec::try_from(Duration::from_millis(time)).map_err(misunderstood)?;
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let ready = rustix::event::poll(&mut fds, Some(&time)).map_err(misunderstood)?;
        Ok(format!(" ready={ready}"))
    }

    pub fn count(&mut self, line: &Line<'_>) -> Answer {
        let reader = self.reader(line)?;
        let (received, missed, held) = (reader.received(), reader.missed(), reader.held());
        Ok(format!(" received={received} missed={missed} held={held}"))
    }

    pub fn close(&mut self, line: &Line<'_>) -> Answer {
        self.reader(line)?;
        drop(self.readers.remove(&line.number("reader")?));
        Ok(String::new())
    }
}

fn place(line: &Line<'_>, key: &str) -> Result<Option<StreamStart>, Refusal> {
    let Some(name) = line.get::<String>(key)? else { return Ok(None) };
    let found = StreamStart::ALL.iter().find(|place| place.name() == name);
    found.copied().map(Some).ok_or_else(|| misunderstood(format!("{key}={name}")))
}
