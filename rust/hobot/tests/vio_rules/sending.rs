//! Waiting by a descriptor, and pictures that programs send into a scaler.

use super::*;
use framelane_hobot::{Format, GraphicBuffer, Memory, Picture};
use framelane_hobot_sys::{FlowVersion, GraphicBuf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;

/// Whether a descriptor can be read from within a time.
fn readable(fd: i32, time: Duration) -> bool {
    // SAFETY: the descriptor is the library's while its flow runs, which it does during the call.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&time)).unwrap() > 0
}

#[test]
fn a_descriptor_can_be_polled_for_frames() {
    let _board = board();
    let chain = Chain::running();
    let mut fd = -1;
    let node = chain.vse();
    assert_eq!(call!(vpf.hbn_vnode_get_fd(node, 0, std::ptr::null_mut())), -8);
    assert_eq!(call!(vpf.hbn_vnode_get_fd(node, 3, &mut fd)), -23);
    assert_eq!(call!(vpf.hbn_vnode_get_fd(node, 0, &mut fd)), 0);
    for _ in 0..2 {
        assert!(readable(fd, common::DEADLINE));
        chain.get(1).unwrap();
    }
    assert!(!readable(fd, Duration::from_millis(30)), "both buffers are held");
    let mut again = -1;
    assert_eq!(call!(vpf.hbn_vnode_get_fd(node, 0, &mut again)), 0);
    assert_eq!(fd, again);
}

#[test]
fn the_interface_has_a_version() {
    let _board = board();
    let mut version = FlowVersion::zeroed();
    assert_eq!(call!(vpf.hbn_vflow_get_version(&mut version)), 0);
    assert_eq!((version.major, version.minor), (1, 0));
}

/// A scaler alone, with two buffers on channel 0, and running.
struct Scaler {
    node: i64,
    flow: i64,
}

impl Scaler {
    fn running() -> Self {
        let (mut node, mut flow) = (0, 0);
        assert_eq!(call!(vpf.hbn_vnode_open(2, 0, -1, &mut node)), 0);
        assert_eq!(call!(vpf.hbn_vnode_set_attr(node, any(&mut 0u32))), 0);
        let mut input = InputAttr { width: 64, height: 32, ..InputAttr::zeroed() };
        assert_eq!(call!(vpf.hbn_vnode_set_ichn_attr(node, 0, any(&mut input))), 0);
        let mut output = VseOutputAttr {
            chn_en: 1,
            roi: Rect { x: 32, y: 0, w: 32, h: 32 },
            target_w: 16,
            target_h: 16,
            fmt: 2,
            ..VseOutputAttr::zeroed()
        };
        assert_eq!(call!(vpf.hbn_vnode_set_ochn_attr(node, 0, any(&mut output))), 0);
        let mut buffers = BufAttr { flags: 0x11, buffers_num: 2, is_contig: 1 };
        assert_eq!(call!(vpf.hbn_vnode_set_ochn_buf_attr(node, 0, &mut buffers)), 0);
        assert_eq!(call!(vpf.hbn_vflow_create(&mut flow)), 0);
        assert_eq!(call!(vpf.hbn_vflow_add_vnode(flow, node)), 0);
        let scaler = Scaler { node, flow };
        assert_eq!(scaler.send(0, &GraphicBuf::ZERO), -45, "it does not run");
        assert_eq!(call!(vpf.hbn_vflow_start(flow)), 0);
        scaler
    }

    fn send(&self, channel: u32, buffer: &GraphicBuf) -> i32 {
        let mut image = Image { buffer: *buffer, ..Image::zeroed() };
        image.info.frame_id = 7;
        call!(vpf.hbn_vnode_sendframe(self.node, channel, &mut image))
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        call!(vpf.hbn_vflow_destroy(self.flow));
    }
}

/// A picture of 10 on the left and, beyond the middle too, of 90 on the right.
fn picture(board: &common::Board, memory: &Memory) -> GraphicBuffer {
    let flags = 0x11 | 0x800_0000;
    let (width, height, format) = (64, 32, Format::NV12);
    let picture = Picture { width, height, format, flags, stride: 0, vstride: 0 };
    let buffer = memory.alloc_graphic(&picture).unwrap();
    let rows = [&[10; 24][..], &[90; 40]].concat().repeat(48);
    board.place.ion().hardware_writes(buffer.raw().share_id[0], 0, &rows).unwrap();
    buffer
}

#[test]
fn a_picture_sent_into_a_scaler_comes_out_scaled() {
    let board = board();
    let memory = Memory::open(Some(&common::folder())).unwrap();
    let scaler = Scaler::running();
    let picture = picture(&board, &memory);
    assert_eq!(scaler.send(0, picture.raw()), 0);
    let mut image = Image::zeroed();
    assert_eq!(call!(vpf.hbn_vnode_getframe(scaler.node, 0, 1000, &mut image)), 0);
    assert_eq!((image.info.frame_id, image.buffer.width), (7, 16));
    let mut seen = [0; 16 * 16 * 3 / 2];
    let read = board.place.ion().hardware_reads(image.buffer.phys_addr[0], &mut seen);
    read.unwrap().unwrap();
    assert_eq!(seen, [90; 16 * 16 * 3 / 2], "its part is the right half");
    assert_eq!(scaler.send(0, picture.raw()), 0);
    assert_eq!(scaler.send(0, picture.raw()), -21, "no buffer is left in time");
    assert_eq!(call!(vpf.hbn_vnode_releaseframe(scaler.node, 0, &mut image)), 0);
    assert_eq!(scaler.send(0, picture.raw()), 0);
}

#[test]
fn what_cannot_be_scaled_is_not_taken() {
    let board = board();
    let memory = Memory::open(Some(&common::folder())).unwrap();
    let scaler = Scaler::running();
    let picture = picture(&board, &memory);
    let raw = *picture.raw();
    assert_eq!(scaler.send(1, &raw), -6, "a second input");
    assert_eq!(scaler.send(0, &GraphicBuf { width: 32, ..raw }), -7, "another size");
    assert_eq!(scaler.send(0, &GraphicBuf { format: 9, ..raw }), -7, "another format");
    drop(picture);
    assert_eq!(scaler.send(0, &raw), -54, "memory that is gone");
    let null = std::ptr::null_mut();
    assert_eq!(call!(vpf.hbn_vnode_sendframe(scaler.node, 0, null)), -8);
    let camera = Chain::running();
    let mut image = Image { buffer: raw, ..Image::zeroed() };
    assert_eq!(call!(vpf.hbn_vnode_sendframe(camera.vse(), 0, &mut image)), -23, "a camera's");
    assert_eq!(call!(vpf.hbn_vnode_sendframe(camera.nodes[1], 0, &mut image)), -23, "an ISP");
}
