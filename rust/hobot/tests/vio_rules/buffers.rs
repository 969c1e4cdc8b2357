//! What is in the buffers of an output, and whose they are.

use super::*;
use framelane::ErrorKind;
use framelane_standin_ion::luma;
use std::collections::BTreeSet;

const CACHED: i64 = 0x400_0000;

fn byte(address: u64) -> u8 {
    // SAFETY: an address of a frame whose flow runs, which keeps it mapped.
    unsafe { (address as *const u8).read_volatile() }
}

#[test]
fn an_output_has_a_few_fixed_buffers_that_are_fresh_when_they_come() {
    let board = board();
    for flags in [0x11, 0x11 | CACHED] {
        let chain = Chain::running_with(flags);
        let mut seen = BTreeSet::new();
        for _ in 0..8 {
            let image = chain.get(1000).unwrap();
            let buffer = image.buffer;
            let value = luma(0, 0, image.info.frame_id);
            assert_eq!(byte(buffer.virt_addr[0]), value, "{flags:#x}");
            assert_eq!(byte(buffer.virt_addr[1]), value + 1);
            assert_eq!((buffer.is_contig, buffer.share_id[1]), (1, 0));
            seen.insert((buffer.share_id[0], buffer.phys_addr[0], buffer.virt_addr[0]));
            // The kernel module and the library.
            assert_eq!(board.counts(buffer.share_id[0]), (2, 0));
            assert_eq!(chain.release(&image), 0);
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}

#[test]
fn the_hardware_overwrites_what_it_is_given_back() {
    let _board = board();
    let chain = Chain::running();
    let image = chain.get(1000).unwrap();
    let address = image.buffer.virt_addr[0];
    let value = byte(address);
    assert_eq!(chain.release(&image), 0);
    assert_ne!(byte(address), value, "a mapping protects nothing");
}

#[test]
fn a_forked_child_gets_nothing_of_the_camera() {
    let board = board();
    let vio = Vio::open(Some(&common::folder())).unwrap();
    let sensor = SensorSetup { width: 320, height: 240, fps: 100, ..SensorSetup::default() };
    let (width, height) = (64, 48);
    let channel = ChannelSetup { number: 0, width, height, crop: None, buffers: 3, cached: true };
    let setup = CameraSetup { host: 0, sensor, channels: vec![channel] };
    let camera = Pipeline::start(&vio, &setup).unwrap();
    let second = Duration::from_secs(1);
    let frame = camera.get(0, second).unwrap();
    // SAFETY: the child calls what refuses it and ends without running anything of ours.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let forked = |error: framelane_hobot::Error| error.kind() == ErrorKind::Forked;
        let all = camera.get(0, second).err().is_some_and(forked)
            && camera.brightness().err().is_some_and(forked)
            && Pipeline::start(&vio, &setup).err().is_some_and(forked);
        drop((frame, camera, vio));
        // SAFETY: ends the child.
        unsafe { libc::_exit(if all { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: a place for the answer that lives during the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child was refused everything");
    let id = frame.buffer().share_id[0];
    assert_eq!(board.counts(id), (2, 0), "and gave nothing back");
    drop(frame);
    camera.get(0, second).unwrap();
}
