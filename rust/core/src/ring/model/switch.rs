//! Reading and sleeping behind a switch.

use super::sleep::Futex;
use super::{Consumer, Lane, Page, Shared, explore, stage};
use crate::ring::consumer::{Proof, head};
use crate::ring::switch::{index_of, select, selected, selection};
use crate::ring::waiting::{announce, sleep_on, wanted, withdraw};
use crate::ring::words::LaneWords;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A switch with its first lane active, and a reader's page.
fn switch() -> Arc<Shared> {
    let lane = Lane::new(0);
    lane.head.store(selection(1, 0), Relaxed);
    Arc::new(Shared { lane, pages: vec![Page::new(0)] })
}

/// A frame that was published after the select is not read under the selection before.
#[test]
fn no_frame_of_the_old_lane_is_read_after_a_select() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        let switch = switch();
        let (consumer, controlled) = (Consumer::new(&shared, 0), switch.clone());
        thread::spawn(move || {
            select(&controlled.lane, selection(2, 1));
            producer.publish();
        });
        let active = selected(&switch.lane);
        if index_of(active) == 0
            && let Some(token) = consumer.newest(0, 0, Proof::HeadOrState)
        {
            assert_ne!(selected(&switch.lane), active, "published after the select");
            consumer.read(token);
        }
    });
}

/// Sleeps as a reader of a switch does, until another lane is active or this one has a frame.
fn sleep_until_news(consumer: &Consumer, switch: &Shared, futex: &Futex) {
    let (first, second) = (&switch.lane, &consumer.shared.lane);
    let news = || index_of(selected(first)) != 0 || head(second) != 0;
    while !news() {
        let values = [sleep_on(first.wake()), sleep_on(second.wake())];
        announce(&switch.pages[0]);
        announce(consumer.page());
        if !news() {
            futex.wait_any(&[(first.wake(), values[0]), (second.wake(), values[1])]);
        }
        withdraw(&switch.pages[0]);
        withdraw(consumer.page());
    }
}

#[test]
fn a_sleeper_on_both_words_is_woken_by_a_select() {
    explore(Some(3), || {
        let (_producer, shared) = stage(&[1], 0);
        let (switch, futex) = (switch(), Futex::new());
        let (consumer, bed, asleep) = (Consumer::new(&shared, 0), futex.clone(), switch.clone());
        thread::spawn(move || sleep_until_news(&consumer, &asleep, &bed));
        select(&switch.lane, selection(2, 1));
        if wanted(&switch.pages[0], 0).sleepers != 0 {
            futex.wake();
        }
    });
}

#[test]
fn a_sleeper_on_both_words_is_woken_by_a_publish() {
    explore(Some(3), || {
        let (mut producer, shared) = stage(&[1], 0);
        let (switch, futex) = (switch(), Futex::new());
        let (consumer, bed) = (Consumer::new(&shared, 0), futex.clone());
        thread::spawn(move || sleep_until_news(&consumer, &switch, &bed));
        producer.publish();
        if wanted(&shared.pages[0], 0).sleepers != 0 {
            futex.wake();
        }
    });
}
