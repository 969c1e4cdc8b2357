//! The rules of libmultimedia about what comes out and when, asked of the library itself: on this
//! machine of the stand-in.
#![allow(unsafe_code, reason = "the library without our owners in between")]

mod common;
#[path = "common/codec.rs"]
mod pictures;
#[path = "common/raw_codec.rs"]
mod raw_codec;

use common::{board, folder};
use framelane_hobot_sys::codec::{Callbacks, MediaBuffer, RateControl, id, state};
use framelane_hobot_sys::{CommonBuf, Hbmem, media};
use framelane_standin_ion::Fault;
use pictures::{decoded, picture_of, shown};
use raw_codec::{Encoder, SECONDS, bytes, call, memory, picture, point};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

static CONSUMED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn count(_: *mut c_void, buffer: *mut MediaBuffer) {
    // SAFETY: the library gives the buffer of a picture.
    CONSUMED.store(unsafe { (*buffer).user_ptr }, Ordering::SeqCst);
}

#[test]
fn a_picture_is_told_to_be_consumed_when_it_is_and_not_before() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::initialized(id::H264, true);
    let callbacks = Callbacks { on_input_buffer_consumed: Some(count), ..Callbacks::NONE };
    let context = encoder.context();
    let listen =
        call!(hb_mm_mc_set_input_buffer_listener(context, &callbacks, std::ptr::null_mut()));
    assert_eq!(listen, 0);
    assert_eq!(call!(hb_mm_mc_configure(encoder.context())), 0);
    assert_eq!(encoder.start(), 0);
    board.place.ion().plan(Fault::of("coding", 0).delay_ms(1500)).unwrap();
    let mut place = encoder.place(0).unwrap();
    point(&mut place, &picture);
    place.user_ptr = 77;
    assert_eq!(encoder.queue(place), 0);
    assert_eq!(CONSUMED.load(Ordering::SeqCst), 0, "the hardware has not got to it");
    let (unit, _) = encoder.unit(SECONDS).unwrap();
    assert_eq!((CONSUMED.load(Ordering::SeqCst), unit.user_ptr), (77, 77));
}

#[test]
fn each_picture_is_one_unit_and_a_wish_makes_the_next_an_idr() {
    let board = board();
    for (codec, name, idr, p) in [(id::H264, "h264", 5, 1), (id::H265, "hevc", 19, 1)] {
        let mut encoder = Encoder::running(codec, true);
        let mut stream = Vec::new();
        let mut kinds = Vec::new();
        for number in 0..8u64 {
            if number == 5 {
                assert_eq!(call!(hb_mm_mc_request_idr_frame(encoder.context())), 0);
            }
            let picture = picture(&board, 40 + 20 * number as u8);
            let mut place = encoder.place(SECONDS).unwrap();
            point(&mut place, &picture);
            place.frame.pts = number;
            assert_eq!(encoder.queue(place), 0);
            let (unit, info) = encoder.unit(SECONDS).unwrap();
            kinds.push(info.nalu_type);
            stream.push(bytes(&unit));
            assert_eq!(encoder.back(unit), 0);
        }
        assert_eq!(kinds, [idr, p, p, p, p, idr, p, p], "{name}");
        assert!(shown(name, &stream.concat(), 64, 48, 180), "all of it");
        assert_eq!(decoded(name, &stream.concat()).len(), 8 * 64 * 48 * 3 / 2, "none lost");
        assert!(shown(name, &stream[5..].concat(), 64, 48, 180), "from the wish on");
    }
}

#[test]
fn the_group_of_pictures_is_as_long_as_asked() {
    let board = board();
    let picture = picture(&board, 90);
    let mut encoder = Encoder::initialized(id::H264, true);
    encoder.context().params.rate_control.params[0] = 3;
    assert_eq!(call!(hb_mm_mc_configure(encoder.context())), 0);
    assert_eq!(encoder.start(), 0);
    let sets = |unit: Vec<u8>| unit.starts_with(&[0, 0, 0, 1, 0x67]);
    let keys: Vec<bool> = (0..7).map(|pts| sets(encoder.encode(&picture, pts))).collect();
    assert_eq!(keys, [true, false, false, true, false, false, true]);
}

