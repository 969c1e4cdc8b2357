//! Groups: up to eight pictures that are allocated, imported and freed as one.
//!
//! Assumed are that a picture without a bit is zero, that any descriptor of the group frees all of
//! it, as those of a picture do, and that a group's id is more than 0; here it is the share id of
//! the first picture.

use crate::alloc::{allocate, describe, give_up, part_sizes, picture};
use crate::entry::{Answer, enter, give, place, read};
use crate::geometry::Geometry;
use crate::import::{check_picture, import_picture};
use crate::map::Part;
use crate::module::{Buffer, Shape, module, valid_address, valid_fd};
use framelane_hobot_sys::hb_mem::{INVALID_FD, INVALID_GROUPID, INVALID_PARAMS, INVALID_VADDR};
use framelane_hobot_sys::{GROUP, GraphicBuf, GraphicBufGroup};

/// Which pictures of a group there are.
fn indices(pictures: u32) -> Answer<Vec<usize>> {
    if pictures == 0 || pictures >> GROUP != 0 {
        return Err(INVALID_PARAMS);
    }
    Ok((0..GROUP).filter(|index| pictures >> index & 1 == 1).collect())
}

/// One of the numbers that come for all pictures.
fn at<T: Copy>(list: *const T, index: usize) -> Answer<T> {
    read(if list.is_null() { list } else { list.wrapping_add(index) })
}

/// Makes every picture or none, and the group of them.
fn make(
    pictures: u32,
    mut one: impl FnMut(usize, &mut Vec<Part>) -> Answer<GraphicBuf>,
) -> Answer<(GraphicBufGroup, Vec<Part>)> {
    let mut group = GraphicBufGroup { bit_map: pictures, ..GraphicBufGroup::zeroed() };
    let mut parts = Vec::new();
    for index in indices(pictures)? {
        match one(index, &mut parts) {
            Ok(made) => group.graph_group[index] = made,
            Err(code) => {
                give_up(parts);
                return Err(code);
            }
        }
    }
    Ok((group, parts))
}

/// Allocates the memory of a picture after that of the ones before it.
fn fill(mut made: GraphicBuf, sizes: &[u64], parts: &mut Vec<Part>) -> Answer<GraphicBuf> {
    let before = parts.len();
    for size in part_sizes(&made, sizes) {
        parts.push(allocate(size, made.flags)?);
    }
    describe(&mut made, &parts[before..], sizes);
    Ok(made)
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_alloc_graph_buf_group(
    width: *mut i32,
    height: *mut i32,
    format: *mut i32,
    flags: *mut i64,
    stride: *mut i32,
    vstride: *mut i32,
    group: *mut GraphicBufGroup,
    pictures: u32,
) -> i32 {
    enter("hb_mem_alloc_graph_buf_group", || {
        place(group)?;
        let asked = |index| {
            let geometry = Geometry {
                width: at(width, index)?,
                height: at(height, index)?,
                format: at(format, index)?,
                stride: at(stride, index)?,
                vstride: at(vstride, index)?,
            };
            picture(geometry, at(flags, index)?)
        };
        let all = indices(pictures)?.into_iter().map(asked).collect::<Answer<Vec<_>>>()?;
        let mut module = module()?;
        let mut all = all.into_iter();
        let (mut made, parts) = make(pictures, |_, parts| {
            let (picture, sizes) = all.next().ok_or(INVALID_PARAMS)?;
            fill(picture, &sizes, parts)
        })?;
        made.group_id = parts[0].id;
        module.buffers.push(Buffer::new(Shape::Group(Box::new(made)), parts));
        give(group, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_import_graph_buf_group(
    from: *mut GraphicBufGroup,
    to: *mut GraphicBufGroup,
) -> i32 {
    enter("hb_mem_import_graph_buf_group", || {
        place(to)?;
        let asked = read(from)?;
        if asked.group_id <= 0 {
            return Err(INVALID_GROUPID);
        }
        let check = |index: usize| check_picture(&asked.graph_group[index]);
        let all = indices(asked.bit_map)?.into_iter().map(check).collect::<Answer<Vec<_>>>()?;
        let mut module = module()?;
        let mut all = all.into_iter();
        let (mut made, parts) = make(asked.bit_map, |index, parts| {
            let sizes = all.next().ok_or(INVALID_PARAMS)?;
            let (picture, its) = import_picture(&asked.graph_group[index], &sizes)?;
            parts.extend(its);
            Ok(picture)
        })?;
        made.group_id = asked.group_id;
        module.buffers.push(Buffer::new(Shape::Group(Box::new(made)), parts));
        give(to, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_graph_buf_group(fd: i32, group: *mut GraphicBufGroup) -> i32 {
    enter("hb_mem_get_graph_buf_group", || {
        place(group)?;
        match &module()?.of_fd(valid_fd(fd)?)?.shape {
            Shape::Group(found) => give(group, **found),
            _ => Err(INVALID_FD),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_graph_buf_group_with_vaddr(
    address: u64,
    group: *mut GraphicBufGroup,
) -> i32 {
    enter("hb_mem_get_graph_buf_group_with_vaddr", || {
        place(group)?;
        match &module()?.of_address(valid_address(address)?)?.shape {
            Shape::Group(found) => give(group, **found),
            _ => Err(INVALID_VADDR),
        }
    })
}
