//! An access unit where the codec made it, given back once.

use super::key::{Brings, look};
use super::session::Session;
use crate::error::{Error, Result, media};
use framelane::ErrorKind;
use framelane_hobot_sys::codec::{MediaBuffer, StreamBuffer};
use std::sync::Arc;

/// An access unit and what its picture was fed with. Dropping it gives its buffer back to the
/// codec, which runs out of them when too many are held.
pub struct Unit<T> {
    place: Place,
    stream: StreamBuffer,
    brings: Brings,
    tag: T,
}

/// The buffer as it came, and whom it came from.
pub(super) struct Place {
    session: Arc<Session>,
    buffer: MediaBuffer,
}

impl<T> Unit<T> {
    /// Takes over what a call has just given.
    pub(super) fn new(place: Place, tag: T) -> Result<Self> {
        let stream = place.buffer.stream();
        if stream.vir_ptr == 0 || stream.size > place.session.setup.unit_bytes() {
            let text = format!("libmultimedia gave a unit of {} bytes", stream.size);
            return Err(framelane::Error::new(ErrorKind::System, text).into());
        }
        let mut unit = Unit { place, stream, brings: Brings::default(), tag };
        unit.brings = look(unit.place.session.setup.codec, unit.bytes());
        Ok(unit)
    }

    /// Its bytes; H.264 and H.265 in Annex B form.
    pub fn bytes(&self) -> &[u8] {
        let address = self.stream.vir_ptr as *const u8;
        // SAFETY: the library keeps its buffer mapped until it is given back, which this unit
        // does when it is dropped, and does not write there before. The session keeps the codec.
        unsafe { std::slice::from_raw_parts(address, self.stream.size as usize) }
    }

    /// Whether decoding can begin here.
    pub fn is_key(&self) -> bool {
        self.brings.key
    }

    /// Whether it has parameter sets, with which decoding can begin at it by itself.
    pub fn carries_parameters(&self) -> bool {
        self.brings.parameters
    }

    /// What its picture was fed with.
    pub fn tag(&self) -> &T {
        &self.tag
    }

    /// The last one, of a picture that was said to be the last.
    pub fn ends_the_stream(&self) -> bool {
        self.stream.stream_end != 0
    }
}

impl Place {
    pub fn new(session: &Arc<Session>, buffer: MediaBuffer) -> Self {
        Place { session: session.clone(), buffer }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.session.refuse_fork().is_err() {
            return; // the buffer is the parent's
        }
        let queue = self.session.codec.library.hb_mm_mc_queue_output_buffer();
        let queued = queue.map_err(Error::from).and_then(|queue| {
            // SAFETY: the buffer as it was given, back once.
            let code = unsafe { queue(self.session.context(), &mut self.buffer, 0) };
            media("hb_mm_mc_queue_output_buffer", code)
        });
        if let Err(error) = queued {
            tracing::warn!(%error, "an access unit could not be given back");
        }
    }
}
