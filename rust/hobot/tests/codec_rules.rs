//! The rules of libmultimedia about what may be called and given, asked of the library itself: on
//! this machine of the stand-in.
#![allow(unsafe_code, reason = "the library without our owners in between")]

mod common;
#[path = "common/codec.rs"]
mod pictures;
#[path = "common/raw_codec.rs"]
mod raw_codec;

use common::board;
use framelane_hobot_sys::codec::{Callbacks, Context, MediaBuffer, id, state};
use framelane_hobot_sys::media;
use framelane_standin_ion::Fault;
use pictures::shown;
use raw_codec::{Encoder, SECONDS, call, picture, point};
use std::ffi::c_void;

extern "C" fn nothing(_: *mut c_void, _: *mut MediaBuffer) {}

#[test]
fn calls_are_allowed_in_their_order_only() {
    let _board = board();
    let mut encoder = Encoder::new(id::H264, true);
    let none = &mut MediaBuffer::zeroed();
    assert_eq!(encoder.state(), state::UNINITIALIZED);
    assert_eq!(call!(hb_mm_mc_configure(encoder.context())), media::INVALID_INSTANCE);
    assert_eq!(call!(hb_mm_mc_initialize(encoder.context())), 0);
    assert_eq!((encoder.state(), encoder.0.instance_index), (state::INITIALIZED, 0));
    let not_now = media::OPERATION_NOT_ALLOWED;
    assert_eq!(call!(hb_mm_mc_initialize(encoder.context())), not_now, "twice");
    assert_eq!(encoder.start(), not_now);
    assert_eq!(call!(hb_mm_mc_stop(encoder.context())), not_now);
    assert_eq!(call!(hb_mm_mc_configure(encoder.context())), 0);
    assert_eq!((encoder.state(), encoder.place(0).err()), (state::CONFIGURED, Some(not_now)));
    let late = Callbacks { on_input_buffer_consumed: Some(nothing), ..Callbacks::NONE };
    let context = encoder.context();
    let listen = call!(hb_mm_mc_set_input_buffer_listener(context, &late, std::ptr::null_mut()));
    assert_eq!(listen, not_now, "after configuring");
    assert_eq!(encoder.start(), 0);
    assert_eq!(encoder.state(), state::STARTED);
    assert_eq!(call!(hb_mm_mc_pause(encoder.context())), 0);
    assert_eq!((encoder.state(), encoder.queue(*none)), (state::PAUSED, not_now));
    assert_eq!(encoder.unit(0).err(), Some(not_now));
    assert_eq!(encoder.start(), 0, "it goes on");
    assert_eq!(call!(hb_mm_mc_stop(encoder.context())), 0);
    assert_eq!(encoder.state(), state::INITIALIZED);
    assert_eq!(encoder.start(), not_now, "it must be configured again");
    assert_eq!(call!(hb_mm_mc_configure(encoder.context())), 0);
    assert_eq!(call!(hb_mm_mc_release(encoder.context())), 0);
    assert_eq!(encoder.state(), state::UNINITIALIZED);
    assert_eq!(call!(hb_mm_mc_release(encoder.context())), media::INVALID_INSTANCE);
    assert_eq!(
        call!(hb_mm_mc_start(std::ptr::null_mut(), std::ptr::null())),
        media::INVALID_PARAMS
    );
}

#[test]
fn there_are_thirty_two_instances() {
    let _board = board();
    let mut all: Vec<_> = (0..32).map(|_| Encoder::initialized(id::H265, true)).collect();
    let mut more = Encoder::new(id::H264, true);
    assert_eq!(call!(hb_mm_mc_initialize(more.context())), media::NO_FREE_INSTANCE);
    drop(all.remove(5));
    assert_eq!(call!(hb_mm_mc_initialize(more.context())), 0);
    assert_eq!(more.0.instance_index, 5);
}

#[test]
fn what_the_codec_cannot_do_is_refused_when_it_is_configured() {
    let _board = board();
    let configured = |change: fn(&mut Context)| {
        let mut encoder = Encoder::initialized(id::H264, true);
        change(encoder.context());
        call!(hb_mm_mc_configure(encoder.context()))
    };
    assert_eq!(configured(|_| {}), 0);
    let wrong: [fn(&mut Context); 8] = [
        |c| c.params.width = 0,
        |c| c.params.height = 47,
        |c| c.params.frame_buf_count = 0,
        |c| c.params.frame_buf_count = 32,
        |c| c.params.bitstream_buf_count = 0,
        |c| c.params.bitstream_buf_size = (64 << 10) + 1,
        |c| c.params.gop_preset_idx = 2, // the default, with more than one reference
        |c| c.params.rate_control.params[3] = 0,
    ];
    for change in wrong {
        assert_eq!(configured(change), media::INVALID_PARAMS);
    }
    assert_eq!(configured(|c| c.params.rate_control.mode = 1), media::UNSUPPORTED_FEATURE);
    let mut context = Context::zeroed();
    let none = call!(hb_mm_mc_get_default_context(9, 1, &mut context));
    assert_eq!(none, media::CODEC_NOT_FOUND);
}

