//! A device node: what it is, what it offers, and what is set.

use super::abi::{self, Capability};
use super::format::{self, Content, Picture};
use super::sys::{self, call};
use crate::error::{Result, invalid};
use crate::rate::Rate;
use framelane::{Error, ErrorKind};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// No device enumerates more of anything.
const MOST: u32 = 4096;

/// An open camera.
pub struct Device {
    fd: OwnedFd,
    path: PathBuf,
    capability: Capability,
    /// Single- or multi-planar capture.
    pub kind: u32,
}

/// A control that a device has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ControlInfo {
    /// Its number.
    pub id: u32,
    /// Its name as the driver has it.
    pub name: String,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
    /// Value it starts with.
    pub default: i64,
    /// Value it has now; None where it has none that can be read.
    pub value: Option<i32>,
}

impl Device {
    /// Opens a node that captures pictures.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| failed(path, "opening it", errno))?;
        let mut capability = Capability::ZERO;
        call(&fd, &sys::QUERYCAP, &mut capability).map_err(|errno| match errno {
            Errno::NOTTY => {
                Error::new(ErrorKind::Unsupported, format!("{} is no V4L2 device", path.display()))
            }
            errno => failed(path, "VIDIOC_QUERYCAP", errno),
        })?;
        // A driver with several nodes says in device_caps what this one can do.
        let caps = match capability.capabilities & abi::CAP_DEVICE_CAPS != 0 {
            true => capability.device_caps,
            false => capability.capabilities,
        };
        let kind = match caps {
            caps if caps & abi::CAP_STREAMING == 0 => 0,
            caps if caps & abi::CAP_CAPTURE != 0 => abi::CAPTURE,
            caps if caps & abi::CAP_CAPTURE_PLANES != 0 => abi::CAPTURE_PLANES,
            _ => 0,
        };
        if kind == 0 {
            let text = format!("{} captures no pictures", path.display());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok(Device { fd, path: path.to_owned(), capability, kind })
    }

    /// Its node.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the camera.
    pub fn card(&self) -> String {
        text(&self.capability.card)
    }

    /// Name of its driver.
    pub fn driver(&self) -> String {
        text(&self.capability.driver)
    }

    /// Where it is connected.
    pub fn bus(&self) -> String {
        text(&self.capability.bus_info)
    }

    /// Codes of its formats.
    pub fn formats(&self) -> Vec<u32> {
        let mut found = Vec::new();
        for index in 0..MOST {
            let mut description = abi::FormatDescription::ZERO;
            (description.index, description.kind) = (index, self.kind);
            if call(&self.fd, &sys::ENUM_FMT, &mut description).is_err() {
                break;
            }
            found.push(description.pixel_format);
        }
        found
    }

