//! Buffers that no descriptor is sent for: imported once for each epoch, by what the frame says.

use crate::error::{Error, Result, invalid, protocol};
use crate::layout::limit::DEVICE_BUFFERS;
use crate::layout::{ErrorKind, FrameDescriptor, MemoryKind};
use crate::mem::buffer::{ImportedBuffer, Importer};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

static IMPORTER: OnceLock<Box<dyn Importer>> = OnceLock::new();

/// Lets the consumers of this process read lanes of `kind`. Only `HbMem` needs that; the first one
/// registered stays.
///
/// # Errors
/// `InvalidArgument` for a kind whose buffers travel by descriptor.
pub fn register_importer(kind: MemoryKind, importer: Box<dyn Importer>) -> Result<()> {
    if kind != MemoryKind::HbMem {
        return Err(invalid(format!("buffers of {} memory need no importer", kind.name())));
    }
    let _ = IMPORTER.set(importer);
    Ok(())
}

/// Whether lanes of `HbMem` can be asked for.
pub(super) fn is_registered() -> bool {
    IMPORTER.get().is_some()
}

/// Fails where buffers of `kind` could not be imported.
pub(super) fn ready(kind: MemoryKind) -> Result<()> {
    if kind == MemoryKind::HbMem { importer()?.ready() } else { Ok(()) }
}

fn importer() -> Result<&'static dyn Importer> {
    IMPORTER.get().map(AsRef::as_ref).ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "this program has no importer for hb_mem memory")
    })
}

/// What tells one buffer from another: all that the vendor's description says. An id alone does
/// not, for it is given again.
#[derive(Clone, Copy, PartialEq)]
struct Identity {
    vendor_tag: u32,
    vendor_bytes: u32,
    vendor_data: [u8; 160],
}

impl Identity {
    fn of(descriptor: &FrameDescriptor) -> Self {
        Identity {
            vendor_tag: descriptor.vendor_tag,
            vendor_bytes: descriptor.vendor_bytes,
            vendor_data: descriptor.vendor_data,
        }
    }
}

pub(crate) type Import = Arc<dyn ImportedBuffer>;

/// The imported buffers of one epoch.
#[derive(Default)]
pub(crate) struct Imports(Mutex<Vec<(Identity, Import)>>);

impl Imports {
    /// The buffer a frame is in, fresh for reading.
    pub(super) fn fresh(&self, descriptor: &FrameDescriptor) -> Result<Import> {
        let wanted = Identity::of(descriptor);
        if let Some(known) = self.find(&wanted) {
            match known.refresh() {
                Ok(()) => return Ok(known),
                Err(error) => tracing::info!(%error, "a buffer is imported again"),
            }
            self.lock().retain(|(identity, _)| *identity != wanted);
        }
        // Not under the mutex: the library may take its time, and other frames need not wait.
        let import: Import = importer()?.import(descriptor)?.into();
        import.refresh()?;
        let mut all = self.lock();
        if all.len() as u64 >= DEVICE_BUFFERS {
            let text = format!("the frames of one epoch lie in over {DEVICE_BUFFERS} buffers");
            return Err(protocol(text));
        }
        all.push((wanted, import.clone()));
        Ok(import)
    }

    fn find(&self, wanted: &Identity) -> Option<Import> {
        let all = self.lock();
        all.iter().find(|(identity, _)| identity == wanted).map(|(_, import)| import.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Identity, Import)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
