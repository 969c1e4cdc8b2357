//! Pictures in, access units out.

use super::Codec;
use super::held::Owner;
use super::placed::Placed;
use super::session::Session;
use super::setup::{EncoderSetup, Input, VideoCodec};
use super::unit::{Place, Unit};
use crate::error::{Error, Result, media};
use framelane::ErrorKind;
use framelane_hobot_sys::codec::{FrameBuffer, MediaBuffer, OutputInfo, buffer_type};
use framelane_hobot_sys::media as number;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long handing a picture over may take; it does not wait for anything of ours.
const QUEUE_MS: i32 = 100;

/// An encoder that runs. Pictures may be fed and units taken by different threads. Ends when it
/// and all its units are dropped; owners of pictures that are still in it are dropped then.
pub struct Encoder<T> {
    session: Arc<Session>,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Places for pictures that a failed call left with us.
    spare: Vec<MediaBuffer>,
    next_ticket: u64,
    /// What the pictures in the codec were fed with, in order.
    tags: VecDeque<(u64, T)>,
}

/// A picture that the codec did not take, with its owner.
pub struct Refused {
    /// Why; a transient one when it has as many as it can have.
    pub error: Error,
    /// As it was given.
    pub owner: Owner,
}

impl Refused {
    /// Whether the codec will not read memory like this: the picture can be copied for it.
    pub fn is_about_its_memory(&self) -> bool {
        self.error.refuses_memory()
    }
}

impl<T> Encoder<T> {
    /// Checks the setup and starts a codec.
    ///
    /// # Errors
    /// `InvalidArgument` for what cannot be; otherwise what the vendor's function fails with.
    pub fn start(codec: &Arc<Codec>, setup: &EncoderSetup) -> Result<Self> {
        let session = Arc::new(Session::start(codec, setup)?);
        let state = State { spare: Vec::new(), next_ticket: 1, tags: VecDeque::new() };
        Ok(Encoder { session, state: Mutex::new(state) })
    }

    /// As it was started.
    pub fn setup(&self) -> &EncoderSetup {
        &self.session.setup
    }

    /// Pictures whose owners it has.
    pub fn held(&self) -> usize {
        if self.session.refuse_fork().is_ok() { self.session.held.count() } else { 0 }
    }

    /// Pictures that no unit was taken for.
    pub fn pending(&self) -> usize {
        if self.session.refuse_fork().is_ok() { self.lock().tags.len() } else { 0 }
    }

    /// Hands over a picture by its bus addresses. Its owner is dropped as soon as the codec has
    /// read it; until then nothing may write there. The codec does not look into the processor's
    /// caches: what a program drew into cached memory must be flushed before.
    ///
    /// # Errors
    /// The owner with the reason: a transient one when no place became free in time.
    pub fn feed(
        &self,
        picture: &Placed,
        tag: T,
        owner: Owner,
        timeout: Duration,
    ) -> std::result::Result<(), Refused> {
        let mut buffer = match self.place(Input::External, timeout) {
            Ok(buffer) => buffer,
            Err(error) => return Err(Refused { error, owner }),
        };
        let frame = &mut buffer.frame;
        frame.phy_ptr = picture.physical;
        frame.vir_ptr = [picture.mapped as u64; 3];
        (frame.width, frame.height) = self.session.setup.size();
        (frame.stride, frame.vstride) = (picture.stride as i32, 0);
        self.queue(buffer, tag, Some(owner)).map_err(|(error, owner)| {
            let owner = owner.unwrap_or_else(|| Box::new(()));
            Refused { error, owner }
        })
    }

    /// Copies a picture into a buffer of the codec's own: each plane's bytes and its stride. The
    /// number of bytes that were copied.
    ///
    /// # Errors
    /// A transient one when no place became free in time; `InvalidArgument` for planes that are
    /// too small.
    pub fn feed_copy(&self, planes: &[(&[u8], usize)], tag: T, timeout: Duration) -> Result<u64> {
        let buffer = self.place(Input::Copied, timeout)?;
        let copied = match fill(&self.session.setup, &buffer.frame, planes) {
            Ok(copied) => copied,
            Err(error) => {
                self.lock().spare.push(buffer);
                return Err(error);
            }
        };
        self.queue(buffer, tag, None).map_err(|(error, _)| error)?;
        Ok(copied)
    }

