//! An instance of the codec from its start to its release.

use super::held::{Held, consumed};
use super::setup::EncoderSetup;
use super::{Codec, Input};
use crate::error::{Error, Result, media};
use framelane::ErrorKind;
use framelane_hobot_sys::codec::{Callbacks, Context, Startup};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::Arc;

pub(super) struct Session {
    pub codec: Arc<Codec>,
    pub setup: EncoderSetup,
    /// The library keeps to where it was.
    context: Box<UnsafeCell<Context>>,
    pub held: Box<Held>,
    initialized: bool,
    started: bool,
}

// SAFETY: the context is only ever handed to the library, which may be called from any thread and
// guards each instance itself.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

impl Session {
    pub fn start(codec: &Arc<Codec>, setup: &EncoderSetup) -> Result<Self> {
        setup.check()?;
        let mut session = Session {
            codec: codec.clone(),
            setup: *setup,
            context: Box::new(UnsafeCell::new(Context::zeroed())),
            held: Box::default(),
            initialized: false,
            started: false,
        };
        session.refuse_fork()?;
        session.prepare()?;
        session.initialize()?;
        if setup.input == Input::External {
            session.listen()?;
        }
        session.run()?;
        Ok(session)
    }

    pub fn context(&self) -> *mut Context {
        self.context.get()
    }

    /// Nothing of it belongs to a child of the process that opened it.
    pub fn refuse_fork(&self) -> Result<()> {
        if self.codec.memory.is_foreign() {
            let text = "the codec was opened before the fork, and belongs to the parent";
            return Err(framelane::Error::new(ErrorKind::Forked, text).into());
        }
        Ok(())
    }

    /// The vendor's defaults, and what was asked for.
    fn prepare(&mut self) -> Result<()> {
        let library = &self.codec.library;
        let defaults = library.hb_mm_mc_get_default_context()?;
        let rate_defaults = library.hb_mm_mc_get_rate_control_config()?;
        let context = self.context.get();
        // SAFETY: a place for the answer, which nobody else has yet.
        let code = unsafe { defaults(self.setup.id(), 1, context) };
        media("hb_mm_mc_get_default_context", code)?;
        let known = self.context.get_mut();
        known.params.rate_control.mode = self.setup.rate_mode();
        let mut rate = known.params.rate_control;
        // SAFETY: as above.
        let code = unsafe { rate_defaults(context, &mut rate) };
        media("hb_mm_mc_get_rate_control_config", code)?;
        let known = self.context.get_mut();
        known.params.rate_control = rate;
        self.setup.apply(known);
        Ok(())
    }

    fn initialize(&mut self) -> Result<()> {
        let initialize = self.codec.library.hb_mm_mc_initialize()?;
        // SAFETY: a context that lives as long as the instance.
        media("hb_mm_mc_initialize", unsafe { initialize(self.context()) })?;
        self.initialized = true;
        Ok(())
    }

    /// Asks to be told when a picture was read; a library that cannot tell gives it back with its
    /// access unit.
    fn listen(&self) -> Result<()> {
        let Ok(listen) = self.codec.library.hb_mm_mc_set_input_buffer_listener() else {
            return Ok(());
        };
        let callbacks = Callbacks { on_input_buffer_consumed: Some(consumed), ..Callbacks::NONE };
        let held = std::ptr::from_ref::<Held>(&self.held).cast_mut().cast::<c_void>();
        // SAFETY: the callbacks are copied, and what they are given lives in its box until the
        // instance is released.
        let code = unsafe { listen(self.context(), &callbacks, held) };
        media("hb_mm_mc_set_input_buffer_listener", code)
    }

    fn run(&mut self) -> Result<()> {
        let configure = self.codec.library.hb_mm_mc_configure()?;
        let start = self.codec.library.hb_mm_mc_start()?;
        // SAFETY: the instance's context.
        media("hb_mm_mc_configure", unsafe { configure(self.context()) })?;
        let startup = Startup { receive_frame_number: 0 };
        // SAFETY: as above; the other lives during the call.
        media("hb_mm_mc_start", unsafe { start(self.context(), &startup) })?;
        self.started = true;
        Ok(())
    }

    fn end(&self) -> Result<()> {
        if self.started {
            let stop = self.codec.library.hb_mm_mc_stop()?;
            // SAFETY: the instance's context.
            let stopped = media("hb_mm_mc_stop", unsafe { stop(self.context()) });
            // It is released all the same.
            stopped.unwrap_or_else(|error| tracing::warn!(%error, "stopping a codec"));
        }
        if self.initialized {
            let release = self.codec.library.hb_mm_mc_release()?;
            // SAFETY: as above, once.
            media("hb_mm_mc_release", unsafe { release(self.context()) })?;
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.codec.memory.is_foreign() {
            // The codec is the parent's, and so are the pictures.
            std::mem::forget(std::mem::take(&mut self.held));
            return;
        }
        match self.end() {
            Ok(()) => self.held.release_all(),
            Err(error) => {
                // It may still read and tell: neither pictures nor what it tells go away.
                std::mem::forget(std::mem::take(&mut self.held));
                report(&error);
            }
        }
    }
}

fn report(error: &Error) {
    tracing::warn!(%error, "a codec could not be released, its pictures are lost");
}
