//! Encoders by their names on the command line.

use super::{Encoder, EncoderOptions, hobot};
use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind, Frame};
use std::str::FromStr;

/// Which encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncoderKind {
    /// The hardware's where there is one, else software.
    Auto,
    /// OpenH264, in software.
    OpenH264,
    /// The video codec of an RDK X5.
    Hobot,
}

impl EncoderKind {
    /// Each encoder with its name.
    pub const ALL: [(Self, &'static str); 3] = [
        (EncoderKind::Auto, "auto"),
        (EncoderKind::OpenH264, "openh264"),
        (EncoderKind::Hobot, "hobot"),
    ];

    /// Frames whose leases a reader for it should have: those it holds, and one to come.
    pub fn leases(self) -> u32 {
        match self {
            EncoderKind::OpenH264 => 2,
            EncoderKind::Auto | EncoderKind::Hobot => 4,
        }
    }

    /// An encoder of frames like `first`, which is not encoded yet.
    ///
    /// # Errors
    /// `Unsupported` where this machine or this build has not that encoder, and for a size, format
    /// or codec that it does not take; `System` when it cannot be started.
    pub fn open(self, first: &Frame, options: &EncoderOptions) -> Result<Box<dyn Encoder>> {
        match self {
            EncoderKind::OpenH264 => software(first, options),
            EncoderKind::Hobot => hobot(first, options),
            EncoderKind::Auto => match hobot(first, options) {
                Err(none) if none.kind() == ErrorKind::Unsupported => software(first, options)
                    .map_err(|error| error.context(format!("there is no other encoder: {none}"))),
                opened => opened,
            },
        }
    }
}

#[cfg(feature = "openh264")]
fn software(first: &Frame, options: &EncoderOptions) -> Result<Box<dyn Encoder>> {
    Ok(Box::new(super::openh264::OpenH264::new(first, options)?))
}

#[cfg(not(feature = "openh264"))]
fn software(_: &Frame, _: &EncoderOptions) -> Result<Box<dyn Encoder>> {
    let text = "this build has no software encoder: build it with the feature openh264";
    Err(Error::new(ErrorKind::Unsupported, text))
}

impl FromStr for EncoderKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = EncoderKind::ALL.into_iter().find(|(_, name)| *name == text);
        let unknown =
            || invalid(format!("no encoder {text:?}; there are auto, openh264 and hobot"));
        found.map(|(kind, _)| kind).ok_or_else(unknown)
    }
}
