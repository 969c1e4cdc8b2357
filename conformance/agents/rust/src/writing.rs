//! The commands of a stream writer.

use crate::line::{Answer, Line, Refusal, misunderstood};
use crate::pixels;
use framelane::layout::RecordFlag;
use framelane::{
    Codec, RecordInfo, RecordMut, StreamConfig, StreamWriter, StreamWriterOptions, Trust,
};
use std::time::Duration;

/// One stream writer and its open record.
#[derive(Default)]
pub struct Writing {
    record: Option<RecordMut>,
    writer: Option<StreamWriter>,
}

impl Writing {
    pub fn create(&mut self, line: &Line<'_>) -> Answer {
        let mut options = StreamWriterOptions::new(config(line)?);
        if let Some(bytes) = line.get("data_bytes")? {
            options = options.data_bytes(bytes);
        }
        if let Some(records) = line.get("index_capacity")? {
            options = options.index_capacity(records);
        }
        if let Some(allowed) = line.flag("lossless")? {
            options = options.lossless(allowed);
        }
        if let Some(time) = line.get("key_interval_ms")? {
            options = options.key_request_interval(Duration::from_millis(time));
        }
        if line.get::<String>("trust")?.as_deref() == Some("untrusted") {
            options = options.trust(Trust::Untrusted);
        }
        let writer = StreamWriter::create(&line.need::<String>("lane")?, options)?;
        let (epoch, limit) = (writer.epoch(), writer.record_limit_bytes());
        *self = Writing { record: None, writer: Some(writer) };
        Ok(format!(" epoch={epoch} limit={limit}"))
    }

    fn writer(&self) -> Result<&StreamWriter, Refusal> {
        self.writer.as_ref().ok_or_else(|| misunderstood("there is no stream writer"))
    }

    fn record(&mut self) -> Result<&mut RecordMut, Refusal> {
        self.record.as_mut().ok_or_else(|| misunderstood("no record is begun"))
    }

    pub fn write(&mut self, line: &Line<'_>) -> Answer {
        let writer = self.writer()?;
        let bytes = filled(line)?;
        let pieces: usize = line.get("pieces")?.unwrap_or(1);
        let pieces: Vec<&[u8]> = bytes.chunks(bytes.len().div_ceil(pieces).max(1)).collect();
        let info = info(line)?;
        let sequence = match line.get("timeout_ms")? {
            Some(time) => writer.write_within(&info, &pieces, Duration::from_millis(time))?,
            None => writer.write(&info, &pieces)?,
        };
        Ok(format!(" sequence={sequence}"))
    }

    pub fn begin(&mut self, line: &Line<'_>) -> Answer {
        let room = line.need("room")?;
        let record = match line.get("timeout_ms")? {
            Some(time) => self.writer()?.begin_within(room, Duration::from_millis(time))?,
            None => self.writer()?.begin(room)?,
        };
        self.record = Some(record);
        Ok(String::new())
    }

    pub fn append(&mut self, line: &Line<'_>) -> Answer {
        let bytes = filled(line)?;
        self.record()?.append(&bytes)?;
        Ok(String::new())
    }

    pub fn commit(&mut self, line: &Line<'_>) -> Answer {
        *self.record()?.info_mut() = info(line)?;
        let record = self.record.take().ok_or_else(|| misunderstood("no record is begun"))?;
        Ok(format!(" sequence={}", record.commit()?))
    }

    pub fn abandon(&mut self) -> Answer {
        self.record.take().ok_or_else(|| misunderstood("no record is begun"))?.abandon();
        Ok(String::new())
    }

    pub fn set_config(&mut self, line: &Line<'_>) -> Answer {
        let (writer, config) = (self.writer()?, config(line)?);
        let id = match line.get("timeout_ms")? {
            Some(time) => writer.set_config_within(&config, Duration::from_millis(time))?,
            None => writer.set_config(&config)?,
        };
        Ok(format!(" config={id}"))
    }

    pub fn key_wanted(&self, line: &Line<'_>) -> Answer {
        let time = Duration::from_millis(line.number("timeout_ms")?);
        Ok(format!(" wanted={}", u8::from(self.writer()?.wait_key_frame_wanted(time))))
    }

    pub fn report(&self) -> Answer {
        let report = self.writer()?.report();
        Ok(format!(
            " consumers={} published={} abandoned={} no_free_slot={} oldest={} keys={}",
            report.consumer_count,
            report.published,
            report.abandoned,
            report.no_free_slot,
            report.stream.oldest,
            report.stream.key_records
        ))
    }

    pub fn close(&mut self) -> Answer {
        self.writer.take().ok_or_else(|| misunderstood("there is no stream writer"))?.close();
        Ok(String::new())
    }
}

fn filled(line: &Line<'_>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; line.number("size")?];
    pixels::fill(&mut bytes, 0, line.number("seed")?);
    Ok(bytes)
}

fn info(line: &Line<'_>) -> Result<RecordInfo, Refusal> {
    let mut info = RecordInfo::new();
    if line.flag("key")?.unwrap_or(false) {
        info.flags |= RecordFlag::KEY;
    }
    info.pts_ns = line.get("pts")?.unwrap_or(info.pts_ns);
    info.dts_ns = line.get("dts")?.unwrap_or(info.dts_ns);
    info.capture_id = line.number("capture_id")?;
    Ok(info)
}

fn config(line: &Line<'_>) -> Result<StreamConfig, Refusal> {
    let name = line.get("codec")?.unwrap_or_else(|| "opaque".to_owned());
    let codec = Codec::ALL.iter().find(|codec| codec.name() == name);
    let codec = codec.ok_or_else(|| misunderstood(format!("codec={name}")))?;
    let mut config = StreamConfig::video(*codec, line.number("width")?, line.number("height")?);
    if let Some(seed) = line.get("parameters_seed")? {
        let mut parameters = vec![0; line.number("parameters")?];
        pixels::fill(&mut parameters, 0, seed);
        config = config.with_parameters(&parameters)?;
    }
    Ok(config)
}
