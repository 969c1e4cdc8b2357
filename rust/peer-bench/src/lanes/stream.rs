//! Byte streams that copy each frame into the kernel and out again: Unix stream socket, TCP over
//! loopback, pipe. One connection for each consumer, buffers as the system makes them.

use super::{Consumer, Lane, Name, Producer, Seen, Setup, Wait, read_all};
use crate::shared::Shared;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::time::Timespec;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One kind of byte stream.
pub trait Kind {
    const NAME: Name;
    type Listener;
    type Stream: Read + Write + AsFd;

    fn listen(setup: &Setup) -> Result<Self::Listener>;
    fn accept(setup: &Setup, listener: &Self::Listener, index: usize) -> Result<Self::Stream>;
    fn connect(setup: &Setup, index: usize) -> Result<Self::Stream>;
}

pub struct Stream<K>(PhantomData<K>);

pub struct StreamProducer<K: Kind> {
    setup: Setup,
    listener: K::Listener,
    streams: Vec<K::Stream>,
    /// The frame, in the producer's own memory.
    frame: Vec<u8>,
}

pub struct StreamConsumer<K: Kind> {
    stream: K::Stream,
    frame: Vec<u8>,
}

impl<K: Kind> Lane for Stream<K> {
    type Producer = StreamProducer<K>;
    type Consumer = StreamConsumer<K>;

    fn producer(setup: &Setup, _shared: &'static Shared) -> Result<StreamProducer<K>> {
        if setup.wait != Wait::Sleep {
            bail!("streams block");
        }
        let listener = K::listen(setup).with_context(|| format!("{:?}: listening", K::NAME))?;
        let frame = vec![1; setup.bytes()];
        Ok(StreamProducer { setup: setup.clone(), listener, streams: Vec::new(), frame })
    }

    fn consumer(setup: &Setup, _: &'static Shared, index: usize) -> Result<StreamConsumer<K>> {
        let stream = K::connect(setup, index)?;
        Ok(StreamConsumer { stream, frame: vec![1; setup.bytes()] })
    }
}

impl<K: Kind> StreamProducer<K> {
    fn send(&mut self, source: Option<&[u8]>) -> Result<()> {
        while self.streams.len() < self.setup.consumers {
            let index = self.streams.len();
            self.streams.push(K::accept(&self.setup, &self.listener, index)?);
        }
        let bytes = source.unwrap_or(&self.frame);
        for stream in &mut self.streams {
            stream.write_all(bytes)?;
        }
        Ok(())
    }
}

impl<K: Kind> Producer for StreamProducer<K> {
    type Claim = ();

    fn claim(&mut self) -> Result<()> {
        Ok(())
    }

    fn describe(&mut self, _claim: &mut (), sequence: u64) {
        self.frame[..8].copy_from_slice(&sequence.to_ne_bytes());
        self.frame[8..16].copy_from_slice(&sequence.to_ne_bytes());
    }

    fn publish(&mut self, _claim: ()) -> Result<()> {
        self.send(None)
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        self.send(Some(source))
    }
}

impl<K: Kind> Consumer for StreamConsumer<K> {
    type Held = ();

    fn poll(&mut self) -> Result<Option<()>> {
        bail!("streams block")
    }

    fn wait(&mut self) -> Result<()> {
        self.stream.read_exact(&mut self.frame)?;
        Ok(())
    }

    fn read(&mut self, _held: &()) -> Result<Seen> {
        Ok(read_all(&self.frame))
    }

    fn release(&mut self, _held: ()) -> Result<()> {
        Ok(())
    }

    fn wait_for_end(&mut self, limit: Duration) -> Result<bool> {
        let deadline = Instant::now() + limit;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let left =
                Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&left))?;
            match self.stream.read(&mut self.frame) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

/// Unix stream socket.
pub struct Unix;

impl Kind for Unix {
    const NAME: Name = Name::Unix;
    type Listener = UnixListener;
    type Stream = UnixStream;

    fn listen(setup: &Setup) -> Result<UnixListener> {
        Ok(UnixListener::bind(setup.place.join("stream"))?)
    }
    fn accept(_: &Setup, listener: &UnixListener, _: usize) -> Result<UnixStream> {
        Ok(listener.accept()?.0)
    }
    fn connect(setup: &Setup, _: usize) -> Result<UnixStream> {
        Ok(UnixStream::connect(setup.place.join("stream"))?)
    }
}

/// TCP over loopback, without Nagle's delay.
pub struct Tcp;

impl Kind for Tcp {
    const NAME: Name = Name::Tcp;
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn listen(setup: &Setup) -> Result<TcpListener> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        std::fs::write(setup.place.join("port"), port.to_string())?;
        Ok(listener)
    }
    fn accept(_: &Setup, listener: &TcpListener, _: usize) -> Result<TcpStream> {
        let stream = listener.accept()?.0;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
    fn connect(setup: &Setup, _: usize) -> Result<TcpStream> {
        let port: u16 = std::fs::read_to_string(setup.place.join("port"))?.parse()?;
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Pipe, with a name so that both sides find it.
pub struct Pipe;

fn pipe_path(setup: &Setup, index: usize) -> PathBuf {
    setup.place.join(format!("pipe{index}"))
}

impl Kind for Pipe {
    const NAME: Name = Name::Pipe;
    type Listener = ();
    type Stream = File;

    fn listen(setup: &Setup) -> Result<()> {
        for index in 0..setup.consumers {
            mkfifoat(CWD, pipe_path(setup, index), Mode::RUSR | Mode::WUSR)?;
        }
        Ok(())
    }
    fn accept(setup: &Setup, _: &(), index: usize) -> Result<File> {
        Ok(OpenOptions::new().write(true).open(pipe_path(setup, index))?)
    }
    fn connect(setup: &Setup, index: usize) -> Result<File> {
        // Opening for reading alone would wait for the writer.
        Ok(OpenOptions::new().read(true).write(true).open(pipe_path(setup, index))?)
    }
}
