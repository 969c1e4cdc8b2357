//! A small stream lane.

use super::Scene;
use framelane::layout::RecordFlag;
use framelane::{Codec, RecordInfo, StreamConfig, StreamWriter, StreamWriterOptions};

pub fn writer(scene: &Scene) -> StreamWriter {
    let config = StreamConfig::video(Codec::H264, 640, 480);
    let options = StreamWriterOptions::new(config).data_bytes(1 << 20).lossless(true);
    StreamWriter::create("video", options.directory(scene.directory())).unwrap()
}

pub fn write(writer: &StreamWriter, key: bool) {
    let flags = if key { RecordFlag::KEY } else { 0 };
    let info = RecordInfo { flags, capture_id: 9, ..RecordInfo::new() };
    writer.write(&info, &[&[7; 1000]]).unwrap();
}
