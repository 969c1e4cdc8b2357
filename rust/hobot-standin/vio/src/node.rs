//! Processors and what they are told to do.

use crate::entry::{Answer, Vio, enter, give, read, vio};
use crate::ring::Ring;
use crate::status::{
    ATTRIBUTE, INPUT, INVALID_NODE, NODE_TYPE, NOT_SUPPORTED, NULL, OUTPUT, PARAMETER,
};
use framelane_hobot_sys::{BufAttr, InputAttr, Rect, VinAttr, VseOutputAttr, frame_format, node};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;

/// Largest width and height of each down-scaling output of a VSE.
const DOWN: [(u32, u32); 5] = [(4096, 3076), (1920, 1080), (1920, 1080), (1280, 720), (1280, 720)];

/// Most buffers of a ring.
const BUFFERS: u32 = 64;

#[derive(Default)]
pub struct Output {
    pub attr: Option<VseOutputAttr>,
    pub buffers: Option<BufAttr>,
    /// While its flow runs.
    pub ring: Option<Arc<Ring>>,
}

pub struct Node {
    pub kind: i32,
    pub host: u32,
    pub configured: bool,
    /// Width and height of what goes in.
    pub input: Option<(u32, u32)>,
    pub outputs: BTreeMap<u32, Output>,
    /// The sensor whose pictures go in.
    pub sensor: Option<i64>,
}

impl Vio {
    pub fn node(&mut self, handle: i64) -> Answer<&mut Node> {
        self.nodes.get_mut(&handle).ok_or(INVALID_NODE)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_open(kind: i32, hw_id: u32, ctx_id: i32, handle: *mut i64) -> i32 {
    enter("hbn_vnode_open", || {
        if handle.is_null() {
            return Err(NULL);
        }
        if !(node::VIN..=node::VSE).contains(&kind) {
            return Err(NODE_TYPE);
        }
        if ctx_id < node::AUTO_ALLOC_ID {
            return Err(-4);
        }
        let mut vio = vio();
        let new = vio.new_handle();
        let opened = Node {
            kind,
            host: hw_id,
            configured: false,
            input: None,
            outputs: BTreeMap::new(),
            sensor: None,
        };
        vio.nodes.insert(new, opened);
        give(handle, new)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_close(handle: i64) {
    vio().nodes.remove(&handle);
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_set_attr(handle: i64, attr: *mut c_void) -> i32 {
    enter("hbn_vnode_set_attr", || {
        let mut vio = vio();
        let node = vio.node(handle)?;
        if node.kind == node::VIN {
            let attr = read(attr.cast::<VinAttr>())?;
            if attr.cim.mipi_rx != node.host {
                return Err(ATTRIBUTE);
            }
        } else if attr.is_null() {
            return Err(NULL);
        }
        node.configured = true;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_set_ichn_attr(handle: i64, channel: u32, attr: *mut c_void) -> i32 {
    enter("hbn_vnode_set_ichn_attr", || {
        let mut vio = vio();
        let node = vio.node(handle)?;
        if channel != 0 {
            return Err(INPUT);
        }
        node.input = Some(if node.kind == node::VIN {
            let attr = read(attr.cast::<framelane_hobot_sys::VinInputAttr>())?;
            (attr.width, attr.height)
        } else {
            let attr = read(attr.cast::<InputAttr>())?;
            (attr.width, attr.height)
        });
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_set_ochn_attr(handle: i64, channel: u32, attr: *mut c_void) -> i32 {
    enter("hbn_vnode_set_ochn_attr", || {
        let mut vio = vio();
        let node = vio.node(handle)?;
        if attr.is_null() {
            return Err(NULL);
        }
        if node.kind != node::VSE {
            node.outputs.entry(channel).or_default();
            return Ok(());
        }
        let attr = read(attr.cast::<VseOutputAttr>())?;
        check_scaling(node.input.ok_or(ATTRIBUTE)?, channel, &attr)?;
        node.outputs.entry(channel).or_default().attr = Some(attr);
        Ok(())
    })
}

/// What the scaler can do.
fn check_scaling((width, height): (u32, u32), channel: u32, attr: &VseOutputAttr) -> Answer {
    let Rect { x, y, w, h } = attr.roi;
    let inside = |start: u32, length: u32, whole: u32| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
    };
    let even = [x, y, w, h, attr.target_w, attr.target_h].iter().all(|side| side % 2 == 0);
    let (target_w, target_h) = (attr.target_w, attr.target_h);
    let scale = match channel {
        0..=4 => {
            let (most_w, most_h) = DOWN[channel as usize];
            target_w <= w && target_h <= h && target_w <= most_w && target_h <= most_h
        }
        5 => target_w >= w && target_h >= h,
        _ => return Err(OUTPUT),
    };
    let fits = inside(x, w, width) && inside(y, h, height) && target_w > 0 && target_h > 0;
    let strides = attr.y_stride == 0 || attr.y_stride >= target_w;
    if fits && even && scale && strides && attr.fmt == frame_format::NV12 {
        Ok(())
    } else {
        Err(ATTRIBUTE)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_set_ochn_buf_attr(
    handle: i64,
    channel: u32,
    attr: *mut BufAttr,
) -> i32 {
    enter("hbn_vnode_set_ochn_buf_attr", || {
        let mut vio = vio();
        let node = vio.node(handle)?;
        if node.kind != node::VSE {
            return Err(NOT_SUPPORTED);
        }
        let attr = read(attr)?;
        if !(1..=BUFFERS).contains(&attr.buffers_num) {
            return Err(PARAMETER);
        }
        node.outputs.get_mut(&channel).ok_or(OUTPUT)?.buffers = Some(attr);
        Ok(())
    })
}
