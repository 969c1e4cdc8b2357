//! iceoryx2: publish-subscribe for the frames, its event service for waking. Slices are loaned
//! uninitialised, because its plain loan fills the payload first.
#![allow(unsafe_code, reason = "an uninitialised loan is handed on as it is")]

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, Wait, read_all};
use crate::shared::Shared;
use anyhow::{Result, anyhow, bail};
use iceoryx2::port::update_connections::UpdateConnections;
use iceoryx2::port::{
    listener::Listener, notifier::Notifier, publisher::Publisher, subscriber::Subscriber,
};
use iceoryx2::prelude::*;
use iceoryx2::sample::Sample;
use iceoryx2::sample_mut_uninit::SampleMutUninit;
use iceoryx2::service::port_factory::{event, publish_subscribe};
use std::fmt::Debug;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

type Ipc = ipc::Service;
type Factory = publish_subscribe::PortFactory<Ipc, [u8], ()>;
type Waiter = (WaitSet<Ipc>, &'static Listener<Ipc>);

/// Turns any of its errors into ours.
fn told<T, E: Debug>(result: Result<T, E>) -> Result<T> {
    result.map_err(|error| anyhow!("iceoryx2: {error:?}"))
}

/// What both sides open first.
pub struct Service {
    pub frames: Factory,
    events: event::PortFactory<Ipc>,
    _node: Node<Ipc>,
}

pub struct IceoryxProducer {
    publisher: Publisher<Ipc, [u8], ()>,
    notifier: Option<Notifier<Ipc>>,
    bytes: usize,
    service: Service,
}

pub struct IceoryxConsumer {
    subscriber: Subscriber<Ipc, [u8], ()>,
    wait: Wait,
    listener: Option<&'static Listener<Ipc>>,
    waiter: Option<&'static Waiter>,
    guard: Option<WaitSetGuard<'static, 'static, Ipc>>,
    _service: Service,
}

/// Prefix of everything iceoryx2 names outside of the contest's directory.
pub fn prefix(setup: &Setup) -> String {
    format!("{}_", setup.name)
}

pub fn open(setup: &Setup) -> Result<Service> {
    set_log_level(LogLevel::Fatal);
    let mut config = Config::default();
    config.global.prefix = told(FileName::new(prefix(setup).as_bytes()))?;
    let root = setup.place.as_os_str().as_bytes();
    config.global.set_root_path(&told(Path::new(root))?);
    let node = told(NodeBuilder::new().config(&config).create::<Ipc>())?;
    let name: ServiceName = told(setup.name.as_str().try_into())?;
    let frames = node.service_builder(&name).publish_subscribe::<[u8]>();
    let frames = match setup.defaults {
        true => frames,
        // Room for the two frames that a contest leaves unread; one lease for each consumer.
        false => frames
            .max_subscribers(setup.consumers)
            .max_publishers(1)
            .history_size(0)
            .subscriber_max_buffer_size(2)
            .subscriber_max_borrowed_samples(1),
    };
    let frames = told(frames.open_or_create())?;
    let events = told(node.service_builder(&name).event().open_or_create())?;
    Ok(Service { frames, events, _node: node })
}

impl Service {
    pub fn publisher(&self, setup: &Setup) -> Result<Publisher<Ipc, [u8], ()>> {
        let builder = self.frames.publisher_builder().initial_max_slice_len(setup.bytes());
        told(if setup.defaults { builder } else { builder.max_loaned_samples(1) }.create())
    }

    pub fn subscriber(&self) -> Result<Subscriber<Ipc, [u8], ()>> {
        told(self.frames.subscriber_builder().create())
    }
}

pub struct Iceoryx;

impl Lane for Iceoryx {
    type Producer = IceoryxProducer;
    type Consumer = IceoryxConsumer;

    fn producer(setup: &Setup, _shared: &'static Shared) -> Result<IceoryxProducer> {
        let service = open(setup)?;
        let publisher = service.publisher(setup)?;
        let notifier = match setup.wait {
            Wait::Poll => None,
            Wait::Sleep | Wait::Fd => Some(told(service.events.notifier_builder().create())?),
        };
        Ok(IceoryxProducer { publisher, notifier, bytes: setup.bytes(), service })
    }

    fn consumer(setup: &Setup, _shared: &'static Shared, _: usize) -> Result<IceoryxConsumer> {
        let service = open(setup)?;
        let subscriber = service.subscriber()?;
        let mut consumer = IceoryxConsumer {
            subscriber,
            wait: setup.wait,
            listener: None,
            waiter: None,
            guard: None,
            _service: service,
        };
        consumer.listen()?;
        Ok(consumer)
    }
}

impl Producer for IceoryxProducer {
    type Claim = SampleMutUninit<Ipc, [MaybeUninit<u8>], ()>;

    #[inline]
    fn claim(&mut self) -> Result<Self::Claim> {
        told(self.publisher.loan_slice_uninit(self.bytes))
    }

    #[inline]
    fn describe(&mut self, claim: &mut Self::Claim, sequence: u64) {
        let stamp = u128::from(sequence).to_ne_bytes();
        for (place, byte) in claim.payload_mut().iter_mut().zip(stamp) {
            place.write(byte);
        }
    }

    #[inline]
    fn publish(&mut self, claim: Self::Claim) -> Result<()> {
        // SAFETY: bytes of shared memory, which the kernel zeroed and earlier frames overwrote:
        // every value is a valid u8.
        let sample = unsafe { claim.assume_init() };
        told(sample.send())?;
        self.notify()
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        let sample = told(self.publisher.loan_slice_uninit(source.len()))?;
        told(sample.write_from_slice(source).send())?;
        self.notify()
    }

    fn burden(&mut self) -> Result<Option<usize>> {
        told(self.publisher.update_connections())?;
        Ok(Some(self.service.frames.dynamic_config().number_of_subscribers()))
    }
}

impl IceoryxProducer {
    #[inline]
    fn notify(&self) -> Result<()> {
        if let Some(notifier) = &self.notifier {
            told(notifier.notify())?;
        }
        Ok(())
    }
}

impl Consumer for IceoryxConsumer {
    type Held = Sample<Ipc, [u8], ()>;

    #[inline]
    fn poll(&mut self) -> Result<Option<Self::Held>> {
        told(self.subscriber.receive())
    }

    #[inline]
    fn wait(&mut self) -> Result<Self::Held> {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(sample) = self.poll()? {
                return Ok(sample);
            }
            if Instant::now() > deadline {
                bail!("iceoryx2: no frame in time");
            }
            self.sleep(SOON)?;
        }
    }

    fn read(&mut self, sample: &Self::Held) -> Result<Seen> {
        Ok(read_all(sample.payload()))
    }

    #[inline]
    fn release(&mut self, sample: Self::Held) -> Result<()> {
        drop(sample);
        Ok(())
    }

    fn wait_for_end(&mut self, limit: Duration) -> Result<bool> {
        // Nothing in its API tells a listener; whatever wakes it up is looked at.
        let deadline = Instant::now() + limit;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            self.sleep(left)?;
            if self._service.frames.dynamic_config().number_of_publishers() == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl IceoryxConsumer {
    fn listen(&mut self) -> Result<()> {
        if self.wait == Wait::Poll {
            return Ok(());
        }
        let listener = told(self._service.events.listener_builder().create())?;
        // A wait-set borrows what it watches: both live as long as the process.
        let listener: &'static Listener<Ipc> = Box::leak(Box::new(listener));
        self.listener = Some(listener);
        if self.wait == Wait::Fd {
            let waitset = told(WaitSetBuilder::new().create::<Ipc>())?;
            let waiter: &'static Waiter = Box::leak(Box::new((waitset, listener)));
            self.guard = Some(told(waiter.0.attach_notification(waiter.1))?);
            self.waiter = Some(waiter);
        }
        Ok(())
    }

    #[inline]
    fn sleep(&self, limit: Duration) -> Result<()> {
        let Some(listener) = self.listener else { bail!("iceoryx2: nothing to sleep on") };
        match self.waiter {
            None => drop(told(listener.timed_wait(|_| {}, limit))?),
            Some((waitset, _)) => {
                let on_event = |_| CallbackProgression::Continue;
                told(waitset.wait_and_process_once_with_timeout(on_event, limit))?;
                told(listener.try_wait(|_| {}))?;
            }
        }
        Ok(())
    }
}