    /// Sizes of a format: each one, or the largest of a range.
    pub fn sizes(&self, pixel_format: u32) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        for index in 0..MOST {
            let mut size = abi::FrameSize { index, pixel_format, ..abi::FrameSize::ZERO };
            if call(&self.fd, &sys::ENUM_FRAMESIZES, &mut size).is_err() {
                break;
            }
            if size.kind != abi::SIZE_DISCRETE {
                found.push((size.sizes[1], size.sizes[4]));
                break;
            }
            found.push((size.sizes[0], size.sizes[1]));
        }
        found
    }

    /// Every control that has a plain number as its value.
    pub fn controls(&self) -> Vec<ControlInfo> {
        let mut found = Vec::new();
        let mut last = 0;
        for _ in 0..MOST {
            let id = last | abi::CTRL_NEXT;
            let mut control = abi::ControlDescription { id, ..abi::ControlDescription::ZERO };
            if call(&self.fd, &sys::QUERY_EXT_CTRL, &mut control).is_err() {
                break;
            }
            last = control.id;
            let odd = control.flags & abi::CTRL_DISABLED != 0
                || control.kind == abi::CTRL_TYPE_CLASS
                || control.kind >= abi::CTRL_TYPE_COMPOUND;
            if !odd {
                let mut value = abi::Control { id: control.id, value: 0 };
                let read = call(&self.fd, &sys::G_CTRL, &mut value);
                found.push(ControlInfo {
                    id: control.id,
                    name: text(&control.name),
                    minimum: control.minimum,
                    maximum: control.maximum,
                    default: control.default,
                    value: read.is_ok().then_some(value.value),
                });
            }
        }
        found
    }

    /// Sets a control by its name, in either case and with `_` or `-` for anything but letters
    /// and digits.
    pub fn set_control(&self, name: &str, value: i64) -> Result<()> {
        let wanted = simple(name);
        let all = self.controls();
        let Some(control) = all.iter().find(|control| simple(&control.name) == wanted) else {
            let known: Vec<_> = all.iter().map(|control| simple(&control.name)).collect();
            let (path, known) = (self.path.display(), known.join(", "));
            return Err(invalid(format!("{path} has no control {name:?}; it has {known}")));
        };
        let (least, most) = (control.minimum, control.maximum);
        let narrow = i32::try_from(value).ok().filter(|_| (least..=most).contains(&value));
        let Some(value) = narrow else {
            return Err(invalid(format!("{name} = {value}: it goes from {least} to {most}")));
        };
        let mut set = abi::Control { id: control.id, value };
        call(&self.fd, &sys::S_CTRL, &mut set)
            .map_err(|errno| self.failed(&format!("setting {name}"), errno))?;
        Ok(())
    }

    /// Chooses a format; the driver may take another size, never another content.
    pub fn set_format(&self, wanted: Option<Content>, size: Option<(u32, u32)>) -> Result<Picture> {
        let offered = self.formats();
        let Some(pixel_format) = format::choose(&offered, wanted) else {
            let names: Vec<_> = offered.iter().map(|&code| format::name(code)).collect();
            let text = format!("{} offers {}", self.path.display(), names.join(", "));
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let size = match size {
            Some(size) => size,
            None => self.current_size()?,
        };
        let mut format = format::request(self.kind, pixel_format, size);
        call(&self.fd, &sys::S_FMT, &mut format)
            .map_err(|errno| self.failed("VIDIOC_S_FMT", errno))?;
        let picture = Picture::read(&format)?;
        if Some(picture.content) != format::content(pixel_format) {
            let (asked, got) = (format::name(pixel_format), format::name(picture.pixel_format));
            let text = format!("{} gives {got} for {asked}", self.path.display());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok(picture)
    }

    fn current_size(&self) -> Result<(u32, u32)> {
        let mut format = abi::Format { kind: self.kind, ..abi::Format::ZERO };
        call(&self.fd, &sys::G_FMT, &mut format)
            .map_err(|errno| self.failed("VIDIOC_G_FMT", errno))?;
        Ok((format.words[0], format.words[1]))
    }

    /// Asks for a rate where the driver can be asked; the one it has then, if it tells.
    pub fn set_rate(&self, wanted: Option<Rate>) -> Result<Option<Rate>> {
        let mut set = abi::StreamParameters { kind: self.kind, ..abi::StreamParameters::ZERO };
        if call(&self.fd, &sys::G_PARM, &mut set).is_err() {
            return Ok(None);
        }
        if let Some(rate) = wanted
            && set.capability & abi::CAP_TIME_PER_FRAME != 0
        {
            (set.numerator, set.denominator) = (rate.seconds(), rate.frames());
            call(&self.fd, &sys::S_PARM, &mut set)
                .map_err(|errno| self.failed("VIDIOC_S_PARM", errno))?;
        }
        Ok(Rate::new(set.denominator, set.numerator).ok())
    }

    /// A failed call, with what it means.
    pub fn failed(&self, what: &str, errno: Errno) -> Error {
        failed(&self.path, what, errno)
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Kinds say what to do: `NotFound` and `Disconnected` may mend themselves when it is plugged in.
fn failed(path: &Path, what: &str, errno: Errno) -> Error {
    let kind = match errno {
        Errno::NOENT => ErrorKind::NotFound,
        Errno::NODEV | Errno::NXIO => ErrorKind::Disconnected,
        Errno::ACCESS | Errno::PERM => ErrorKind::PermissionDenied,
        Errno::NOTTY | Errno::OPNOTSUPP => ErrorKind::Unsupported,
        Errno::NOMEM => ErrorKind::OutOfMemory,
        _ => ErrorKind::System,
    };
    let hint = match errno {
        Errno::ACCESS | Errno::PERM => " (is this user in the group `video`?)",
        Errno::BUSY => " (another program uses it)",
        _ => "",
    };
    Error::new(kind, format!("{}: {what}: {errno}{hint}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// `White Balance, Auto` as `white_balance_auto`.
fn simple(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}