#[test]
fn the_rate_can_be_changed_while_it_runs() {
    let _board = board();
    let mut encoder = Encoder::new(id::H264, true);
    let mut rate = RateControl::zeroed();
    let context = encoder.context();
    assert_eq!(call!(hb_mm_mc_get_rate_control_config(context, &mut rate)), 0);
    assert_eq!((rate.cbr().intra_period, rate.cbr().bit_rate), (28, 1000), "the defaults");
    let early = call!(hb_mm_mc_set_rate_control_config(context, &rate));
    assert_eq!(early, media::INVALID_INSTANCE);
    drop(encoder);
    let mut encoder = Encoder::running(id::H264, true);
    let picture = picture_of(&memory(), 64, 48, 64, |x, y| ((x * 37) ^ (y * 101)) as u8);
    let context = encoder.context();
    let mut cbr = rate.cbr();
    for (rates, code) in [(4000, 0), (700_001, media::INVALID_PARAMS)] {
        cbr.bit_rate = rates;
        rate.set_cbr(&cbr);
        assert_eq!(call!(hb_mm_mc_set_rate_control_config(context, &rate)), code);
    }
    rate.mode = 5;
    let other = call!(hb_mm_mc_set_rate_control_config(context, &rate));
    assert_eq!(other, media::UNSUPPORTED_FEATURE, "another codec's");
    let large = encoder.encode(&picture, 1).len();
    cbr.bit_rate = 100;
    (rate.mode, _) = (0, rate.set_cbr(&cbr));
    let context = encoder.context();
    assert_eq!(call!(hb_mm_mc_set_rate_control_config(context, &rate)), 0);
    assert!(encoder.encode(&picture, 2).len() < large);
}

#[test]
fn a_unit_is_in_a_buffer_that_other_processes_can_read() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, true);
    let mut place = encoder.place(0).unwrap();
    point(&mut place, &picture);
    assert_eq!(encoder.queue(place), 0);
    let (unit, _) = encoder.unit(SECONDS).unwrap();
    let hbmem = Hbmem::open(Some(&folder())).unwrap();
    let find = hbmem.hb_mem_get_com_buf_with_vaddr().unwrap();
    let mut block = CommonBuf::ZERO;
    // SAFETY: a place for the answer that lives during the call.
    assert_eq!(unsafe { find(unit.stream().vir_ptr, &mut block) }, 0);
    let offset = (unit.stream().vir_ptr - block.virt_addr) as usize;
    assert!(offset > 0, "it does not begin where its buffer does");
    let import = memory().import_common(&CommonBuf { fd: -1, virt_addr: 0, ..block }).unwrap();
    let (address, _) = import.planes()[0];
    // SAFETY: the import's mapping, which is larger than the unit.
    let seen = unsafe {
        let size = unit.stream().size as usize;
        std::slice::from_raw_parts((address + offset) as *const u8, size)
    };
    assert_eq!(seen, bytes(&unit));
}

#[test]
fn jpegs_are_made_of_pictures_too() {
    let board = board();
    let picture = picture(&board, 100);
    for codec in [id::MJPEG, id::JPEG] {
        let mut encoder = Encoder::running(codec, true);
        let mut place = encoder.place(0).unwrap();
        point(&mut place, &picture);
        assert_eq!(encoder.queue(place), 0);
        let (unit, _) = encoder.unit(SECONDS).unwrap();
        let unit = bytes(&unit);
        assert_eq!((&unit[..2], &unit[unit.len() - 2..]), (&[0xff, 0xd8][..], &[0xff, 0xd9][..]));
    }
}

#[test]
fn what_is_under_way_can_be_thrown_away() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, true);
    let mut place = encoder.place(0).unwrap();
    point(&mut place, &picture);
    assert_eq!(encoder.queue(place), 0);
    let (unit, _) = encoder.unit(SECONDS).unwrap();
    assert_eq!(encoder.back(unit), 0);
    board.place.ion().plan(Fault::of("coding", 0).delay_ms(1500)).unwrap();
    for _ in 0..2 {
        let mut place = encoder.place(SECONDS).unwrap();
        point(&mut place, &picture);
        assert_eq!(encoder.queue(place), 0);
    }
    assert_eq!(call!(hb_mm_mc_flush(encoder.context())), 0);
    assert_eq!(encoder.state(), state::STARTED);
    let unit = encoder.encode_after_flush(&picture);
    assert!(shown("h264", &unit, 64, 48, 100), "it begins anew");
}
