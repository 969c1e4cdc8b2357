//! The shmbuf byte ring: copied in, copied out, one consumer. Both sides ring each other.

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, read_all};
use crate::shared::Shared;
use anyhow::{Result, bail, ensure};
use framelane::shmbuf::{Receiver, ReceiverOptions, Sender, SenderOptions};

/// Messages that the ring has room for, before it is rounded up to a power of two.
const ROOM: u64 = 2;

pub struct Shmbuf;

pub struct Pouring {
    sender: Sender,
    message: Vec<u8>,
}

pub struct Drinking {
    receiver: Receiver,
    message: Vec<u8>,
}

impl Lane for Shmbuf {
    type Producer = Pouring;
    type Consumer = Drinking;

    fn producer(setup: &Setup, _: &'static Shared) -> Result<Pouring> {
        ensure!(setup.consumers == 1, "the ring has one receiver");
        let room = (ROOM * (setup.bytes() as u64 + 4)).next_power_of_two();
        let options = SenderOptions::new(room).bell(true).directory(Some(setup.place.clone()));
        let sender = Sender::create(&setup.name, options)?;
        Ok(Pouring { sender, message: vec![1; setup.bytes()] })
    }

    fn consumer(setup: &Setup, _: &'static Shared, _: usize) -> Result<Drinking> {
        let options = ReceiverOptions::new()
            .bell(true)
            .wait_for_sender(SOON)
            .directory(Some(setup.place.clone()));
        let receiver = Receiver::open(&setup.name, options)?;
        Ok(Drinking { receiver, message: vec![0; setup.bytes()] })
    }
}

impl Producer for Pouring {
    type Claim = ();

    fn claim(&mut self) -> Result<()> {
        Ok(())
    }

    fn describe(&mut self, _claim: &mut (), sequence: u64) {
        self.message[..8].copy_from_slice(&sequence.to_ne_bytes());
    }

    fn publish(&mut self, _claim: ()) -> Result<()> {
        ensure!(self.sender.send(&self.message, SOON)?, "no room in time");
        Ok(())
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        ensure!(self.sender.send(source, SOON)?, "no room in time");
        Ok(())
    }
}

impl Consumer for Drinking {
    type Held = ();

    fn poll(&mut self) -> Result<Option<()>> {
        bail!("it is measured asleep")
    }

    fn wait(&mut self) -> Result<()> {
        ensure!(self.receiver.recv(&mut self.message, SOON)?, "no message in time");
        Ok(())
    }

    fn read(&mut self, _held: &()) -> Result<Seen> {
        Ok(read_all(&self.message))
    }

    fn release(&mut self, _held: ()) -> Result<()> {
        Ok(())
    }
}
