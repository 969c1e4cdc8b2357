//! The mechanisms. Each is one small file that implements [`Lane`].

pub mod bare;
#[cfg(has_boost)]
pub mod boost;
pub mod floor;
pub mod framelane;
pub mod iceoryx;
pub mod records;
pub mod seqpacket;
pub mod shmbuf;
pub mod stream;

use crate::shared::Shared;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait for anything inside a role; the parent's own deadline is longer.
pub const SOON: Duration = Duration::from_secs(10);

/// How a consumer learns of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// Looks again and again.
    Poll,
    /// Sleeps in the mechanism's own blocking call.
    Sleep,
    /// Sleeps in an epoll instance of its own that watches the mechanism's descriptor.
    Fd,
}

/// Names of the mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Name {
    Bare,
    Floor,
    Framelane,
    Iceoryx,
    Unix,
    Tcp,
    Pipe,
    Seqpacket,
    Boost,
    RecordsLive,
    RecordsLossless,
    Shmbuf,
}

/// Whether Boost's headers were there when this was built.
pub const fn boost_is_there() -> bool {
    cfg!(has_boost)
}

/// What one contest is about: the same for its producer and its consumers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Private directory of this contest.
    pub place: PathBuf,
    /// Unique name of this contest.
    pub name: String,
    /// Bytes of a frame.
    pub width: u32,
    pub height: u32,
    pub consumers: usize,
    pub wait: Wait,
    /// Consumers run as another user.
    pub other_user: bool,
    /// Shared memory of the contest.
    pub memory: i32,
    /// Bytes of its payload slots, for the mechanisms that have none of their own.
    pub slot_bytes: usize,
    /// One eventfd for each consumer.
    pub eventfds: Vec<i32>,
    /// Consumers want every frame, not the newest: two may be unread.
    pub ordered: bool,
    /// Settings as a newcomer finds them, not as the contest needs them.
    pub defaults: bool,
}

impl Setup {
    /// Bytes of an NV12 frame.
    pub fn bytes(&self) -> usize {
        self.width as usize * self.height as usize * 3 / 2
    }
}

/// A mechanism.
pub trait Lane {
    type Producer: Producer;
    type Consumer: Consumer;

    fn producer(setup: &Setup, shared: &'static Shared) -> Result<Self::Producer>;
    fn consumer(setup: &Setup, shared: &'static Shared, index: usize) -> Result<Self::Consumer>;
}

/// Its sending side.
pub trait Producer {
    /// A frame being filled.
    type Claim;

    fn claim(&mut self) -> Result<Self::Claim>;
    /// Fills what describes the frame: the descriptor, or a stamp of 16 bytes where there is none.
    fn describe(&mut self, claim: &mut Self::Claim, sequence: u64);
    /// Hands the frame over, payload as it is.
    fn publish(&mut self, claim: Self::Claim) -> Result<()>;
    /// Hands over a frame that lies in the producer's own memory: one copy in.
    fn publish_copy(&mut self, source: &[u8]) -> Result<()>;

    /// Consumers that the producer still reserves memory for, where it knows.
    fn burden(&mut self) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// Its receiving side.
pub trait Consumer {
    /// A frame in hand.
    type Held;

    /// The next frame if there is one.
    fn poll(&mut self) -> Result<Option<Self::Held>>;
    /// The next frame, asleep until it comes.
    fn wait(&mut self) -> Result<Self::Held>;
    /// Reads the descriptor, where there is one.
    fn inspect(&mut self, _held: &Self::Held) -> u64 {
        0
    }
    /// The whole payload, read in place.
    fn read(&mut self, held: &Self::Held) -> Result<Seen>;
    fn release(&mut self, held: Self::Held) -> Result<()>;

    /// Sleeps until told that the producer is gone; false when that did not come in time.
    fn wait_for_end(&mut self, _limit: Duration) -> Result<bool> {
        bail!("this mechanism has no notion of an end")
    }
}

/// What reading a whole frame gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first eight bytes: the sequence, where the producer copied a source in.
    pub first: u64,
    pub sum: u64,
}

/// Reads every byte.
pub fn read_all(bytes: &[u8]) -> Seen {
    let words = bytes.chunks_exact(8);
    let tail: u64 = words.remainder().iter().map(|&byte| u64::from(byte)).sum();
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    let first = bytes.get(..8).map_or(0, word);
    let sum = words.fold(tail, |sum, bytes| sum.wrapping_add(word(bytes)));
    Seen { first, sum: std::hint::black_box(sum) }
}