#[test]
fn pictures_of_other_memory_are_for_external_buffers_only() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, false);
    let own = encoder.place(0).unwrap();
    assert_eq!((own.kind, own.hole, own.frame.stride, own.frame.vstride), (0, 0, 64, 0));
    assert_eq!(own.frame.comp_size, [64 * 48, 64 * 24, 0]);
    let mut place = own;
    point(&mut place, &picture);
    assert_eq!(encoder.queue(place), media::INVALID_BUFFER, "the pet camera's mistake");
    assert_eq!(encoder.queue(own), 0, "the place was not lost");
    let (unit, _) = encoder.unit(SECONDS).unwrap();
    assert_eq!(encoder.back(unit), 0);
    drop(encoder);
    let mut encoder = Encoder::running(id::H264, true);
    assert!(shown("h264", &encoder.encode(&picture, 5), 64, 48, 100));
}

#[test]
fn an_external_picture_must_be_in_memory_of_the_board() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, true);
    let good = {
        let mut place = encoder.place(0).unwrap();
        assert_eq!(place.frame.vir_ptr, [0; 3], "it has no memory of its own");
        point(&mut place, &picture);
        place
    };
    let wrong: [fn(&mut MediaBuffer); 9] = [
        |b| b.kind = 1,
        |b| b.frame.vir_ptr[0] = 0,
        |b| b.frame.phy_ptr[0] = 0,
        |b| b.frame.phy_ptr[1] += 4096, // past the end
        |b| b.frame.phy_ptr[0] = 0x1000,
        |b| b.frame.width = 62,
        |b| b.frame.stride = 32,
        |b| b.frame.src_idx = 1, // not out
        |b| b.frame.src_idx = 9,
    ];
    for (index, change) in wrong.into_iter().enumerate() {
        let mut place = good;
        change(&mut place);
        assert_eq!(encoder.queue(place), media::INVALID_BUFFER, "{index}");
    }
    assert_eq!(encoder.queue(good), 0);
    assert_eq!(encoder.queue(good), media::INVALID_BUFFER, "it is the codec's now");
    encoder.unit(SECONDS).unwrap();
    let mut place = encoder.place(SECONDS).unwrap();
    point(&mut place, &picture);
    drop(picture);
    assert_eq!(encoder.queue(place), media::INVALID_BUFFER, "freed");
}

#[test]
fn a_plane_without_a_size_and_memory_that_is_gone_fail_in_the_hardware() {
    let board = board();
    let first = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, true);
    let mut place = encoder.place(0).unwrap();
    point(&mut place, &first);
    place.frame.comp_size = [0; 3]; // a struct that was cleared after it was given
    assert_eq!(encoder.queue(place), 0);
    assert_eq!(encoder.unit(SECONDS).err(), Some(media::CODING_FAILED));
    board.place.ion().plan(Fault::of("coding", 0).delay_ms(1500)).unwrap();
    let mut place = encoder.place(SECONDS).unwrap();
    point(&mut place, &first);
    assert_eq!(encoder.queue(place), 0);
    drop(first);
    assert_eq!(encoder.unit(SECONDS).err(), Some(media::CODING_FAILED));
    let again = picture(&board, 50);
    assert!(shown("h264", &encoder.encode(&again, 1), 64, 48, 50), "others go well");
}

#[test]
fn buffers_go_out_and_back_in_pairs_and_who_waits_has_a_time() {
    let board = board();
    let picture = picture(&board, 100);
    let mut encoder = Encoder::running(id::H264, true);
    assert_eq!(encoder.unit(10).err(), Some(media::WAIT_TIMEOUT));
    let places = [encoder.place(0).unwrap(), encoder.place(0).unwrap()];
    assert_eq!(encoder.place(0).err(), Some(media::WAIT_TIMEOUT));
    assert_eq!(encoder.place(10).err(), Some(media::WAIT_TIMEOUT));
    for mut place in places {
        point(&mut place, &picture);
        assert_eq!(encoder.queue(place), 0);
    }
    let units = [encoder.unit(-1).unwrap().0, encoder.unit(SECONDS).unwrap().0];
    for _ in 0..2 {
        let mut place = encoder.place(SECONDS).unwrap();
        point(&mut place, &picture);
        assert_eq!(encoder.queue(place), 0);
    }
    assert_eq!(encoder.unit(100).err(), Some(media::WAIT_TIMEOUT), "no place for a unit");
    assert_eq!(encoder.place(0).err(), Some(media::WAIT_TIMEOUT), "and so none is read");
    assert_eq!(encoder.back(MediaBuffer { kind: 0, ..units[0] }), media::INVALID_BUFFER);
    assert_eq!(encoder.back(units[0]), 0);
    assert_eq!(encoder.back(units[0]), media::INVALID_BUFFER, "twice");
    let (third, _) = encoder.unit(SECONDS).unwrap();
    assert_eq!(encoder.back(third), 0);
    assert_eq!(encoder.back(units[1]), 0);
    encoder.unit(SECONDS).unwrap();
}

#[test]
fn who_waits_is_told_when_the_codec_stops() {
    let _board = board();
    let mut encoder = Encoder::running(id::H264, true);
    let context = std::ptr::from_mut(encoder.context()) as usize;
    let stop = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        call!(hb_mm_mc_stop(context as *mut Context))
    });
    assert_eq!(encoder.unit(-1).err(), Some(media::OPERATION_NOT_ALLOWED));
    assert_eq!(stop.join().unwrap(), 0);
}
