//! The commands of both sides of a shmbuf ring.

use crate::line::{Answer, Line, Refusal, misunderstood};
use crate::pixels;
use framelane::shmbuf::{Receiver, ReceiverOptions, Sender, SenderOptions};
use std::path::PathBuf;
use std::time::Duration;

/// A sender and a receiver.
#[derive(Default)]
pub struct Messages {
    receiver: Option<Receiver>,
    sender: Option<Sender>,
}

impl Messages {
    pub fn create(&mut self, line: &Line<'_>) -> Answer {
        let options = SenderOptions::new(line.number("capacity")?)
            .keep(line.flag("keep")?.unwrap_or(false))
            .bell(line.flag("bell")?.unwrap_or(false))
            .directory(folder());
        let sender = Sender::create(&line.need::<String>("ring")?, options)?;
        let (capacity, longest) = (sender.capacity_bytes(), sender.longest_message());
        self.sender = Some(sender);
        Ok(format!(" capacity={capacity} longest={longest}"))
    }

    fn sender(&mut self) -> Result<&mut Sender, Refusal> {
        self.sender.as_mut().ok_or_else(|| misunderstood("there is no ring"))
    }

    fn receiver(&mut self) -> Result<&mut Receiver, Refusal> {
        self.receiver.as_mut().ok_or_else(|| misunderstood("there is no receiver"))
    }

    /// Without a time only where there is room now.
    pub fn send(&mut self, line: &Line<'_>) -> Answer {
        let mut message = vec![0; line.number("size")?];
        pixels::fill(&mut message, 0, line.number("seed")?);
        let sent = match line.get("timeout_ms")? {
            Some(time) => self.sender()?.send(&message, Duration::from_millis(time))?,
            None => self.sender()?.try_send(&message)?,
        };
        if sent { Ok(String::new()) } else { Err(Refusal::Nothing) }
    }

    pub fn drain(&mut self, line: &Line<'_>) -> Answer {
        let drained = self.sender()?.drain(Duration::from_millis(line.need("timeout_ms")?))?;
        Ok(format!(" drained={}", u8::from(drained)))
    }

    pub fn count_sent(&mut self) -> Answer {
        let sender = self.sender()?;
        let (sent, full, unread) = (sender.sent(), sender.times_full(), sender.unread_bytes()?);
        Ok(format!(" sent={sent} full={full} unread={unread}"))
    }

    pub fn close_sender(&mut self) -> Answer {
        self.sender()?;
        self.sender = None;
        Ok(String::new())
    }

    pub fn open(&mut self, line: &Line<'_>) -> Answer {
        let options = ReceiverOptions::new()
            .wait_for_sender(Duration::from_millis(line.number("wait_ms")?))
            .reattach(line.flag("reattach")?.unwrap_or(true))
            .bell(line.flag("bell")?.unwrap_or(false))
            .directory(folder());
        let receiver = Receiver::open(&line.need::<String>("ring")?, options)?;
        let capacity = receiver.capacity_bytes();
        self.receiver = Some(receiver);
        Ok(format!(" capacity={capacity}"))
    }

    pub fn receive(&mut self, line: &Line<'_>) -> Answer {
        let (time, room) = (Duration::from_millis(line.number("timeout_ms")?), line.get("room")?);
        let receiver = self.receiver()?;
        let mut message = Vec::new();
        let Some(room) = room else {
            let there = receiver.recv(&mut message, time)?;
            return if there { Ok(told(&message)) } else { Err(Refusal::Nothing) };
        };
        message.resize(room, 0);
        receiver.wait(time)?.ok_or(Refusal::Nothing)?;
        let size = receiver.try_recv_into(&mut message)?.ok_or(Refusal::Nothing)?;
        Ok(told(&message[..size]))
    }

    pub fn skip(&mut self) -> Answer {
        if self.receiver()?.skip()? { Ok(String::new()) } else { Err(Refusal::Nothing) }
    }

    pub fn count_received(&mut self) -> Answer {
        let receiver = self.receiver()?;
        let (received, empty) = (receiver.received(), receiver.empty());
        Ok(format!(" received={received} empty={empty} restarts={}", receiver.restarts()))
    }

    pub fn close_receiver(&mut self) -> Answer {
        self.receiver()?;
        self.receiver = None;
        Ok(String::new())
    }
}

fn told(message: &[u8]) -> String {
    format!(" size={} crc={:08x}", message.len(), crc32fast::hash(message))
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("FRAMELANE_DIR").map(PathBuf::from)
}
