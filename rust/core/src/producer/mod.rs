//! The producer: one process that owns a lane.

mod admission;
pub(crate) mod base;
pub(crate) mod bell;
mod connection;
pub(crate) mod create;
mod external;
pub(crate) mod facts;
mod frame_mut;
mod frames;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod handshake;
mod held;
mod lane;
pub(crate) mod member;
pub(crate) mod name;
mod options;
pub(crate) mod report;
pub(crate) mod service;
mod state;

pub(crate) use base::forked;
pub use external::{Owner, Returned};
pub use frame_mut::FrameMut;
pub(crate) use frame_mut::plane_range;
pub use options::{Access, DeviceBuffer, HugePages, ProducerOptions, Reclaim, Trust};

use crate::clock::Deadline;
use crate::error::Result;
use crate::failpoint::step;
use crate::layout::{FrameDescriptor, Report};
use crate::runtime_dir::{self, RuntimeDir};
use lane::Lane;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Owns a frame lane: claims slots, fills them, publishes them.
///
/// Usable from several threads at once. Never blocks on a consumer, unless the lane admits
/// lossless ones and a claim is given time to wait. Dropping it ends the lane: consumers are told,
/// and inline frames they hold stay valid.
pub struct Producer {
    lane: Arc<Lane>,
    directory: std::path::PathBuf,
    threads: Vec<JoinHandle<()>>,
}

impl Producer {
    /// Makes the lane `name` and starts to admit consumers.
    ///
    /// # Errors
    /// `InvalidName`, `InvalidArgument`; `AlreadyExists` when another producer owns the name;
    /// `OutOfMemory` with the sizes; `PermissionDenied` when no runtime directory can be used;
    /// `Unsupported` for a NUMA node the machine lacks; `TooMany` for too few file descriptors.
    pub fn create(name: &str, options: ProducerOptions) -> Result<Producer> {
        crate::name::validate(name)?;
        let places = runtime_dir::places(options.directory.as_deref());
        let dir = RuntimeDir::for_producer(&places)?;
        let hold = name::NameHold::take(dir, name, options.access)?;
        let directory = hold.directory().to_owned();
        let (lane, return_thread) = create::create(name, options)
            .map_err(|e| e.context(format!("making lane {name:?}")))?;
        step("create.made");
        let lane = Arc::new(lane);
        let service = service::start(lane.clone(), hold)?;
        Ok(Producer {
            lane,
            directory,
            threads: [Some(service), return_thread].into_iter().flatten().collect(),
        })
    }

    /// Claims a slot at once.
    ///
    /// # Errors
    /// `NoFreeSlot` names who holds the slots; `Closed`; `Forked`; `Unsupported` on a device lane.
    #[inline]
    pub fn claim(&self) -> Result<FrameMut> {
        self.lane.claim(None)
    }

    /// Claims a slot, waiting up to `timeout` for a lossless consumer or one of the producer's own
    /// frames.
    ///
    /// # Errors
    /// As [`claim`](Self::claim); `NoFreeSlot` when the time is over.
    pub fn claim_within(&self, timeout: Duration) -> Result<FrameMut> {
        self.lane.claim(Some(Deadline::after(timeout)))
    }

    /// Publishes a claimed frame; its sequence. The same as [`FrameMut::publish`].
    #[inline]
    pub fn publish(&self, frame: FrameMut) -> Result<u64> {
        frame.publish()
    }

    /// Publishes several frames in order with one wake-up; the last sequence. Readers see the
    /// newest 1 + history of them.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty batch or a frame of another lane; `Closed`; `Forked`.
    pub fn publish_batch(&self, mut frames: Vec<FrameMut>) -> Result<u64> {
        if frames.is_empty() || !frames.iter().all(|frame| frame.is_of(&self.lane)) {
            let text = "a batch holds at least one frame, all claimed from this producer";
            return Err(crate::error::invalid(text));
        }
        let mut claims: Vec<_> = frames.iter_mut().filter_map(FrameMut::claim_mut).collect();
        let (last, counted_out) = self.lane.publish(&mut claims)?;
        frames.into_iter().for_each(|frame| frame.published(counted_out));
        Ok(last)
    }

    /// Publishes a frame that lives in device memory; its sequence. `owner` runs once, when no
    /// lease names the frame any more, or when its deadline passed and it was revoked, or when the
    /// lane ends; on the producer's return thread or in [`reclaim`](Self::reclaim).
    ///
    /// # Errors
    /// `InvalidArgument` for planes outside the lane's buffers, `Unsupported` on an inline lane,
    /// `NoFreeSlot`, `Closed`, `Forked`; the owner is then dropped without being run.
    pub fn publish_external(&self, descriptor: &FrameDescriptor, owner: Owner) -> Result<u64> {
        self.lane.publish_external(descriptor, owner)
    }

    /// Runs the owners of returned buffers, on lanes made with [`Reclaim::Pump`]; how many ran.
    /// None in a forked child: the buffers are the parent's.
    pub fn reclaim(&self) -> usize {
        if self.lane.refuse_fork().is_err() {
            return 0;
        }
        let mut returns = Vec::new();
        let mut state = self.lane.lock();
        state.ask_for_releases(&self.lane.view, &mut returns);
        drop(state);
        self.lane.returns.hand_over(returns);
        self.lane.returns.run_waiting()
    }

    /// Takes back the device frames that nobody holds, the newest included: for a source whose
    /// device has no buffer left. Those that are held come back when they are released. Consumers
    /// then find nothing new until the next publish; a lossless one loses what it has not taken.
    /// Does nothing in a forked child.
    pub fn recall(&self) {
        if self.lane.refuse_fork().is_err() {
            return;
        }
        let mut returns = Vec::new();
        let mut state = self.lane.lock();
        state.recall(&self.lane.view, &mut returns);
        drop(state);
        self.lane.returns.hand_over(returns);
    }

    /// How the lane is: geometry, counts, consumers and what they hold. A forked child sees the
    /// geometry only.
    pub fn report(&self) -> Report {
        report::report(&self.lane, crate::clock::monotonic_ns())
    }

    /// Number of consumers attached now; 0 in a forked child.
    pub fn consumers(&self) -> usize {
        match self.lane.refuse_fork() {
            Ok(()) => self.lane.lock().members.len(),
            Err(_) => 0,
        }
    }

    /// Random id of this producer incarnation.
    pub fn epoch(&self) -> u64 {
        self.lane.facts.epoch
    }

    /// Name of the lane.
    pub fn name(&self) -> &str {
        &self.lane.facts.name
    }

    /// Runtime directory the lane's socket is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the lane. Dropping the producer does the same.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if self.lane.refuse_fork().is_err() {
            // The lane is the parent's, and its threads are not here to be let go of.
            self.threads.drain(..).for_each(std::mem::forget);
            return;
        }
        self.lane.close();
        frame_mut::settle_claims(&self.lane);
        // First the service thread, which may still hand owners over; then whoever runs them.
        let mut threads = self.threads.drain(..);
        join(threads.next());
        self.lane.returns.finish();
        join(threads.next());
    }
}

fn join(thread: Option<JoinHandle<()>>) {
    // An owner that drops the producer runs on the return thread itself.
    if let Some(thread) = thread.filter(|t| t.thread().id() != std::thread::current().id()) {
        let _ = thread.join();
    }
}
