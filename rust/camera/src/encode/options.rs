//! What an encoder is asked for.

use crate::error::invalid;
use crate::rate::Rate;
use framelane::{Codec, Error};
use std::str::FromStr;

/// How to encode. `None` leaves it to the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderOptions {
    /// H.264 or H.265.
    pub codec: Codec,
    /// Bits a second to aim at; None takes what suits size and rate.
    pub bits_per_second: Option<u32>,
    /// Pictures from one key picture to the next; None is two seconds of them.
    pub gop: Option<u32>,
    /// Profile of the codec.
    pub profile: Option<Profile>,
    /// Pictures a second.
    pub rate: Rate,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        EncoderOptions {
            codec: Codec::H264,
            bits_per_second: None,
            gop: None,
            profile: None,
            rate: Rate::DEFAULT,
        }
    }
}

impl EncoderOptions {
    /// Pictures from one key picture to the next.
    pub fn gop(&self) -> u32 {
        let two_seconds = (2 * self.rate.frames()).div_ceil(self.rate.seconds());
        self.gop.unwrap_or(two_seconds).max(1)
    }

    /// Bits a second for pictures of this size: a tenth of a bit for each pixel, where nothing was
    /// asked for.
    pub fn bits_per_second(&self, width: u32, height: u32) -> u32 {
        let pixels = u64::from(width) * u64::from(height) * u64::from(self.rate.frames());
        let usual = pixels / u64::from(self.rate.seconds()) / 10;
        let usual = u32::try_from(usual).unwrap_or(u32::MAX).max(100_000);
        self.bits_per_second.unwrap_or(usual)
    }
}

/// Profiles that decoders everywhere know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Of H.264: the simplest.
    Baseline,
    /// Of H.264 and H.265.
    Main,
    /// Of H.264: the best for the size.
    High,
}

impl Profile {
    /// Each profile with its name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Profile::Baseline, "baseline"), (Profile::Main, "main"), (Profile::High, "high")];
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Profile::ALL.into_iter().find(|(_, name)| *name == text);
        let unknown = || invalid(format!("no profile {text:?}; there are baseline, main and high"));
        found.map(|(profile, _)| profile).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_suits_size_and_rate() {
        let usual = EncoderOptions::default();
        assert_eq!((usual.gop(), usual.bits_per_second(1280, 720)), (60, 2_764_800));
        assert_eq!(usual.bits_per_second(64, 48), 100_000);
        let rate = "12.5".parse().unwrap();
        assert_eq!(EncoderOptions { rate, ..usual }.gop(), 25);
        let asked = EncoderOptions { gop: Some(0), bits_per_second: Some(7), ..usual };
        assert_eq!((asked.gop(), asked.bits_per_second(1280, 720)), (1, 7));
    }

    #[test]
    fn profiles_are_named() {
        assert_eq!("high".parse::<Profile>().unwrap(), Profile::High);
        assert!("best".parse::<Profile>().unwrap_err().to_string().contains("baseline, main"));
    }
}
