//! A USB camera that is a thread of the test: the kernel's `vhci_hcd` takes a socket for a port of
//! its own, and speaks USB/IP over it.

use crate::descriptors::{self, Format, PAYLOAD, RATE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsRawFd;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";
/// The port's, as it counts them.
const DEVICE: u32 = 1 << 16 | 1;
const HIGH_SPEED: u32 = 3;
const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
/// What the kernel calls a request that a device does not know, and one that was taken back.
const STALL: i32 = -32;
const TAKEN_BACK: i32 = -104;

/// What a camera shows: picture `number` of a format.
pub type Show = dyn Fn(Format, u64) -> Vec<u8> + Send + Sync;

/// A camera in its port. Dropping it pulls the plug.
pub struct Plugged {
    cable: UnixStream,
    /// It sends nothing more, and does not tell.
    pub hangs: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

impl Plugged {
    pub fn new(show: Arc<Show>) -> Self {
        let (ours, kernels) = UnixStream::pair().unwrap();
        let line = format!("0 {} {DEVICE} {HIGH_SPEED}", kernels.as_raw_fd());
        std::fs::write(ATTACH, line).expect("the module vhci_hcd has a free port");
        let (cable, hangs) = (ours.try_clone().unwrap(), Arc::<AtomicBool>::default());
        let camera = Camera::new(ours, show, hangs.clone());
        let running = Some(std::thread::spawn(move || camera.run()));
        Plugged { cable, hangs, running }
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        let _ = self.cable.shutdown(Shutdown::Both);
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// A request of the host's for bytes.
struct Wanted {
    number: u32,
    bytes: usize,
}

/// The picture on its way, and how much of it went.
struct Sending {
    bytes: Vec<u8>,
    sent: usize,
}

struct Camera {
    cable: UnixStream,
    show: Arc<Show>,
    hangs: Arc<AtomicBool>,
    wanted: VecDeque<Wanted>,
    sending: Option<Sending>,
    format: Format,
    streams: bool,
    number: u64,
    due: Instant,
}

/// The head of a message of USB/IP, whose words are in network order.
struct Message {
    words: [u32; 10],
    setup: [u8; 8],
}

impl Camera {
    fn new(cable: UnixStream, show: Arc<Show>, hangs: Arc<AtomicBool>) -> Self {
        let (wanted, sending, format) = (VecDeque::new(), None, Format::Nv12);
        let (streams, number, due) = (false, 0, Instant::now());
        Camera { cable, show, hangs, wanted, sending, format, streams, number, due }
    }

    /// Until the plug is pulled, by whichever side.
    fn run(mut self) {
        while self.step().is_ok() {}
    }

    fn step(&mut self) -> std::io::Result<()> {
        self.send()?;
        let idle = self.streams && self.sending.is_none() && !self.hangs.load(Relaxed);
        let most = Duration::from_millis(20);
        let time = if idle { self.due.saturating_duration_since(Instant::now()) } else { most };
        let time = Timespec::try_from(time.min(most)).unwrap();
        if poll(&mut [PollFd::new(&self.cable, PollFlags::IN)], Some(&time))? > 0 {
            let message = self.hear()?;
            self.answer(&message)?;
        }
        Ok(())
    }

    /// Sends as much of the picture as is wanted, and begins the next one when it is due.
    fn send(&mut self) -> std::io::Result<()> {
        let now = Instant::now();
        if self.streams && self.sending.is_none() && now >= self.due && !self.hangs.load(Relaxed) {
            let bytes = (self.show)(self.format, self.number);
            self.sending = Some(Sending { bytes, sent: 0 });
            let period = Duration::from_nanos(1_000_000_000 / RATE);
            self.due = if now > self.due + 4 * period { now } else { self.due } + period;
        }
        while let Some(sending) = &mut self.sending
            && let Some(wanted) = self.wanted.pop_front()
        {
            let room = wanted.bytes.min(PAYLOAD as usize) - 2;
            let end = sending.bytes.len().min(sending.sent + room);
            let last = end == sending.bytes.len();
            // Which picture this is of, in turns, and whether it ends here.
            let flags = 0x80 | (self.number & 1) as u8 | if last { 2 } else { 0 };
            let payload = [&[2, flags][..], &sending.bytes[sending.sent..end]].concat();
            sending.sent = end;
            if last {
                self.sending = None;
                self.number += 1;
            }
            self.reply(3, wanted.number, 0, payload.len(), &payload)?;
        }
        Ok(())
    }

    fn hear(&mut self) -> std::io::Result<Message> {
        let mut head = [0; 48];
        self.cable.read_exact(&mut head)?;
        let word = |index: usize| head[index * 4..index * 4 + 4].try_into().unwrap();
        let words = std::array::from_fn(|index| u32::from_be_bytes(word(index)));
        Ok(Message { words, setup: head[40..].try_into().unwrap() })
    }

    fn reply(
        &mut self,
        kind: u32,
        number: u32,
        status: i32,
        bytes: usize,
        data: &[u8],
    ) -> std::io::Result<()> {
        let words = [kind, number, 0, 0, 0, status as u32, bytes as u32, 0, 0, 0, 0, 0];
        let mut all: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
        all.extend(data);
        self.cable.write_all(&all)
    }

    fn answer(&mut self, message: &Message) -> std::io::Result<()> {
        let [kind, number, _, direction, endpoint, of, bytes, ..] = message.words;
        let (is_in, bytes) = (direction == 1, bytes as usize);
        match (kind, endpoint) {
            (UNLINK, _) => {
                let before = self.wanted.len();
                self.wanted.retain(|wanted| wanted.number != of);
                let found = self.wanted.len() < before;
                self.reply(4, number, if found { TAKEN_BACK } else { 0 }, 0, &[])
            }
            (SUBMIT, 0) => {
                let mut sent = vec![0; if is_in { 0 } else { bytes.min(4096) }];
                self.cable.read_exact(&mut sent)?;
                match self.control(message.setup, &sent) {
                    Some(data) if is_in => {
                        let data = &data[..data.len().min(bytes)];
                        self.reply(3, number, 0, data.len(), data)
                    }
                    Some(_) => self.reply(3, number, 0, bytes, &[]),
                    None => self.reply(3, number, STALL, 0, &[]),
                }
            }
            (SUBMIT, 1) if is_in => {
                self.wanted.push_back(Wanted { number, bytes });
                Ok(())
            }
            _ => self.reply(3, number, STALL, 0, &[]),
        }
    }

    /// A request to the device itself; None for one that it does not know.
    fn control(&mut self, setup: [u8; 8], sent: &[u8]) -> Option<Vec<u8>> {
        let [kind, request, low, high, index, ..] = setup;
        match (kind, request) {
            (0x80, 6) => match high {
                1 => Some(descriptors::device()),
                2 => Some(descriptors::configuration()),
                3 => descriptors::string(low),
                _ => None,
            },
            (0x80..=0x82, 0) => Some(vec![0, 0]),
            (0x80..=0x82, _) => Some(vec![0]),
            // The host ends a stream so.
            (2, 1) => {
                (self.streams, self.sending) = (false, None);
                Some(Vec::new())
            }
            (0..=2, _) => Some(Vec::new()),
            (0x21 | 0xa1, _) if index == 1 && (high == 1 || high == 2) => {
                self.agree(request, high == 2, sent)
            }
            _ => None,
        }
    }

    /// What to stream: proposed as often as the host likes, and then settled.
    fn agree(&mut self, request: u8, settled: bool, sent: &[u8]) -> Option<Vec<u8>> {
        match request {
            0x01 => {
                let wanted = sent.get(2).copied().unwrap_or(1);
                let known = Format::ALL.into_iter().find(|format| *format as u8 == wanted);
                self.format = known.unwrap_or(Format::Nv12);
                if settled {
                    (self.streams, self.sending, self.due) = (true, None, Instant::now());
                    // One that hangs often comes to itself when it is started anew.
                    self.hangs.store(false, Relaxed);
                }
                Some(Vec::new())
            }
            0x81..=0x83 | 0x87 => Some(descriptors::agreement(self.format).to_vec()),
            0x85 => Some(vec![26, 0]),
            0x86 => Some(vec![3]),
            _ => None,
        }
    }
}
