//! A consumer by hand: the right handshake, then anything.

use super::wire::{Heard, Line, hello, ready};
use framelane::layout::{ConsumerPage, FdKind, Fds, Hello, LaneHeader, Welcome};
use rustix::fd::OwnedFd;
use std::mem::offset_of;
use std::path::Path;
use zerocopy::IntoBytes;

/// An attachment whose page is written with pwrite, and whose lane is read with pread.
pub struct Attached {
    pub line: Line,
    pub welcome: Welcome,
    pub lane: OwnedFd,
    pub page: OwnedFd,
    /// Eventfd or bell page.
    pub bell: OwnedFd,
    pub devices: Vec<OwnedFd>,
}

impl Attached {
    pub fn new(directory: &Path, lane: &str, leases: u32) -> Attached {
        let mut hello = hello(lane);
        hello.leases = leases;
        Self::with(directory, lane, &hello)
    }

    pub fn with(directory: &Path, lane: &str, hello: &Hello) -> Attached {
        let line = Line::connect(directory, lane);
        line.send(hello.as_bytes()).unwrap();
        let (welcome, fds) = line.message::<Welcome>();
        assert!(fds.is_empty(), "descriptors come only after Ready");
        line.send(ready(welcome.consumer_id).as_bytes()).unwrap();
        let mut kinds = Vec::new();
        let mut fds = Vec::new();
        for _ in 0..welcome.fd_messages {
            let (message, more) = line.message::<Fds>();
            kinds.extend_from_slice(&message.kinds[..message.count as usize]);
            fds.extend(more);
        }
        let mut items: Vec<_> = kinds.into_iter().zip(fds).collect();
        let mut take = |kinds: &[FdKind]| {
            let found =
                items.iter().position(|(kind, _)| kinds.iter().any(|k| k.number() == *kind));
            found.map(|index| items.remove(index).1)
        };
        let lane = take(&[FdKind::Lane]).expect("a lane descriptor");
        let page = take(&[FdKind::Page]).expect("a page descriptor");
        let bell = take(&[FdKind::Eventfd, FdKind::BellPage]).expect("a bell descriptor");
        let devices = std::iter::from_fn(|| take(&[FdKind::DeviceMemfd, FdKind::DeviceDmabuf]));
        let devices = devices.collect();
        Attached { line, welcome, lane, page, bell, devices }
    }

    /// Writes one lease cell.
    pub fn cell(&self, index: usize, token: u64) {
        self.poke(offset_of!(ConsumerPage, cells) + 8 * index, &token.to_ne_bytes());
    }

    pub fn cursor(&self, sequence: u64) {
        self.poke(offset_of!(ConsumerPage, cursor), &sequence.to_ne_bytes());
    }

    /// Asks for one ring.
    pub fn arm(&self, ticket: u32) {
        self.poke(offset_of!(ConsumerPage, arm_ticket), &ticket.to_ne_bytes());
    }

    /// Writes any bytes of the page.
    pub fn poke(&self, at: usize, bytes: &[u8]) {
        rustix::io::pwrite(&self.page, bytes, at as u64).unwrap();
    }

    pub fn head(&self) -> u64 {
        self.lane_word(offset_of!(LaneHeader, head))
    }

    pub fn release_wanted(&self) -> bool {
        self.lane_word(offset_of!(LaneHeader, release_wanted)) & u64::from(u32::MAX) != 0
    }

    pub fn lane_word(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        assert_eq!(rustix::io::pread(&self.lane, &mut word, at as u64), Ok(8));
        u64::from_ne_bytes(word)
    }

    /// Whether the producer has hung up, after whatever it said last.
    pub fn is_over(&self) -> bool {
        matches!(self.line.hear_within(std::time::Duration::ZERO), Heard::HungUp)
    }
}