    /// The next access unit; None when none came in time.
    ///
    /// # Errors
    /// What coding a picture failed with: the picture is lost, and others may go well.
    pub fn take(&self, timeout: Duration) -> Result<Option<Unit<T>>> {
        self.session.refuse_fork()?;
        let dequeue = self.session.codec.library.hb_mm_mc_dequeue_output_buffer()?;
        let (mut buffer, mut info) = (MediaBuffer::zeroed(), OutputInfo::zeroed());
        buffer.kind = buffer_type::VIDEO_STREAM;
        // SAFETY: the instance's context, and places for the answers that live during the call.
        let code = unsafe {
            dequeue(self.session.context(), &mut buffer, &mut info, milliseconds(timeout))
        };
        match media("hb_mm_mc_dequeue_output_buffer", code) {
            Err(error) if error.is_transient() => return Ok(None),
            Err(error) => {
                if [number::CODING_FAILED, number::OUTPUT_BUF_FULL].contains(&code) {
                    self.finished(None);
                }
                return Err(error);
            }
            Ok(()) => {}
        }
        let place = Place::new(&self.session, buffer);
        // Only these two let us say by which number the codec calls a picture.
        let by_number = self.session.setup.codec != VideoCodec::Mjpeg;
        let tag = self.finished(by_number.then_some(buffer.stream().pts));
        let tag = tag.ok_or_else(|| {
            let text = "libmultimedia gave a unit of a picture that it was not fed";
            framelane::Error::new(ErrorKind::System, text)
        })?;
        Unit::new(place, tag).map(Some)
    }

