//! What must come of each step.

use super::steps::{Shape, Step};
use crate::ring::consumer::{self, Proof};
use crate::ring::heap::Words;
use crate::ring::producer::Ring;
use crate::ring::token::{sequence_of, slot_of, token};
use crate::ring::words::PageWords;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

/// What a slot is, as the reference sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Free,
    Claimed,
    Ready(u64),
    Retired(u64),
}

pub(super) struct Reference {
    shape: Shape,
    lane: Words,
    pages: Vec<Words>,
    ring: Ring,
    slots: Vec<Is>,
    /// Sequence last published in each slot: the most recently used is claimed first.
    used: Vec<u64>,
    claimed: Vec<usize>,
    newest: u64,
    revoked: BTreeSet<u64>,
    /// Tokens that honest consumers hold.
    held: Vec<[Option<u64>; 3]>,
    next: Vec<u64>,
}

impl Reference {
    pub(super) fn new(shape: &Shape) -> Self {
        let slots = shape.leases.iter().sum::<usize>() + shape.claims + 1 + shape.history;
        Reference {
            lane: Words::new(),
            pages: shape.leases.iter().map(|_| Words::new()).collect(),
            ring: Ring::new(slots, shape.history as u64),
            slots: vec![Is::Free; slots],
            used: vec![0; slots],
            claimed: Vec::new(),
            newest: 0,
            revoked: BTreeSet::new(),
            held: vec![[None; 3]; shape.leases.len()],
            next: vec![1; shape.leases.len()],
            shape: shape.clone(),
        }
    }

    fn pinned(&self) -> u64 {
        let pages = self.pages.iter().zip(&self.shape.leases);
        pages.fold(0, |all, (page, &leases)| all | self.ring.pinned_by(page, leases))
    }

    /// Slots whose frame is named by a granted cell of anybody, honest or not.
    fn named(&self) -> u64 {
        let pages = self.pages.iter().zip(&self.shape.leases);
        let cells = pages.flat_map(|(page, &leases)| (0..leases).map(|cell| page.cell(cell)));
        let values: BTreeSet<u64> = cells.map(|cell| cell.load(Relaxed)).collect();
        let named = |&(slot, is): &(usize, &Is)| match *is {
            Is::Ready(sequence) | Is::Retired(sequence) => values.contains(&token(sequence, slot)),
            Is::Free | Is::Claimed => false,
        };
        let slots = self.slots.iter().enumerate().filter(named);
        slots.fold(0, |all, (slot, _)| all | 1 << slot)
    }

    /// Slots that honest leases name and that may therefore not be touched.
    fn leased(&self) -> u64 {
        let tokens = self.held.iter().flatten().flatten();
        let valid = tokens.filter(|&&token| !self.revoked.contains(&sequence_of(token)));
        valid.fold(0, |all, &token| all | 1 << slot_of(token))
    }

    pub(super) fn take(&mut self, step: &Step) {
        let consumers = self.pages.len();
        match *step {
            Step::Claim => self.claim(),
            Step::Publish(count) => self.publish(count),
            Step::Abandon(index) if index < self.claimed.len() => {
                let slot = self.claimed.remove(index);
                self.ring.abandon(slot);
                self.slots[slot] = Is::Free;
            }
            Step::Turn(count) => (0..count).for_each(|_| {
                self.claim();
                self.publish(1);
            }),
            Step::Newest(consumer, cell) => self.borrow(consumer % consumers, cell, false),
            Step::Next(consumer, cell) => self.borrow(consumer % consumers, cell, true),
            Step::Release(consumer, cell) => self.release(consumer % consumers, cell),
            Step::Scribble(consumer, cell, value) => {
                self.scribble(consumer % consumers, cell, value);
            }
            Step::Forge(consumer, cell, slot, past) => {
                let slot = usize::from(slot);
                let near = self.used.get(slot).map_or(self.newest, |&sequence| sequence);
                let forged = token(near.saturating_add_signed(past.into()), slot);
                self.scribble(consumer % consumers, cell, forged);
            }
            Step::Revoke(slot) if self.shape.device => self.revoke(slot % self.slots.len()),
            Step::Collect if self.shape.device => self.collect(),
            Step::Abandon(_) | Step::Revoke(_) | Step::Collect => {}
        }
    }

    fn claim(&mut self) {
        if self.claimed.len() == self.shape.claims {
            return;
        }
        let pinned = self.pinned();
        let slot = self.ring.claim(&self.lane, pinned).expect("the slot sum holds");
        assert!(matches!(self.slots[slot], Is::Free | Is::Retired(_)), "{:?}", self.slots[slot]);
        assert_eq!(self.leased() & 1 << slot, 0, "a leased slot was claimed");
        for (other, is) in self.slots.iter().enumerate() {
            let open = matches!(is, Is::Free | Is::Retired(_)) && pinned & 1 << other == 0;
            assert!(!open || self.used[other] <= self.used[slot], "{other} is warmer than {slot}");
        }
        self.slots[slot] = Is::Claimed;
        self.claimed.push(slot);
    }

