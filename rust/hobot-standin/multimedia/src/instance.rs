//! The instances of this process, and what each of them is at.

use crate::entry::{Answer, read};
use crate::ffmpeg::Killer;
use crate::memory::{Block, Picture};
use crate::picture::Source;
use framelane_hobot_sys::codec::{Context, EncoderParams, MediaBuffer, state};
use framelane_hobot_sys::media::{INVALID_INSTANCE, OPERATION_NOT_ALLOWED, WAIT_TIMEOUT};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So many there are.
pub const INSTANCES: i32 = 32;

/// Who has a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Nobody.
    Free,
    User,
    Codec,
}

/// A place for a picture.
pub struct Slot {
    pub at: At,
    /// As it is given out.
    pub buffer: MediaBuffer,
    /// Keeps its memory, where it has any of its own.
    pub _memory: Option<Picture>,
}

/// A place for an access unit.
pub struct Stream {
    pub at: At,
    pub memory: Block,
}

/// A picture to code.
pub struct Job {
    pub slot: usize,
    pub buffer: MediaBuffer,
    pub source: Source,
}

/// A unit that waits for its reader.
pub struct Unit {
    pub stream: usize,
    pub bytes: u32,
    pub picture: MediaBuffer,
    pub key: bool,
    pub number: u32,
}

/// Who is told of consumed pictures.
#[derive(Clone, Copy)]
pub struct Listener {
    pub call: unsafe extern "C" fn(*mut c_void, *mut MediaBuffer),
    /// Its userdata.
    pub with: usize,
}

pub struct Inner {
    pub state: i32,
    pub params: EncoderParams,
    pub listener: Option<Listener>,
    pub slots: Vec<Slot>,
    pub streams: Vec<Stream>,
    pub jobs: VecDeque<Job>,
    pub units: VecDeque<Answer<Unit>>,
    /// The next picture begins a sequence.
    pub anew: bool,
    pub worker: Option<JoinHandle<()>>,
    pub process: Option<Killer>,
}

pub struct Instance {
    pub codec: i32,
    inner: Mutex<Inner>,
    pub news: Condvar,
}

impl Instance {
    fn new(codec: i32) -> Self {
        let inner = Inner {
            state: state::INITIALIZED,
            params: EncoderParams::zeroed(),
            listener: None,
            slots: Vec::new(),
            streams: Vec::new(),
            jobs: VecDeque::new(),
            units: VecDeque::new(),
            anew: false,
            worker: None,
            process: None,
        };
        Instance { codec, inner: Mutex::new(inner), news: Condvar::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it must be.
    pub fn lock_in(&self, states: &[i32]) -> Answer<MutexGuard<'_, Inner>> {
        let inner = self.lock();
        if states.contains(&inner.state) { Ok(inner) } else { Err(OPERATION_NOT_ALLOWED) }
    }

    /// Waits while it runs until something is there; less than no time is for ever.
    pub fn wait<R>(
        &self,
        timeout_ms: i32,
        mut find: impl FnMut(&mut Inner) -> Option<R>,
    ) -> Answer<R> {
        let wait = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        let deadline = wait.map(|wait| Instant::now() + wait);
        let mut inner = self.lock_in(&[state::STARTED])?;
        loop {
            if let Some(found) = find(&mut inner) {
                return Ok(found);
            }
            // Whoever waits for ever looks up now and then, which changes nothing.
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.unwrap_or(Duration::from_secs(1));
            if left.is_zero() {
                return Err(WAIT_TIMEOUT);
            }
            let woken = self.news.wait_timeout(inner, left);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
            if inner.state != state::STARTED {
                return Err(OPERATION_NOT_ALLOWED);
            }
        }
    }
}

type All = BTreeMap<i32, Arc<Instance>>;
static ALL: Mutex<All> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The instance that a context stands for.
pub fn instance(context: *mut Context) -> Answer<Arc<Instance>> {
    let context = read(context)?;
    let found = all().get(&context.instance_index).cloned();
    found.filter(|instance| instance.codec == context.codec_id).ok_or(INVALID_INSTANCE)
}

/// Takes a number for a new one; None when all are in use.
pub fn take(codec: i32) -> Option<i32> {
    let mut all = all();
    let free = (0..INSTANCES).find(|number| !all.contains_key(number))?;
    all.insert(free, Arc::new(Instance::new(codec)));
    Some(free)
}

pub fn give_back(number: i32) {
    all().remove(&number);
}