    /// Makes one of the next pictures an IDR with its parameter sets.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn request_key_frame(&self) -> Result<()> {
        self.session.refuse_fork()?;
        let request = self.session.codec.library.hb_mm_mc_request_idr_frame()?;
        // SAFETY: the instance's context.
        media("hb_mm_mc_request_idr_frame", unsafe { request(self.session.context()) })
    }

    /// Changes the bit rate while it runs.
    ///
    /// # Errors
    /// `InvalidArgument` for MJPEG, which has none; what the library fails with.
    pub fn set_bitrate(&self, kbps: u32) -> Result<()> {
        self.session.refuse_fork()?;
        let setup = EncoderSetup { bitrate_kbps: kbps, ..self.session.setup };
        setup.check()?;
        if setup.codec == VideoCodec::Mjpeg {
            let text = "MJPEG has no bit rate";
            return Err(framelane::Error::new(ErrorKind::InvalidArgument, text).into());
        }
        let library = &self.session.codec.library;
        let (get, set) = (
            library.hb_mm_mc_get_rate_control_config()?,
            library.hb_mm_mc_set_rate_control_config()?,
        );
        let mut rate = framelane_hobot_sys::codec::RateControl::zeroed();
        rate.mode = setup.rate_mode();
        // SAFETY: the instance's context, and a place for the answer that lives during the call.
        let code = unsafe { get(self.session.context(), &mut rate) };
        media("hb_mm_mc_get_rate_control_config", code)?;
        let mut cbr = rate.cbr();
        cbr.bit_rate = kbps;
        rate.set_cbr(&cbr);
        // SAFETY: as above.
        let code = unsafe { set(self.session.context(), &rate) };
        media("hb_mm_mc_set_rate_control_config", code)
    }

    /// A place for a picture, in an encoder whose pictures come this way.
    fn place(&self, input: Input, timeout: Duration) -> Result<MediaBuffer> {
        self.session.refuse_fork()?;
        if self.session.setup.input != input {
            let text = "the encoder was started for pictures of the other kind";
            return Err(framelane::Error::new(ErrorKind::InvalidArgument, text).into());
        }
        if let Some(spare) = self.lock().spare.pop() {
            return Ok(spare);
        }
        let dequeue = self.session.codec.library.hb_mm_mc_dequeue_input_buffer()?;
        let mut buffer = MediaBuffer::zeroed();
        // SAFETY: the instance's context, and a place for the answer that lives during the call.
        let code = unsafe { dequeue(self.session.context(), &mut buffer, milliseconds(timeout)) };
        media("hb_mm_mc_dequeue_input_buffer", code)?;
        Ok(buffer)
    }

    /// Hands a filled place over; after a failure it is kept for the next picture, and the owner
    /// comes back.
    fn queue(
        &self,
        mut buffer: MediaBuffer,
        tag: T,
        owner: Option<Owner>,
    ) -> std::result::Result<(), (Error, Option<Owner>)> {
        let queue = match self.session.codec.library.hb_mm_mc_queue_input_buffer() {
            Ok(queue) => queue,
            Err(error) => return Err((error.into(), owner)),
        };
        // Until its tag is there: whoever takes its unit waits for us.
        let mut state = self.lock();
        let ticket = state.next_ticket;
        (buffer.user_ptr, buffer.frame.pts) = (ticket, ticket);
        // It may be consumed before the call is over.
        if let Some(owner) = owner {
            self.session.held.hold(ticket, owner);
        }
        // SAFETY: the instance's context, a buffer that it gave and that lives during the call.
        // Who owns the memory it names is held until it was read.
        let code = unsafe { queue(self.session.context(), &mut buffer, QUEUE_MS) };
        match media("hb_mm_mc_queue_input_buffer", code) {
            Ok(()) => {
                state.next_ticket += 1;
                state.tags.push_back((ticket, tag));
                Ok(())
            }
            Err(error) => {
                state.spare.push(buffer);
                Err((error, self.session.held.take(ticket)))
            }
        }
    }

    /// What the picture of this number, or else the oldest, was fed with. The codec is done with
    /// it and with all before, whether it has told us or not.
    fn finished(&self, ticket: Option<u64>) -> Option<T> {
        let mut state = self.lock();
        let index = match ticket {
            Some(ticket) => state.tags.iter().position(|(fed, _)| *fed == ticket)?,
            None if state.tags.is_empty() => return None,
            None => 0,
        };
        let (ticket, tag) = state.tags.drain(..=index).next_back()?;
        drop(state);
        self.session.held.release_to(ticket);
        Some(tag)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EncoderSetup {
    fn size(&self) -> (i32, i32) {
        (self.width as i32, self.height as i32)
    }
}

fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Copies the rows of each plane to where the codec wants them.
fn fill(setup: &EncoderSetup, frame: &FrameBuffer, planes: &[(&[u8], usize)]) -> Result<u64> {
    let shares: &[(usize, usize)] =
        if setup.planar { &[(1, 1), (2, 2), (2, 2)] } else { &[(1, 1), (1, 2)] };
    let bad = |what: &str| framelane::Error::new(ErrorKind::InvalidArgument, what);
    if planes.len() != shares.len() {
        return Err(bad("a picture of another number of planes").into());
    }
    let mut copied = 0;
    for (index, (&(bytes, stride), &(across, down))) in planes.iter().zip(shares).enumerate() {
        let (width, rows) = (setup.width as usize / across, setup.height as usize / down);
        let to_stride = usize::try_from(frame.stride).unwrap_or(0) / across;
        let room = frame.comp_size[index] as usize;
        let enough = stride >= width && bytes.len() >= stride * (rows - 1) + width;
        if !enough {
            return Err(bad("a picture that is smaller than the encoder's").into());
        }
        let to = frame.vir_ptr[index] as *mut u8;
        if to.is_null() || to_stride < width || room < to_stride * (rows - 1) + width {
            let text = "libmultimedia gave a buffer that is too small for its own pictures";
            return Err(framelane::Error::new(ErrorKind::System, text).into());
        }
        for (row, bytes) in bytes.chunks(stride).take(rows).enumerate() {
            // SAFETY: the codec's buffer is mapped for writing and this plane of it is ours until
            // it is queued; each row was just found to lie within the plane.
            unsafe { to.add(row * to_stride).copy_from_nonoverlapping(bytes.as_ptr(), width) };
        }
        copied += (width * rows) as u64;
    }
    Ok(copied)
}
