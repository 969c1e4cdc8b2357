//! Import: another process's buffer, after every check that the vendor's library makes.

use crate::alloc::{describe, give_up};
use crate::entry::{Answer, enter, give, ion, place, read};
use crate::geometry::Geometry;
use crate::map::{Part, fd_error};
use crate::module::{Buffer, Shape, module};
use framelane_hobot_sys::hb_mem::{INVALID_PARAMS, UNKNOWN};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, usage};
use framelane_standin_ion::Record;

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_import_com_buf(from: *mut CommonBuf, to: *mut CommonBuf) -> i32 {
    enter("hb_mem_import_com_buf", || {
        place(to)?;
        let asked = read(from)?;
        let plausible = asked.share_id > 0
            && asked.size > 0
            && asked.phys_addr != 0
            && asked.offset < asked.size;
        if !plausible {
            return Err(INVALID_PARAMS);
        }
        let mut module = module()?;
        let part = import(asked.share_id, asked.flags, |record| {
            let start = asked.phys_addr.checked_sub(record.phys);
            let end = start.and_then(|start| start.checked_add(asked.size));
            end.is_some_and(|end| end <= record.bytes)
        })?;
        let made = CommonBuf {
            fd: part.fd(),
            virt_addr: part.base() + (asked.phys_addr - part.record.phys),
            ..asked
        };
        module.buffers.push(Buffer::new(Shape::Common(made), vec![part]));
        give(to, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_import_graph_buf(from: *mut GraphicBuf, to: *mut GraphicBuf) -> i32 {
    enter("hb_mem_import_graph_buf", || {
        place(to)?;
        let asked = read(from)?;
        let sizes = check_picture(&asked)?;
        let mut module = module()?;
        let (made, parts) = import_picture(&asked, &sizes)?;
        module.buffers.push(Buffer::new(Shape::Graphic(made), parts));
        give(to, made)
    })
}

/// Maps a picture that was found plausible.
pub fn import_picture(asked: &GraphicBuf, sizes: &[u64]) -> Answer<(GraphicBuf, Vec<Part>)> {
    let parts = if asked.is_contig == 1 {
        let total: u64 = sizes.iter().sum();
        let part = import(asked.share_id[0], asked.flags, |record| {
            planes_follow(asked, record.phys, sizes) && total <= record.bytes
        })?;
        vec![part]
    } else {
        import_planes(asked, sizes)?
    };
    let mut made = GraphicBuf { fd: [-1; 3], share_id: [0; 3], ..*asked };
    made.virt_addr = [0; 3];
    describe(&mut made, &parts, sizes);
    Ok((made, parts))
}

fn import_planes(asked: &GraphicBuf, sizes: &[u64]) -> Answer<Vec<Part>> {
    let mut parts = Vec::new();
    for (index, &size) in sizes.iter().enumerate() {
        let imported = import(asked.share_id[index], asked.flags, |record| {
            asked.phys_addr[index] == record.phys && size <= record.bytes
        });
        match imported {
            Ok(part) => parts.push(part),
            Err(code) => {
                give_up(parts);
                return Err(code);
            }
        }
    }
    Ok(parts)
}

/// The checks that need no buffer; sizes of the planes.
pub fn check_picture(asked: &GraphicBuf) -> Answer<Vec<u64>> {
    let &GraphicBuf { width, height, format, stride, vstride, .. } = asked;
    let sizes = Geometry { width, height, format, stride, vstride }.planes()?;
    let contiguous = asked.is_contig == 1;
    let plausible = width > 0
        && height > 0
        && asked.plane_cnt as usize == sizes.len()
        && (0..=1).contains(&asked.is_contig)
        && (sizes.len() > 1 || contiguous);
    let plane_is = |index: usize| {
        let named = (contiguous && index > 0) || asked.share_id[index] > 0;
        named
            && asked.size[index] == sizes[index]
            && asked.phys_addr[index] != 0
            && asked.offset[index] < asked.size[index]
    };
    if plausible && (0..sizes.len()).all(plane_is) { Ok(sizes) } else { Err(INVALID_PARAMS) }
}

/// Whether each plane begins where the one before it ends.
fn planes_follow(asked: &GraphicBuf, phys: u64, sizes: &[u64]) -> bool {
    let mut expected = phys;
    sizes.iter().zip(asked.phys_addr).all(|(size, found)| {
        let follows = found == expected;
        expected += size;
        follows
    })
}

/// Takes a reference to a buffer if it is what the caller believes.
fn import(id: i32, flags: i64, fits: impl FnOnce(&Record) -> bool) -> Answer<Part> {
    let ion = ion()?;
    let record = ion.look(|state| state.buffers.get(&id).cloned()).map_err(|_| UNKNOWN)?;
    // The caller's pool bits are stripped, so that a block of a pool, which has one, never agrees.
    let known = record.is_some_and(|record| {
        compared(record.flags) == compared(flags)
            && record.flags & usage::MEM_POOL == 0
            && fits(&record)
    });
    if !known {
        return Err(INVALID_PARAMS);
    }
    let (record, ram) = ion.take(id).map_err(fd_error)?.ok_or(INVALID_PARAMS)?;
    Part::map(id, record, ram, flags).inspect_err(|_| drop(ion.release(id)))
}

/// The part of the flags in which importer and owner must agree.
fn compared(flags: i64) -> i64 {
    let filled = if flags & usage::MAP_INITIALIZED != 0 {
        usage::MAP_INITIALIZED
    } else {
        flags & usage::MAP_UNINITIALIZED
    };
    filled | flags & usage::CACHED
}
