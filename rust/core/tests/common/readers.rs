//! Reading in each way of waiting, with a deadline.

use super::threads::{Task, task};
use super::{DEADLINE, Order, Place};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, Mode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::Duration;

/// How a reader waits for its next frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Asleep in `next`.
    Futex,
    /// Polling the descriptor.
    Fd,
    /// Asking again and again.
    Spin,
}

/// Polls a consumer's descriptor until it is readable.
pub fn poll_fd(consumer: &mut Consumer) {
    assert!(is_readable(consumer, DEADLINE), "the descriptor is rung within the deadline");
}

/// Whether a consumer's descriptor becomes readable in time.
pub fn is_readable(consumer: &mut Consumer, time: Duration) -> bool {
    let fd = consumer.fd();
    let mut polled = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    poll(&mut polled, Some(&timeout)).unwrap() == 1
}

/// The next frame.
pub fn next(consumer: &mut Consumer, by: By) -> Frame {
    try_next(consumer, by).expect("no error on the way to the next frame")
}

/// The next frame, or the error that comes instead.
pub fn try_next(consumer: &mut Consumer, by: By) -> framelane::Result<Frame> {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let frame = match by {
            By::Futex => consumer.next(DEADLINE)?,
            By::Fd | By::Spin => consumer.try_next()?,
        };
        if let Some(frame) = frame {
            return Ok(frame);
        }
        match by {
            By::Futex => panic!("no frame within the deadline"),
            By::Fd => poll_fd(consumer),
            By::Spin => std::thread::sleep(Duration::from_micros(200)),
        }
        assert!(std::time::Instant::now() < deadline, "no frame within the deadline, by {by:?}");
    }
}

/// A reader on a thread of its own.
pub struct Reader {
    pub mode: Mode,
    pub by: By,
    /// Reads on into the epoch after so many restarts,
    pub restarts: u64,
    /// until so many frames of that epoch have been published.
    pub until: u64,
}

impl Reader {
    /// Attaches now and reads in the background.
    pub fn start(self, place: &Place) -> Task<Order> {
        let mut consumer = place.consumer(ConsumerOptions::new(self.mode));
        let Reader { mode, by, restarts, until } = self;
        task(&format!("the {mode:?} reader by {by:?}"), move || {
            let mut order = Order::of(&consumer, mode);
            while order.restarts < restarts || order.last < until {
                order.see(&next(&mut consumer, by));
            }
            order
        })
    }
}

/// Reads until the producer is gone, which has to be said.
pub fn read_until_told(mut consumer: Consumer, mode: Mode, by: By) -> Order {
    let mut order = Order::of(&consumer, mode);
    loop {
        match try_next(&mut consumer, by) {
            Ok(frame) => order.see(&frame),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
                return order;
            }
        }
    }
}
