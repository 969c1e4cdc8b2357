//! The consumers of a lane of either kind, as its producer keeps them behind its mutex.

use super::bell::Bell;
use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::layout::Mode;
use crate::layout::limit::{CONSUMERS, PER_UID};
use crate::mem::view::PageView;
use crate::ring::waiting;
use crate::ring::words::LaneWords;
use crate::wire::peer::Peer;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A consumer that is LIVE: from before its Welcome until its death is noticed.
pub(crate) struct Member {
    pub(crate) id: u32,
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) leases: usize,
    pub(crate) mode: Mode,
    pub(crate) page: PageView,
    pub(crate) bell: Arc<Bell>,
    pub(crate) attached_ns: u64,
    pub(crate) revoked: u64,
    /// Ticket answered last.
    pub(crate) answered: u32,
    /// Largest cursor seen: the page may say anything.
    pub(crate) cursor: u64,
    /// Requests for key records that are settled.
    pub(crate) key_answered: u32,
}

impl Member {
    pub(crate) fn label(&self) -> String {
        format!("consumer {} (process {})", self.id, self.pid)
    }
}

/// All of them, and those that are to go.
#[derive(Default)]
pub(crate) struct Members {
    list: Vec<Member>,
    /// Consumers to disconnect, with the reason; the service thread does it.
    pub(crate) cheats: Vec<(u32, String)>,
}

impl Deref for Members {
    type Target = Vec<Member>;
    #[inline]
    fn deref(&self) -> &Vec<Member> {
        &self.list
    }
}

impl DerefMut for Members {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<Member> {
        &mut self.list
    }
}

/// Bells to ring once the mutex is released.
#[derive(Default)]
pub(crate) struct Ringing {
    pub(crate) shared_sleepers: bool,
    pub(crate) sleepers: Vec<Arc<Bell>>,
    pub(crate) pollers: Vec<Arc<Bell>>,
}

impl Ringing {
    /// Makes the system calls: one for all sleepers on the lane's word, one for each other bell.
    pub(crate) fn ring(self, lane: &impl LaneWords) {
        if self.shared_sleepers {
            super::bell::wake(lane.wake(), i32::MAX as u32);
        }
        self.sleepers.iter().for_each(|bell| bell.wake_sleepers());
        self.pollers.iter().for_each(|bell| bell.ring());
    }
}

impl Members {
    /// Lowest cursor of the lossless ones; the highest number there is where there are none.
    pub(crate) fn lowest_cursor(
        &mut self,
        newest: u64,
        cursor_of: impl Fn(&PageView) -> u64,
    ) -> u64 {
        let mut lowest = u64::MAX;
        for member in self.list.iter_mut().filter(|member| member.mode == Mode::Lossless) {
            let cursor = cursor_of(&member.page);
            if cursor < member.cursor || cursor > newest + 1 {
                // Its word counts no longer; until it is gone it neither blocks nor moves.
                let why = format!("cursor {cursor} is outside {}..={}", member.cursor, newest + 1);
                if member.cursor != u64::MAX {
                    self.cheats.push((member.id, why));
                }
                member.cursor = u64::MAX;
                continue;
            }
            member.cursor = cursor;
            lowest = lowest.min(cursor);
        }
        lowest
    }

    /// Whether anybody sleeps or polls. After the fence of a publish or commit.
    #[inline]
    pub(crate) fn somebody_waits(&self) -> bool {
        let waits = |member: &Member| {
            let wanted = waiting::wanted(&member.page, member.answered);
            wanted.sleepers != 0 || wanted.ticket.is_some()
        };
        self.list.iter().any(waits)
    }

    /// Collects the bells of everybody who waits.
    pub(crate) fn ringing(&mut self) -> Ringing {
        let mut ringing = Ringing::default();
        for member in &mut self.list {
            let wanted = waiting::wanted(&member.page, member.answered);
            if wanted.sleepers != 0 {
                match *member.bell {
                    Bell::Shared { .. } => ringing.shared_sleepers = true,
                    Bell::Private { .. } => ringing.sleepers.push(member.bell.clone()),
                }
            }
            if let Some(ticket) = wanted.ticket {
                member.answered = ticket;
                ringing.pollers.push(member.bell.clone());
            }
        }
        ringing
    }

    /// Bells of everybody, whether they asked or not: the lane ends.
    pub(crate) fn everybody(&self) -> Ringing {
        let bells: Vec<_> = self.list.iter().map(|member| member.bell.clone()).collect();
        Ringing { shared_sleepers: true, sleepers: bells.clone(), pollers: bells }
    }

    /// Leases promised to members.
    pub(crate) fn leases_granted(&self) -> u32 {
        self.list.iter().map(|member| member.leases as u32).sum()
    }

    /// Refuses one more where there are too many already; names the limit that was hit.
    pub(crate) fn refuse_crowd(&self, lane: &str, peer: Peer) -> Result<()> {
        let too_many = |text: String| Err(Error::new(ErrorKind::TooMany, text));
        if self.list.len() as u64 >= CONSUMERS {
            return too_many(format!("lane {lane:?} has its {CONSUMERS} consumers"));
        }
        let same_uid = self.list.iter().filter(|member| member.uid == peer.uid).count();
        if same_uid as u64 >= PER_UID {
            let uid = peer.uid;
            return too_many(format!("user {uid} has its {PER_UID} attachments to lane {lane:?}"));
        }
        Ok(())
    }

    /// Takes a member out; with it goes its page, which is not unmapped under the mutex.
    pub(crate) fn take(&mut self, id: u32) -> Option<(Member, u64)> {
        let index = self.list.iter().position(|member| member.id == id)?;
        let member = self.list.swap_remove(index);
        let copied = member.page.copied_bytes().load(Relaxed);
        Some((member, copied))
    }
}
