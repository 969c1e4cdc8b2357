//! The rules of libvpf and libcam, asked of the libraries themselves: on this machine of the
//! stand-in.
#![allow(unsafe_code, reason = "the libraries without our owners in between")]

mod common;

use common::board;
use framelane_hobot::vio::{CameraSetup, ChannelSetup, Pipeline, SensorSetup, Vio};
use framelane_hobot_sys::{
    AeStatistics, BufAttr, Cam, CameraConfig, Image, InputAttr, MipiConfig, Rect, VinAttr,
    VinInputAttr, Vpf, VseOutputAttr,
};
use framelane_standin_ion::Fault;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const DEQUEUE: i32 = -43;

struct Libraries {
    vpf: Vpf,
    cam: Cam,
}

fn libraries() -> &'static Libraries {
    static LIBRARIES: OnceLock<Libraries> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let folder = common::folder();
        Libraries { vpf: Vpf::open(Some(&folder)).unwrap(), cam: Cam::open(Some(&folder)).unwrap() }
    })
}

/// Calls a function of one of the libraries.
macro_rules! call {
    ($library:ident.$function:ident($($argument:expr),*)) => {{
        let function = libraries().$library.$function().unwrap();
        // SAFETY: each pointer is a reference to a place that lives during the call, of the type
        // that this kind of processor takes.
        unsafe { function($($argument),*) }
    }};
}

#[path = "vio_rules/buffers.rs"]
mod buffers;
#[path = "vio_rules/sending.rs"]
mod sending;

fn any<T>(value: &mut T) -> *mut c_void {
    std::ptr::from_mut(value).cast()
}

/// A sensor of 320x240 whose chain is complete up to the start.
struct Chain {
    sensor: i64,
    nodes: [i64; 3],
    flow: i64,
}

impl Chain {
    fn new() -> Self {
        let mut sensor = 0;
        // SAFETY: both are plain numbers and pointers, which may be zero.
        let (mut mipi, mut config): (MipiConfig, CameraConfig) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        (mipi.rx_enable, mipi.fps, mipi.width, mipi.height) = (1, 100, 320, 240);
        config.name[..6].copy_from_slice(b"imx219");
        (config.addr, config.fps, config.width, config.height) = (0x10, 100, 320, 240);
        config.mipi_cfg = &mut mipi;
        assert_eq!(call!(cam.hbn_camera_create(&mut config, &mut sensor)), 0);
        let nodes = [0, 1, 2].map(|kind| {
            let mut node = 0;
            assert_eq!(call!(vpf.hbn_vnode_open(kind, 0, -1, &mut node)), 0);
            node
        });
        let [vin, isp, vse] = nodes;
        let mut input = InputAttr { width: 320, height: 240, ..InputAttr::zeroed() };
        assert_eq!(call!(vpf.hbn_vnode_set_attr(vin, any(&mut VinAttr::zeroed()))), 0);
        let mut raw = VinInputAttr { format: 0x2B, width: 320, height: 240 };
        assert_eq!(call!(vpf.hbn_vnode_set_ichn_attr(vin, 0, any(&mut raw))), 0);
        for node in [isp, vse] {
            assert_eq!(call!(vpf.hbn_vnode_set_attr(node, any(&mut [0u32; 8]))), 0);
            assert_eq!(call!(vpf.hbn_vnode_set_ichn_attr(node, 0, any(&mut input))), 0);
        }
        let mut flow = 0;
        assert_eq!(call!(vpf.hbn_vflow_create(&mut flow)), 0);
        for node in nodes {
            assert_eq!(call!(vpf.hbn_vflow_add_vnode(flow, node)), 0);
        }
        for (from, out, to) in [(vin, 1, isp), (isp, 0, vse)] {
            assert_eq!(call!(vpf.hbn_vflow_bind_vnode(flow, from, out, to, 0)), 0);
        }
        Chain { sensor, nodes, flow }
    }

    /// Two buffers on channel 0, and running.
    fn running() -> Self {
        Chain::running_with(0x11)
    }

    /// The same in buffers of these flags.
    fn running_with(flags: i64) -> Self {
        let chain = Chain::new();
        assert_eq!(chain.scale(0, 64, 48), 0);
        let mut buffers = BufAttr { flags, buffers_num: 2, is_contig: 1 };
        assert_eq!(call!(vpf.hbn_vnode_set_ochn_buf_attr(chain.vse(), 0, &mut buffers)), 0);
        assert_eq!(call!(cam.hbn_camera_attach_to_vin(chain.sensor, chain.nodes[0])), 0);
        assert_eq!(call!(vpf.hbn_vflow_start(chain.flow)), 0);
        chain
    }

    fn vse(&self) -> i64 {
        self.nodes[2]
    }

    fn scale(&self, channel: u32, width: u32, height: u32) -> i32 {
        let mut attr = VseOutputAttr {
            chn_en: 1,
            roi: Rect { x: 0, y: 0, w: 320, h: 240 },
            target_w: width,
            target_h: height,
            fmt: 2,
            ..VseOutputAttr::zeroed()
        };
        call!(vpf.hbn_vnode_set_ochn_attr(self.vse(), channel, any(&mut attr)))
    }

    fn get(&self, timeout_ms: u32) -> Result<Image, i32> {
        let mut image = Image::zeroed();
        match call!(vpf.hbn_vnode_getframe(self.vse(), 0, timeout_ms, &mut image)) {
            0 => Ok(image),
            code => Err(code),
        }
    }

    fn release(&self, image: &Image) -> i32 {
        call!(vpf.hbn_vnode_releaseframe(self.vse(), 0, &mut { *image }))
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        call!(vpf.hbn_vflow_destroy(self.flow));
        assert_eq!(call!(cam.hbn_camera_destroy(self.sensor)), 0);
    }
}

