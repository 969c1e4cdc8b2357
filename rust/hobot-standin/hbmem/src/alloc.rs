//! Allocation.

use crate::entry::{Answer, enter, give, ion, place};
use crate::geometry::Geometry;
use crate::map::{Part, fd_error};
use crate::module::{Buffer, Shape, module};
use framelane_hobot_sys::hb_mem::INVALID_PARAMS;
use framelane_hobot_sys::{CommonBuf, GraphicBuf, usage};

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_alloc_com_buf(size: u64, flags: i64, buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_alloc_com_buf", || {
        place(buffer)?;
        if size == 0 {
            return Err(INVALID_PARAMS);
        }
        let mut module = module()?;
        let flags = without_pools(flags);
        let part = allocate(size, flags)?;
        let made = CommonBuf {
            fd: part.fd(),
            share_id: part.id,
            flags,
            size,
            virt_addr: part.base(),
            phys_addr: part.record.phys,
            offset: 0,
        };
        module.buffers.push(Buffer::new(Shape::Common(made), vec![part]));
        give(buffer, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_alloc_graph_buf(
    width: i32,
    height: i32,
    format: i32,
    flags: i64,
    stride: i32,
    vstride: i32,
    buffer: *mut GraphicBuf,
) -> i32 {
    enter("hb_mem_alloc_graph_buf", || {
        place(buffer)?;
        let geometry = Geometry { width, height, format, stride, vstride };
        let (mut made, sizes) = picture(geometry, flags)?;
        let mut module = module()?;
        let mut parts = Vec::new();
        for size in part_sizes(&made, &sizes) {
            match allocate(size, made.flags) {
                Ok(part) => parts.push(part),
                Err(code) => {
                    give_up(parts);
                    return Err(code);
                }
            }
        }
        describe(&mut made, &parts, &sizes);
        module.buffers.push(Buffer::new(Shape::Graphic(made), parts));
        give(buffer, made)
    })
}

/// A picture without its memory, and the sizes of its planes.
pub fn picture(geometry: Geometry, flags: i64) -> Answer<(GraphicBuf, Vec<u64>)> {
    let sizes = geometry.planes()?;
    if sizes.contains(&0) {
        return Err(INVALID_PARAMS);
    }
    let Geometry { width, height, format, stride, vstride } = geometry;
    let flags = without_pools(flags);
    let contiguous = sizes.len() == 1 || flags & usage::GRAPHIC_CONTIGUOUS != 0;
    let made = GraphicBuf {
        fd: [-1; 3],
        plane_cnt: sizes.len() as i32,
        format,
        width,
        height,
        stride,
        vstride,
        is_contig: contiguous.into(),
        flags,
        ..GraphicBuf::ZERO
    };
    Ok((made, sizes))
}

/// Sizes of the parts that its planes are in.
pub fn part_sizes(made: &GraphicBuf, planes: &[u64]) -> Vec<u64> {
    if made.is_contig == 1 { vec![planes.iter().sum()] } else { planes.to_vec() }
}

/// Where the planes of a picture are, in one part or in one each.
pub fn describe(made: &mut GraphicBuf, parts: &[Part], sizes: &[u64]) {
    for (index, part) in parts.iter().enumerate() {
        (made.fd[index], made.share_id[index]) = (part.fd(), part.id);
    }
    let mut before = 0;
    for (index, &size) in sizes.iter().enumerate() {
        let part = parts.get(index).unwrap_or(&parts[0]);
        let start = if parts.len() == 1 { before } else { 0 };
        made.size[index] = size;
        made.virt_addr[index] = part.base() + start;
        made.phys_addr[index] = part.record.phys + start;
        before += size;
    }
}

/// A new part of its own.
pub fn allocate(size: u64, flags: i64) -> Answer<Part> {
    let (id, record, ram) = ion()?.allocate(size, flags).map_err(fd_error)?;
    Part::map(id, record, ram, flags).inspect_err(|_| {
        let _ = ion().map(|ion| ion.release(id));
    })
}

/// Lets go of what was had before something failed.
pub fn give_up(parts: Vec<Part>) {
    parts.into_iter().for_each(|part| part.release().unwrap_or(()));
}

/// The library sets the pool bits itself.
pub fn without_pools(flags: i64) -> i64 {
    flags & !(usage::MEM_POOL | usage::MEM_SHARE_POOL)
}