    fn publish(&mut self, count: usize) {
        let slots: Vec<usize> = self.claimed.drain(..count.min(self.claimed.len())).collect();
        if slots.is_empty() {
            return;
        }
        let last = self.ring.publish(&self.lane, &slots);
        assert_eq!(last, self.newest + slots.len() as u64, "sequences count up by one");
        for slot in slots {
            self.newest += 1;
            self.slots[slot] = Is::Ready(self.newest);
            self.used[slot] = self.newest;
        }
        let oldest = self.newest.saturating_sub(self.shape.history as u64);
        for is in &mut self.slots {
            if let Is::Ready(sequence) = *is
                && sequence < oldest
            {
                *is = Is::Retired(sequence);
            }
        }
    }

    fn borrow(&mut self, consumer: usize, cell: usize, ordered: bool) {
        let free = cell < self.shape.leases[consumer] && self.held[consumer][cell].is_none();
        if self.shape.hostile[consumer] || !free {
            return;
        }
        let (lane, page, history) = (&self.lane, &self.pages[consumer], self.shape.history as u64);
        let (found, expected) = if ordered {
            let from = self.next[consumer];
            let found = consumer::borrow_from(lane, page, cell, from, history);
            (found, self.reachable().find(|&sequence| sequence >= from))
        } else {
            let (after, device) = (self.next[consumer] - 1, self.shape.device);
            let proof = if device { Proof::State } else { Proof::HeadOrState };
            let found = consumer::borrow_newest(lane, page, cell, after, proof);
            let newest = self.reachable().last().filter(|&newest| newest == self.newest);
            (found, newest.filter(|&newest| newest > after))
        };
        assert_eq!(found.map(sequence_of), expected);
        assert_eq!(page.cell(cell).load(Relaxed), found.unwrap_or(0), "the cell says what is held");
        if let Some(token) = found {
            assert_eq!(self.slots[slot_of(token)], Is::Ready(sequence_of(token)));
            self.held[consumer][cell] = Some(token);
            self.next[consumer] = sequence_of(token) + 1;
        }
    }

    fn release(&mut self, consumer: usize, cell: usize) {
        if self.held[consumer][cell].take().is_some() {
            consumer::clear(&self.pages[consumer], cell);
        }
    }

    fn scribble(&mut self, consumer: usize, cell: usize, value: u64) {
        if self.shape.hostile[consumer] {
            // Also into cells that were never granted.
            self.pages[consumer].cell(cell * 20).store(value, Relaxed);
            self.pages[consumer].cell(cell).store(value, Relaxed);
        }
    }

    fn revoke(&mut self, slot: usize) {
        if let Is::Ready(sequence) | Is::Retired(sequence) = self.slots[slot] {
            self.ring.revoke(&self.lane, slot);
            self.slots[slot] = Is::Free;
            self.revoked.insert(sequence);
        }
    }

    fn collect(&mut self) {
        let unnamed = self.ring.retired() & !self.pinned();
        for slot in (0..self.slots.len()).filter(|slot| unnamed & 1 << slot != 0) {
            self.ring.collect(&self.lane, slot);
            self.slots[slot] = Is::Free;
        }
    }

    /// Sequences that consumers must find, oldest first: the newest 1 + history, unless revoked.
    fn reachable(&self) -> impl DoubleEndedIterator<Item = u64> {
        let oldest = self.newest.saturating_sub(self.shape.history as u64).max(1);
        (oldest..=self.newest).filter(|sequence| !self.revoked.contains(sequence))
    }

    /// What holds between any two steps.
    pub(super) fn check(&self) {
        let of = |wanted: fn(&Is) -> bool| {
            let slots = self.slots.iter().enumerate().filter(|(_, is)| wanted(is));
            slots.fold(0, |all, (slot, _)| all | 1 << slot)
        };
        assert_eq!(self.ring.ready(), of(|is| matches!(is, Is::Ready(_))));
        assert_eq!(self.ring.retired(), of(|is| matches!(is, Is::Retired(_))));
        assert_eq!(self.ring.claimed(), of(|is| matches!(is, Is::Claimed)));
        assert_eq!(self.ring.newest(), self.newest);
        assert_eq!(self.pinned(), self.named(), "a cell pins the frame it names, and nothing else");
        for &token in self.held.iter().flatten().flatten() {
            let revoked = self.revoked.contains(&sequence_of(token));
            assert_eq!(consumer::check(&self.lane, token), !revoked, "{token:#x}");
        }
        // A consumer that comes now reads exactly what is reachable.
        let (page, history) = (Words::new(), self.shape.history as u64);
        let mut from = 1;
        let found = std::iter::from_fn(|| {
            let token = consumer::borrow_from(&self.lane, &page, 0, from, history)?;
            from = sequence_of(token) + 1;
            Some(sequence_of(token))
        });
        assert_eq!(found.collect::<Vec<_>>(), self.reachable().collect::<Vec<_>>());
    }
}
