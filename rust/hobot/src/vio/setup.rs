//! What a camera is set up with, refused before anything starts where it cannot work.

use crate::error::Result;
use framelane::{Error, ErrorKind};

/// A part of the sensor's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a rectangle, in pixels")]
pub struct Crop {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// The sensor and the wire to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorSetup {
    /// As the vendor's plug-in for it is called.
    pub name: String,
    /// On the I2C bus.
    pub address: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures a second.
    pub fps: u32,
    /// Of the MIPI bus.
    pub lanes: u16,
    /// In Mbit/s of all lanes.
    pub mipi_clock: u16,
    /// In pixels, with blanking.
    pub line_length: u16,
    /// In lines, with blanking.
    pub frame_length: u16,
    /// Tuning of the ISP for this sensor.
    pub calibration: String,
}

impl Default for SensorSetup {
    /// An IMX219 of 1920x1080 at 30 pictures a second.
    fn default() -> Self {
        SensorSetup {
            name: "imx219".into(),
            address: 0x10,
            width: 1920,
            height: 1080,
            fps: 30,
            lanes: 2,
            mipi_clock: 1728,
            line_length: 3448,
            frame_length: 1166,
            calibration: "/usr/hobot/lib/sensor/imx219_1920x1080_tuning.json".into(),
        }
    }
}

/// One output of the scaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSetup {
    /// 0 scales down to at most 4K, 1 and 2 to 1080p, 3 and 4 to 720p, 5 scales up.
    pub number: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Of the sensor's picture; all of it without.
    pub crop: Option<Crop>,
    /// Of its ring.
    pub buffers: u32,
    /// Mapped through the processor's cache.
    pub cached: bool,
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraSetup {
    /// MIPI host it is connected to.
    pub host: u32,
    /// What is there.
    pub sensor: SensorSetup,
    /// What comes out.
    pub channels: Vec<ChannelSetup>,
}

/// Most that the down-scaling outputs give.
const MOST: [(u32, u32); 5] = [(3840, 2160), (1920, 1080), (1920, 1080), (1280, 720), (1280, 720)];

impl ChannelSetup {
    /// The part of the sensor it shows.
    pub fn crop_of(&self, sensor: &SensorSetup) -> Crop {
        let whole = Crop { x: 0, y: 0, width: sensor.width, height: sensor.height };
        self.crop.unwrap_or(whole)
    }

    fn check(&self, sensor: &SensorSetup) -> std::result::Result<(), String> {
        let Crop { x, y, width, height } = self.crop_of(sensor);
        let (w, h) = (self.width, self.height);
        let end = |start: u32, length: u32| u64::from(start) + u64::from(length);
        if width == 0
            || height == 0
            || end(x, width) > sensor.width.into()
            || end(y, height) > sensor.height.into()
        {
            return Err(format!(
                "its crop of {width}x{height} at {x},{y} is not inside the sensor's {}x{}",
                sensor.width, sensor.height
            ));
        }
        if [x, y, width, height, w, h].iter().any(|side| side % 2 != 0) || w == 0 || h == 0 {
            return Err(format!("{w}x{h} of {width}x{height} at {x},{y}: all have to be even"));
        }
        match self.number {
            0..=4 => {
                let (most_w, most_h) = MOST[self.number as usize];
                if w > most_w || h > most_h {
                    return Err(format!("{w}x{h} is over the {most_w}x{most_h} it can give"));
                }
                if w > width || h > height {
                    return Err(format!("it only scales down, and {w}x{h} is over its crop"));
                }
            }
            5 if w < width || h < height => {
                return Err(format!("it only scales up, and {w}x{h} is below its crop"));
            }
            5 => {}
            other => return Err(format!("a scaler has channels 0 to 5, not {other}")),
        }
        if !(3..=16).contains(&self.buffers) {
            let text = "buffers, 3 to 16 can be had: one to fill, one shown, one held";
            return Err(format!("{} {text}", self.buffers));
        }
        Ok(())
    }
}

