//! The commands of a producer.

use crate::line::{Answer, Line, Refusal, misunderstood};
use crate::{fields, pixels};
use framelane::{
    Access, FrameDescriptor, FrameLayout, FrameMut, MemoryKind, PixelFormat, Producer,
    ProducerOptions, Returned, Trust,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Owners of external frames that have run.
#[derive(Default)]
struct Tally {
    count: AtomicU64,
    revoked: AtomicU64,
}

/// One producer and the frames it has claimed.
#[derive(Default)]
pub struct Producing {
    claims: HashMap<u32, FrameMut>,
    producer: Option<Producer>,
    layout: Option<FrameLayout>,
    returned: Arc<Tally>,
}

impl Producing {
    pub fn create(&mut self, line: &Line<'_>) -> Answer {
        let (options, layout) = options(line)?;
        let producer = Producer::create(&line.need::<String>("lane")?, options)?;
        let epoch = producer.epoch();
        *self = Producing { producer: Some(producer), layout, ..Producing::default() };
        Ok(format!(" epoch={epoch}"))
    }

    fn producer(&self) -> Result<&Producer, Refusal> {
        self.producer.as_ref().ok_or_else(|| misunderstood("there is no producer"))
    }

    pub fn publish(&mut self, line: &Line<'_>) -> Answer {
        let mut frame = self.producer()?.claim()?;
        fill(line, &mut frame)?;
        Ok(format!(" sequence={}", frame.publish()?))
    }

    pub fn claim(&mut self, line: &Line<'_>) -> Answer {
        let producer = self.producer()?;
        let frame = match line.get("timeout_ms")? {
            Some(time) => producer.claim_within(Duration::from_millis(time))?,
            None => producer.claim()?,
        };
        self.claims.insert(line.number("claim")?, frame);
        Ok(String::new())
    }

    pub fn fill(&mut self, line: &Line<'_>) -> Answer {
        let number = line.number("claim")?;
        let frame = self.claims.get_mut(&number).ok_or_else(|| unknown(number))?;
        fill(line, frame)?;
        Ok(String::new())
    }

    pub fn commit(&mut self, line: &Line<'_>) -> Answer {
        let mut frames = Vec::new();
        for number in line.need::<String>("claims")?.split(',') {
            let number = number.parse().map_err(|_| misunderstood("claims are numbers"))?;
            frames.push(self.claims.remove(&number).ok_or_else(|| unknown(number))?);
        }
        let producer = self.producer()?;
        let sequence = match frames.len() {
            1 => frames.remove(0).publish()?,
            _ => producer.publish_batch(frames)?,
        };
        Ok(format!(" sequence={sequence}"))
    }

    pub fn abandon(&mut self, line: &Line<'_>) -> Answer {
        let number = line.number("claim")?;
        self.claims.remove(&number).ok_or_else(|| unknown(number))?.abandon();
        Ok(String::new())
    }

    pub fn publish_external(&mut self, line: &Line<'_>) -> Answer {
        let mut descriptor = FrameDescriptor::ZERO;
        if let Some(layout) = &self.layout {
            layout.apply(&mut descriptor);
        }
        let buffer = line.number("buffer")?;
        descriptor.planes.iter_mut().for_each(|plane| plane.buffer_index = buffer);
        fields::apply(line, &mut descriptor)?;
        let tally = self.returned.clone();
        let owner = Box::new(move |returned: Returned| {
            tally.revoked.fetch_add(returned.revoked.into(), Ordering::SeqCst);
            tally.count.fetch_add(1, Ordering::SeqCst);
        });
        let sequence = self.producer()?.publish_external(&descriptor, owner)?;
        Ok(format!(" sequence={sequence}"))
    }

    pub fn returned(&self) -> Answer {
        let count = self.returned.count.load(Ordering::SeqCst);
        let revoked = self.returned.revoked.load(Ordering::SeqCst);
        Ok(format!(" count={count} revoked={revoked}"))
    }

    pub fn recall(&self) -> Answer {
        self.producer()?.recall();
        Ok(String::new())
    }

    pub fn report(&self) -> Answer {
        let report = self.producer()?.report();
        Ok(format!(
            " consumers={} published={} abandoned={} no_free_slot={} revoked={} \
             leases_granted={} slots={}",
            report.consumer_count,
            report.published,
            report.abandoned,
            report.no_free_slot,
            report.revoked,
            report.leases_granted,
            report.slot_count
        ))
    }

    pub fn close(&mut self) -> Answer {
        self.producer.take().ok_or_else(|| misunderstood("there is no producer"))?.close();
        Ok(String::new())
    }
}

fn unknown(number: u32) -> Refusal {
    misunderstood(format!("there is no claim {number}"))
}

/// Sets the fields that the line names, then fills the planes.
fn fill(line: &Line<'_>, frame: &mut FrameMut) -> Result<(), Refusal> {
    fields::apply(line, frame.descriptor_mut())?;
    let Some(seed) = line.get("seed")? else { return Ok(()) };
    for plane in 0..frame.descriptor_mut().plane_count.into() {
        pixels::fill(frame.plane_mut(plane)?, plane, seed);
    }
    Ok(())
}

fn options(line: &Line<'_>) -> Result<(ProducerOptions, Option<FrameLayout>), Refusal> {
    let mut options = ProducerOptions::new();
    let mut layout = None;
    if let Some(format) = line.get::<String>("format")? {
        let align = line.get("align")?.unwrap_or(1);
        let (width, height) = (line.need("width")?, line.need("height")?);
        let format = PixelFormat::parse(&format)?;
        let picture = FrameLayout::with_stride_align(format, width, height, align)?;
        options = options.layout(picture);
        layout = Some(picture);
    }
    macro_rules! given {
        ($($name:ident = $value:expr;)+) => {
            $(if let Some(value) = $value { options = options.$name(value); })+
        };
    }
    given! {
        payload_bytes = line.get("payload_bytes")?;
        lease_budget = line.get("lease_budget")?;
        claims = line.get("claims")?;
        history = line.get("history")?;
        lossless = line.flag("lossless")?;
        lease = line.get("lease_ms")?.map(Duration::from_millis);
        access = choice(line, "access",
            &[("owner", Access::Owner), ("everyone", Access::Everyone)])?;
        trust = choice(line, "trust", &[("same_user", Trust::SameUser),
            ("trusted_only", Trust::TrustedOnly), ("untrusted", Trust::Untrusted)])?;
        memory = choice(line, "memory",
            &[("memfd", MemoryKind::Memfd), ("hb_mem", MemoryKind::HbMem)])?;
    }
    if let (Some(layout), Some(count)) = (&layout, line.get::<u64>("buffers")?) {
        let writable = line.flag("writable")?.unwrap_or(false);
        let buffers = (0..count).map(|number| pixels::buffer(layout, number, writable));
        options = options.device_buffers(buffers.collect::<framelane::Result<_>>()?);
    }
    Ok((options, layout))
}

fn choice<T: Copy>(line: &Line<'_>, key: &str, of: &[(&str, T)]) -> Result<Option<T>, Refusal> {
    let Some(word) = line.get::<String>(key)? else { return Ok(None) };
    let found = of.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| Some(*value)).ok_or_else(|| misunderstood(format!("{key}={word}")))
}
