//! Compressed pictures of a camera, as the records of a stream lane.

use super::Config;
use super::format::Picture;
use crate::error::Result;
use crate::video::VideoSplitter;
use framelane::layout::RecordFlag;
use framelane::{Codec, RecordInfo, StreamConfig, StreamWriter, StreamWriterOptions};
use std::sync::{Mutex, PoisonError};

/// Room for so many of the largest pictures a camera may give.
const PICTURES: u64 = 8;

/// A stream lane, and what takes the camera's buffers apart.
pub struct Records {
    writer: StreamWriter,
    codec: Codec,
    splitter: Mutex<VideoSplitter>,
}

impl Records {
    /// Makes the lane.
    pub fn create(config: &Config, codec: Codec, picture: &Picture) -> Result<Self> {
        let described = StreamConfig::video(codec, picture.width, picture.height);
        let options = StreamWriterOptions::new(described)
            .data_bytes((picture.bytes() * PICTURES).max(8 << 20))
            .access(config.access)
            .trust(config.trust)
            .directory(config.directory.clone());
        let writer = StreamWriter::create(&config.lane, options)?;
        let splitter = Mutex::new(VideoSplitter::new(Some(codec))?);
        Ok(Records { writer, codec, splitter })
    }

    /// Whether pictures of this codec belong here.
    pub fn takes(&self, codec: Codec) -> bool {
        self.codec == codec
    }

    /// Writes what one buffer holds: whole pictures, as V4L2 has it. The number of records.
    pub fn write(&self, bytes: &[u8], info: &RecordInfo) -> Result<u64> {
        let mut splitter = self.splitter.lock().unwrap_or_else(PoisonError::into_inner);
        splitter.push(bytes, 0);
        splitter.finish();
        let mut written = 0;
        while let Some(unit) = splitter.take() {
            let unit = match unit {
                Ok(unit) => unit,
                Err(error) => {
                    tracing::debug!(%error, "a picture that is none");
                    continue;
                }
            };
            if let Some(parameters) = &unit.parameters {
                self.writer.set_config(&parameters.config()?)?;
            }
            let flags = info.flags & RecordFlag::DISCONTINUITY | unit.flags();
            self.writer.write(&RecordInfo { flags, ..*info }, &[&unit.bytes])?;
            written += 1;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v4l2::abi::{CAPTURE, fourcc};
    use crate::v4l2::format;
    use framelane::{StreamReader, StreamReaderOptions};
    use std::time::Duration;

    fn jpeg(width: u32, value: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let pixels = vec![value; width as usize * 16];
        image::codecs::jpeg::JpegEncoder::new(&mut bytes)
            .encode(&pixels, width, 16, image::ExtendedColorType::L8)
            .unwrap();
        bytes
    }

    #[test]
    fn pictures_of_a_motion_jpeg_camera_become_records() {
        let place = tempfile::tempdir().unwrap();
        let directory = Some(place.path().to_owned());
        let config = Config { directory: directory.clone(), ..Config::new("cam", "/dev/null") };
        let mut format = format::request(CAPTURE, fourcc(b"MJPG"), (32, 16));
        format.words[5] = 4096;
        let picture = Picture::read(&format).unwrap();
        let records = Records::create(&config, Codec::Jpeg, &picture).unwrap();
        let options = StreamReaderOptions::new().directory(directory);
        let mut reader = StreamReader::open("cam", options).unwrap();
        let pictures = [jpeg(32, 10), jpeg(32, 200), jpeg(64, 90)];
        for (number, bytes) in (1..).zip(&pictures) {
            // A driver may leave what an older picture has left behind the newer one.
            let filled = [&bytes[..], &[0; 100]].concat();
            let mut info = RecordInfo::new();
            (info.capture_id, info.pts_ns) = (number, 1000 * number as i64);
            assert_eq!(records.write(&filled, &info).unwrap(), 1);
        }
        for (number, bytes) in (1..).zip(&pictures) {
            let record = reader.next(Duration::from_secs(20)).unwrap().expect("a record");
            assert_eq!(record.bytes(), bytes, "picture {number}");
            assert_eq!((record.info().capture_id, record.info().is_key()), (number, true));
        }
        assert_eq!(records.write(&[0; 64], &RecordInfo::new()).unwrap(), 0, "no picture");
        assert!(records.takes(Codec::Jpeg) && !records.takes(Codec::H264));
    }
}