impl CameraSetup {
    /// Refuses what the hardware cannot do, in words.
    ///
    /// # Errors
    /// `InvalidArgument` naming camera and channel.
    pub fn check(&self) -> Result<()> {
        let wrong = |text: String| {
            let text = format!("camera at host {}: {text}", self.host);
            Err(Error::new(ErrorKind::InvalidArgument, text).into())
        };
        let sensor = &self.sensor;
        if sensor.name.is_empty() || sensor.name.len() > 107 || sensor.calibration.len() > 107 {
            return wrong("names have 1 to 107 bytes".into());
        }
        let fits = |side: u32| (64..=8192).contains(&side) && side % 2 == 0;
        if !fits(sensor.width) || !fits(sensor.height) || !(1..=120).contains(&sensor.fps) {
            let SensorSetup { width, height, fps, .. } = sensor;
            return wrong(format!("a sensor of {width}x{height} at {fps} pictures a second"));
        }
        if ![1, 2, 4].contains(&sensor.lanes) || sensor.mipi_clock == 0 {
            let (lanes, clock) = (sensor.lanes, sensor.mipi_clock);
            return wrong(format!("{lanes} MIPI lanes of {clock} Mbit/s; 1, 2 or 4 can be had"));
        }
        if u32::from(sensor.line_length) < sensor.width
            || u32::from(sensor.frame_length) < sensor.height
        {
            let (line, frame) = (sensor.line_length, sensor.frame_length);
            return wrong(format!("lines of {line} and frames of {frame} are below its picture"));
        }
        if self.channels.is_empty() {
            return wrong("no channel is used".into());
        }
        for (index, channel) in self.channels.iter().enumerate() {
            if self.channels[..index].iter().any(|other| other.number == channel.number) {
                return wrong(format!("channel {} is there twice", channel.number));
            }
            if let Err(text) = channel.check(sensor) {
                return wrong(format!("channel {}: {text}", channel.number));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u32, width: u32, height: u32) -> ChannelSetup {
        ChannelSetup { number, width, height, crop: None, buffers: 3, cached: true }
    }

    fn refusal(channels: Vec<ChannelSetup>) -> String {
        let setup = CameraSetup { host: 2, sensor: SensorSetup::default(), channels };
        setup.check().unwrap_err().to_string()
    }

    #[test]
    fn what_the_hardware_cannot_do_is_refused_in_words() {
        let crop = |x, width| Some(Crop { x, y: 0, width, height: 640 });
        for (channels, words) in [
            (vec![], "no channel"),
            (vec![channel(0, 640, 480), channel(0, 640, 480)], "twice"),
            (vec![channel(3, 1920, 1080)], "1280x720"),
            (vec![channel(5, 640, 480)], "only scales up"),
            (vec![channel(0, 641, 480)], "even"),
            (vec![channel(6, 640, 480)], "0 to 5"),
            (vec![ChannelSetup { buffers: 2, ..channel(0, 640, 480) }], "3 to 16"),
            (vec![ChannelSetup { crop: crop(1600, 640), ..channel(0, 640, 480) }], "not inside"),
            (vec![ChannelSetup { crop: crop(u32::MAX, 2), ..channel(0, 2, 2) }], "not inside"),
            (vec![ChannelSetup { crop: crop(0, 640), ..channel(0, 800, 480) }], "only scales down"),
        ] {
            let text = refusal(channels);
            assert!(text.contains(words) && text.contains("host 2"), "{text}");
        }
        for (sensor, words) in [
            (SensorSetup { lanes: 3, ..SensorSetup::default() }, "3 MIPI lanes"),
            (SensorSetup { mipi_clock: 0, ..SensorSetup::default() }, "of 0 Mbit/s"),
            (SensorSetup { line_length: 1918, ..SensorSetup::default() }, "lines of 1918"),
            (SensorSetup { fps: 121, ..SensorSetup::default() }, "at 121"),
            (SensorSetup { width: 1921, ..SensorSetup::default() }, "of 1921x1080"),
        ] {
            let setup = CameraSetup { host: 2, sensor, channels: vec![channel(0, 64, 48)] };
            let text = setup.check().unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
        let channels = vec![channel(0, 1280, 720), channel(1, 640, 360)];
        CameraSetup { host: 0, sensor: SensorSetup::default(), channels }.check().unwrap();
    }
}
