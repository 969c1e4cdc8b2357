//! What can be wrong with a strip or with the picture under it.

use framelane::ErrorKind;

/// Why a picture could not be proved whole.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StripError {
    /// The picture has no room for a strip.
    #[error(
        "a picture of {width}x{height} is too small for a strip, which needs 224 pixels in whole \
         rows (16x14)"
    )]
    TooSmall {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The strip is not defined for this format.
    #[error("pixel format {fourcc:#010x} is none that a strip is defined for")]
    Format {
        /// DRM four-character code.
        fourcc: u32,
    },
    /// Descriptor and planes do not make a picture.
    #[error("the planes do not fit the descriptor: {0}")]
    Planes(String),
    /// There is none.
    #[error("no strip: the top left reads {0:#06x}, a strip starts with 0xf1a5")]
    NoStrip(u16),
    /// The strip contradicts its own checksum: two strips mixed, or changed bytes.
    #[error(
        "the strip is damaged: its checksum is {expected:#010x}, its content gives {found:#010x}"
    )]
    Damaged {
        /// As it stands there.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// The strip is legible but has bytes it was not written with.
    #[error("the strip is legible but byte {byte} of row {row} was changed")]
    NotExact {
        /// Row of plane 0.
        row: usize,
        /// Byte in the row.
        byte: usize,
    },
    /// The picture is not the one the strip was stamped on: torn, or changed bytes.
    #[error(
        "picture {number} is torn or damaged: its strip says checksum {expected:#010x}, its bytes \
         give {found:#010x}"
    )]
    Picture {
        /// Number in the strip.
        number: u64,
        /// As the strip says.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// Strip and descriptor speak of different pictures.
    #[error("the descriptor's {field} is {descriptor}, the strip under it says {strip}")]
    OtherFrame {
        /// Field of the descriptor.
        field: &'static str,
        /// What the strip says.
        strip: u64,
        /// What the descriptor says.
        descriptor: u64,
    },
    /// A plane of the frame could not be read at all.
    #[error(transparent)]
    Frame(framelane::Error),
}

impl From<StripError> for framelane::Error {
    fn from(error: StripError) -> Self {
        let kind = match &error {
            StripError::Frame(inner) => inner.kind(),
            StripError::TooSmall { .. } => ErrorKind::InvalidArgument,
            StripError::Format { .. } => ErrorKind::Unsupported,
            _ => ErrorKind::Protocol,
        };
        framelane::Error::new(kind, error.to_string())
    }
}
