//! How consumers see frames in hb_mem: mapped once for each buffer, for reading only.

use crate::buffer::{CommonBuffer, GraphicBuffer};
use crate::describe::{Described, described, holds, names};
use crate::error::Result;
use crate::memory::Memory;
use framelane::{FrameDescriptor, ImportedBuffer, Importer, MemoryKind, Plane};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, usage};

/// Lets every consumer of this process read frames in hb_mem. Nothing is loaded before the first
/// lane that has such.
pub fn register() {
    // The kind is one that takes an importer, and whoever was first does the same.
    let _ = framelane::register_importer(MemoryKind::HbMem, Box::new(HbMem));
}

struct HbMem;

impl Importer for HbMem {
    fn ready(&self) -> framelane::Result<()> {
        Memory::shared().map(drop).map_err(framelane::Error::from)
    }

    fn import(&self, descriptor: &FrameDescriptor) -> framelane::Result<Box<dyn ImportedBuffer>> {
        let described = described(descriptor)?;
        let imported = Memory::shared().and_then(|memory| Imported::new(&memory, &described));
        imported.map(|imported| Box::new(imported) as _).map_err(|error| {
            let id = descriptor.planes[0].share_id;
            framelane::Error::from(error).context(format_args!("importing buffer {id}"))
        })
    }
}

/// A buffer mapped in this process.
enum Imported {
    Graphic(GraphicBuffer),
    Common(CommonBuffer),
}

impl Imported {
    fn new(memory: &Memory, described: &Described) -> Result<Self> {
        Ok(match described {
            Described::Graphic(raw) => {
                let asked = GraphicBuf { flags: reading(raw.flags), ..*raw };
                Imported::Graphic(memory.import_graphic(&asked)?)
            }
            Described::Common(raw) => {
                let asked = CommonBuf { flags: reading(raw.flags), ..*raw };
                Imported::Common(memory.import_common(&asked)?)
            }
        })
    }
}

/// The flags of a mapping for reading: the library derives its rights from them.
fn reading(flags: i64) -> i64 {
    flags & !usage::CPU_WRITE_MASK | usage::CPU_READ_OFTEN
}

// SAFETY: the owner frees the mapping when it is dropped and not before, and the library neither
// moves nor unmaps a buffer that is not freed.
unsafe impl ImportedBuffer for Imported {
    fn plane(&self, index: usize, plane: &Plane) -> Option<(usize, usize)> {
        match self {
            Imported::Graphic(buffer) => {
                let mapped = *buffer.planes().get(index)?;
                names(buffer.raw(), index, plane).then_some(mapped)
            }
            Imported::Common(buffer) => {
                let (address, _) = *buffer.planes().get(index)?;
                let inside = holds(buffer.raw(), plane);
                inside.then_some((address + plane.offset_bytes as usize, plane.size_bytes as usize))
            }
        }
    }

    fn refresh(&self) -> framelane::Result<()> {
        let done = match self {
            Imported::Graphic(buffer) => buffer.invalidate(),
            Imported::Common(buffer) => buffer.invalidate(),
        };
        done.map_err(framelane::Error::from)
    }
}