#[test]
fn a_frame_is_given_back_once() {
    let _board = board();
    let chain = Chain::running();
    let image = chain.get(1000).unwrap();
    assert_eq!(chain.release(&image), 0);
    assert_eq!(chain.release(&image), -45, "the hardware has it");
    let mut wrong = chain.get(1000).unwrap();
    for index in [-1, 2, i32::MAX] {
        wrong.info.bufferindex = index;
        assert_eq!(chain.release(&wrong), -44);
    }
    let null = std::ptr::null_mut();
    assert_eq!(call!(vpf.hbn_vnode_releaseframe(chain.vse(), 0, null)), -8);
}

#[test]
fn only_the_index_of_a_frame_counts_when_it_is_given_back() {
    let _board = board();
    let chain = Chain::running();
    let image = chain.get(1000).unwrap();
    let mut only = Image::zeroed();
    only.info.bufferindex = image.info.bufferindex;
    assert_eq!(chain.release(&only), 0);
}

#[test]
fn whatever_keeps_a_frame_from_coming_is_one_number() {
    let _board = board();
    let chain = Chain::running();
    let held = [chain.get(1000).unwrap(), chain.get(1000).unwrap()];
    assert_eq!(chain.get(30).err(), Some(DEQUEUE), "no buffer is left");
    assert_eq!(chain.release(&held[0]), 0);
    chain.get(1000).unwrap();
    assert_eq!(call!(vpf.hbn_vflow_stop(chain.flow)), 0);
    let start = Instant::now();
    assert_eq!(chain.get(0).err(), Some(DEQUEUE), "the flow is stopped");
    assert!(start.elapsed() < Duration::from_secs(4), "at once");
    let mut image = Image::zeroed();
    assert_eq!(call!(vpf.hbn_vnode_getframe(-5, 0, 1, &mut image)), -1);
    assert_eq!(call!(vpf.hbn_vnode_getframe(chain.vse(), 3, 1, &mut image)), -23);
    assert_eq!(call!(vpf.hbn_vnode_getframe(chain.nodes[1], 0, 1, &mut image)), -23);
    assert_eq!(call!(vpf.hbn_vnode_getframe(chain.vse(), 0, 1, std::ptr::null_mut())), -8);
}

/// As the library takes it, 0 is four seconds and not none.
#[test]
fn no_time_to_wait_is_a_long_one() {
    let _board = board();
    let chain = Chain::running();
    let image = chain.get(0).unwrap();
    assert_eq!(chain.release(&image), 0);
    let image = chain.get(5000).unwrap();
    assert_eq!(chain.release(&image), 0);
}

#[test]
fn the_scaler_refuses_what_it_cannot_do() {
    let _board = board();
    let chain = Chain::new();
    for (what, code) in [
        ("down on the channel that scales up", chain.scale(5, 64, 48)),
        ("up on one that scales down", chain.scale(0, 640, 480)),
        ("an odd size", chain.scale(0, 63, 48)),
        ("nothing", chain.scale(0, 0, 48)),
    ] {
        assert_eq!(code, -10, "{what}");
    }
    assert_eq!(chain.scale(6, 64, 48), -5, "no such channel");
    assert_eq!(chain.scale(5, 640, 480), 0);
}

#[test]
fn a_flow_starts_only_when_it_is_whole() {
    let board = board();
    let chain = Chain::new();
    assert_eq!(chain.scale(0, 64, 48), 0);
    assert_eq!(call!(vpf.hbn_vflow_start(chain.flow)), -36, "no sensor");
    assert_eq!(call!(cam.hbn_camera_attach_to_vin(chain.sensor, chain.nodes[1])), -2, "no VIN");
    assert_eq!(call!(cam.hbn_camera_attach_to_vin(chain.sensor, chain.nodes[0])), 0);
    assert_eq!(call!(vpf.hbn_vflow_start(chain.flow)), -16, "no buffers");
    let mut told = AeStatistics::zeroed();
    assert_eq!(call!(vpf.hbn_isp_get_ae_statistics(chain.nodes[1], &mut told)), 0);
    assert_eq!(call!(vpf.hbn_isp_get_ae_statistics(chain.vse(), &mut told)), -2);
    drop(chain);
    assert!(board.ids().is_empty());
}

fn open_vin() -> i64 {
    let mut node = 0;
    assert_eq!(call!(vpf.hbn_vnode_open(0, 0, -1, &mut node)), 0);
    node
}

/// Whatever was opened between two processors of our own has a number between theirs.
#[test]
fn a_camera_that_does_not_come_up_leaves_no_processor_open() {
    let board = board();
    let vio = Vio::open(Some(&common::folder())).unwrap();
    let sensor = SensorSetup { width: 320, height: 240, fps: 100, ..SensorSetup::default() };
    let (width, height) = (64, 48);
    let channel = ChannelSetup { number: 0, width, height, crop: None, buffers: 3, cached: true };
    let setup = CameraSetup { host: 0, sensor, channels: vec![channel] };
    for function in ["hbn_vnode_open", "hbn_vflow_add_vnode"] {
        for done in 0..3 {
            let before = open_vin();
            board.place.ion().plan(Fault::of(function, -10).after(done)).unwrap();
            assert_eq!(Pipeline::start(&vio, &setup).err().unwrap().code(), Some(-10));
            let after = open_vin();
            for node in before + 1..after {
                let code = call!(vpf.hbn_vnode_set_attr(node, any(&mut VinAttr::zeroed())));
                assert_eq!(code, -1, "{function} after {done}: {node} is open");
            }
            call!(vpf.hbn_vnode_close(before));
            call!(vpf.hbn_vnode_close(after));
        }
    }
}
