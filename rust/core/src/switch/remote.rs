//! Selecting from another process than the controller's.

use crate::discover::{ask, read_granted};
use crate::error::Result;
use crate::layout::{Choice, Select, Selected};
use crate::ring::switch as ring;
use crate::wire::message;
use std::path::Path;
use std::time::Duration;
use zerocopy::IntoBytes;

/// What somebody wants of a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchChoice {
    /// The lane of this index.
    Index(u32),
    /// The lane of this name.
    Lane(String),
    /// No choice: what the controller's policy says.
    Automatic,
}

/// Selects a lane of a switch whose controller is another process; index of the active lane, and
/// switch epoch. The choice stands until another is made, or none.
///
/// # Errors
/// `PermissionDenied` unless this process is of the controller's user or root; `InvalidArgument`
/// for a lane that the switch has not; `Unsupported` when the name is not that of a switch;
/// `InvalidName`; `NotFound` with the places searched; `TimedOut`; `LayoutMismatch`; `Protocol` for
/// an answer that cannot be believed.
pub fn select(
    switch: &str,
    choice: &SwitchChoice,
    directory: Option<&Path>,
    timeout: Duration,
) -> Result<(usize, u64)> {
    crate::name::validate(switch)?;
    let mut wish: Select = message::new();
    message::put_text(&mut wish.lane, switch);
    let kind = match choice {
        SwitchChoice::Index(index) => {
            wish.index = *index;
            Choice::Index
        }
        SwitchChoice::Lane(lane) => {
            crate::name::validate(lane)?;
            message::put_text(&mut wish.member, lane);
            Choice::Name
        }
        SwitchChoice::Automatic => Choice::Automatic,
    };
    wish.choice = kind.number();
    let read = |packet: &[u8]| read_granted::<Selected>(packet);
    let selected = ask(switch, directory, timeout, wish.as_bytes(), read)?;
    Ok((ring::index_of(selected.selection), ring::epoch_of(selected.selection)))
}
