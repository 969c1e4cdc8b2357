//! `[readers]`: who may read the lanes.

use crate::error::{Result, invalid};
use framelane::{Access, Trust};
use serde::Deserialize;

/// Who may read. The user of the camera may, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Readers {
    /// Members of the group of this number as well.
    pub group: Option<u32>,
    /// Every user.
    pub everyone: bool,
    /// Trusts no reader: each gets a bell of its own.
    pub untrusted: bool,
    /// Admits no other user, whatever the sockets' modes.
    pub trusted_only: bool,
}

impl Readers {
    pub(super) fn check(&self) -> Result<()> {
        if self.everyone && self.group.is_some() {
            return Err(invalid("[readers]: everyone, or a group, not both"));
        }
        if self.untrusted && self.trusted_only {
            return Err(invalid("[readers]: untrusted, or trusted_only, not both"));
        }
        Ok(())
    }

    /// Who can connect.
    pub fn access(&self) -> Access {
        match (self.everyone, self.group) {
            (true, _) => Access::Everyone,
            (false, Some(group)) => Access::Group(group),
            (false, None) => Access::Owner,
        }
    }

    /// Who is trusted.
    pub fn trust(&self) -> Trust {
        match (self.untrusted, self.trusted_only) {
            (true, _) => Trust::Untrusted,
            (false, true) => Trust::TrustedOnly,
            (false, false) => Trust::SameUser,
        }
    }
}
