//! Attaching: Hello, Welcome, Ready, descriptors, and distrust of each.

use super::attachment::{Attachment, ClientDevice};
use super::bell::ClientBell;
use super::lane_info::LaneInfo;
use super::options::ConsumerOptions;
use crate::clock::{Deadline, timespec};
use crate::error::{Error, Result, protocol};
use crate::failpoint::step;
use crate::fork;
use crate::layout::layout::{BELL_MAGIC, PAGE_MAGIC};
use crate::layout::limit::{DEVICE_BUFFERS, LAYOUT_TABLE_BYTES};
use crate::layout::{
    BellKind, Bye, ErrorKind, FdKind, Fds, Hello, MemoryKind, MessageType, Ready, Refused, Welcome,
};
use crate::layout_diff::first_difference;
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::view::{BellView, LaneView, PageView, read_struct};
use crate::wire::message;
use crate::wire::peer;
use crate::wire::socket::{self, Received};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use zerocopy::IntoBytes;

/// How long a producer may take for each answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Memory kinds this build reads, as bits of a Hello.
const MEMORY_KINDS: u32 =
    1 << MemoryKind::Inline as u32 | 1 << MemoryKind::Memfd as u32 | 1 << MemoryKind::Dmabuf as u32;

/// The largest packet a producer sends, descriptors apart.
const PACKET_BYTES: usize = 1024;

/// Runs the handshake on a fresh connection.
///
/// # Errors
/// What the producer refused with; `TimedOut` when it does not answer; `Disconnected` when it
/// hangs up; `Protocol` when what it sends cannot be believed.
pub(crate) fn attach(
    lane: &str,
    options: &ConsumerOptions,
    connection: OwnedFd,
) -> Result<Attachment> {
    let welcome = greet(lane, options, &connection)?;
    step("attach.welcomed");
    let mut ready: Ready = message::new();
    ready.consumer_id = welcome.consumer_id;
    send(&connection, ready.as_bytes())?;
    step("attach.ready");
    let parcel = Parcel::receive(&connection, &welcome)?;
    step("attach.received");
    let attachment = parcel.open(lane, options, connection, &welcome)?;
    step("attach.mapped");
    Ok(attachment)
}

fn greet(lane: &str, options: &ConsumerOptions, connection: &OwnedFd) -> Result<Welcome> {
    let mut hello: Hello = message::new();
    message::put_text(&mut hello.lane, lane);
    hello.leases = options.leases;
    hello.memory_kinds = MEMORY_KINDS;
    hello.mode = options.mode.number();
    hello.wants_writable = options.wants_writable.into();
    // If the producer has refused and hung up already, its reason is there to be read.
    let _ = send(connection, hello.as_bytes());
    step("attach.hello");
    let packet = receive(connection, &mut Vec::new())?;
    match message::header(&packet)?.message_type {
        kind if kind == MessageType::Refused.number() => return Err(refusal(&packet, connection)),
        kind if kind == MessageType::Bye.number() => return Err(farewell(&packet)),
        _ => {}
    }
    let welcome: Welcome = message::read(&packet)?;
    let believable = welcome.leases == options.leases
        && (1..=8).contains(&welcome.fd_messages)
        && u64::from(welcome.device_buffers) <= DEVICE_BUFFERS;
    if !believable {
        return Err(protocol(format!(
            "welcomed with {} leases, {} messages and {} buffers",
            welcome.leases, welcome.fd_messages, welcome.device_buffers
        )));
    }
    Ok(welcome)
}

/// The error in a Refused; its first bytes are the same in every layout.
fn refusal(packet: &[u8], connection: &OwnedFd) -> Error {
    let Ok(refused) = message::read::<Refused>(packet) else {
        let text = "the producer was built from another layout, and its refusal cannot be read";
        return Error::new(ErrorKind::LayoutMismatch, text);
    };
    let error = message::carried(refused.kind, &refused.text);
    if refused.table_bytes == 0 || u64::from(refused.table_bytes) > LAYOUT_TABLE_BYTES {
        return error;
    }
    match receive_up_to(connection, refused.table_bytes as usize, &mut Vec::new()) {
        Ok(table) => {
            let difference = first_difference(&String::from_utf8_lossy(&table));
            Error::new(error.kind(), format!("{error}: {difference}"))
        }
        Err(_) => error,
    }
}

/// The error in a Bye.
fn farewell(packet: &[u8]) -> Error {
    match message::read::<Bye>(packet) {
        // The lane ended, not this consumer, who may meet the next producer.
        Ok(bye) if bye.kind == ErrorKind::Closed.number() => hung_up(),
        Ok(bye) => message::carried(bye.kind, &bye.text),
        Err(error) => error,
    }
}

fn send(connection: &OwnedFd, packet: &[u8]) -> Result<()> {
    socket::send(connection, packet).map_err(|errno| match errno {
        rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET => hung_up(),
        errno => Error::system("talking to the producer", errno),
    })
}

fn hung_up() -> Error {
    Error::new(ErrorKind::Disconnected, "the producer hung up during the handshake")
}

fn receive(connection: &OwnedFd, fds: &mut Vec<OwnedFd>) -> Result<Vec<u8>> {
    receive_up_to(connection, PACKET_BYTES, fds)
}

fn receive_up_to(
    connection: &OwnedFd,
    room: usize,
    fds: &mut Vec<OwnedFd>,
) -> Result<Vec<u8>> {
    let deadline = Deadline::after(ANSWER);
    let mut packet = vec![0; room];
    loop {
        match socket::receive_fds(connection, &mut packet, fds)? {
            Received::Packet(length) if length > room => {
                return Err(protocol(format!("a packet of {length} bytes")));
            }
            // A ring can come before the last descriptors: it says nothing yet.
            Received::Packet(1) if room == PACKET_BYTES => continue,
            Received::Packet(length) => {
                packet.truncate(length);
                return Ok(packet);
            }
            Received::HungUp => return Err(hung_up()),
            Received::Nothing => {}
        }
        let Some(left) = deadline.left() else {
            let text = format!("the producer does not answer within {} s", ANSWER.as_secs());
            return Err(Error::new(ErrorKind::TimedOut, text));
        };
        let mut polled = [PollFd::new(connection, PollFlags::IN)];
        match poll(&mut polled, Some(&timespec(left))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::system("poll", errno)),
        }
    }
}

/// The descriptors of one lane, by their meaning.
#[derive(Default)]
struct Parcel {
    lane: Option<OwnedFd>,
    page: Option<OwnedFd>,
    bell_page: Option<OwnedFd>,
    eventfd: Option<OwnedFd>,
    devices: Vec<(FdKind, OwnedFd)>,
}

impl Parcel {
    fn receive(connection: &OwnedFd, welcome: &Welcome) -> Result<Self> {
        let mut parcel = Parcel::default();
        for _ in 0..welcome.fd_messages {
            let mut fds = Vec::new();
            let packet = receive(connection, &mut fds)?;
            if message::header(&packet)?.message_type == MessageType::Bye.number() {
                return Err(farewell(&packet));
            }
            let message: Fds = message::read(&packet)?;
            parcel.sort(&message, fds)?;
        }
        if parcel.devices.len() != welcome.device_buffers as usize {
            let (got, want) = (parcel.devices.len(), welcome.device_buffers);
            return Err(protocol(format!("{got} device buffers came, {want} were announced")));
        }
        Ok(parcel)
    }

    fn sort(&mut self, message: &Fds, fds: Vec<OwnedFd>) -> Result<()> {
        let count = message.count as usize;
        if count != fds.len() || count > message.kinds.len() {
            return Err(protocol(format!("{} descriptors came, {count} announced", fds.len())));
        }
        for (&number, fd) in message.kinds.iter().zip(fds) {
            let Some(kind) = FdKind::from_number(number) else {
                return Err(protocol(format!("{number} is no kind of descriptor")));
            };
            let place = match kind {
                FdKind::Lane => &mut self.lane,
                FdKind::Page => &mut self.page,
                FdKind::BellPage => &mut self.bell_page,
                FdKind::Eventfd => &mut self.eventfd,
                FdKind::DeviceMemfd | FdKind::DeviceDmabuf => {
                    self.devices.push((kind, fd));
                    continue;
                }
            };
            if place.replace(fd).is_some() {
                return Err(protocol(format!("two descriptors of kind {}", kind.name())));
            }
        }
        Ok(())
    }

    /// Maps what was received, each only after its seals and size are known to be safe.
    fn open(
        self,
        name: &str,
        options: &ConsumerOptions,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<Attachment> {
        let missing = |what: &str| protocol(format!("the producer sent no {what} descriptor"));
        let (lane, mut info) = open_lane(&self.lane.ok_or_else(|| missing("lane"))?)?;
        if info.epoch != welcome.epoch || info.name != name {
            let text = format!("lane {:?} of epoch {:#x} came instead", info.name, info.epoch);
            return Err(protocol(text));
        }
        info.consumer_id = welcome.consumer_id;
        info.leases = welcome.leases;
        let page = open_page(&self.page.ok_or_else(|| missing("page"))?, &info, options)?;
        let bell = match BellKind::from_number(welcome.bell) {
            Some(BellKind::Shared) => {
                ClientBell::Shared { eventfd: self.eventfd.ok_or_else(|| missing("eventfd"))? }
            }
            Some(BellKind::Private) => {
                let fd = self.bell_page.ok_or_else(|| missing("bell page"))?;
                ClientBell::Private { word: Arc::new(open_bell(&fd)?) }
            }
            None => return Err(protocol(format!("{} is no kind of bell", welcome.bell))),
        };
        let devices = self.devices.into_iter().map(open_device).collect::<Result<_>>()?;
        let producer = peer::credentials(&connection)?;
        let (pidfd, _) = peer::watch(&connection, producer);
        Ok(Attachment {
            info,
            lane: Arc::new(lane),
            page,
            bell,
            socket: connection,
            pidfd,
            devices,
            lost: AtomicBool::new(false),
            generation: fork::generation(),
        })
    }
}

fn open_lane(fd: &OwnedFd) -> Result<(LaneView, LaneInfo)> {
    let bytes = memfd::sealed_size(fd, "the lane's memory")?;
    if bytes < (size_of::<crate::layout::LaneHeader>() + crate::mem::view::SLOTS_BYTES) as u64 {
        return Err(protocol(format!("lane memory of {bytes} bytes is too small for a lane")));
    }
    // Stays inherited by a child: a stray view of a frame must not fault there.
    let map = Mapping::read_only(fd, bytes)?;
    // Copied once; only the copy is believed.
    let info = LaneInfo::from_header(&read_struct(&map, 0), bytes)?;
    map.populate()?;
    let lane = LaneView::new(map, info.slots_offset)?;
    Ok((lane, info))
}

fn open_page(fd: &OwnedFd, info: &LaneInfo, options: &ConsumerOptions) -> Result<PageView> {
    let bytes = memfd::sealed_size(fd, "the consumer page")?;
    if bytes < size_of::<crate::layout::ConsumerPage>() as u64 {
        return Err(protocol(format!("a consumer page of {bytes} bytes is too small")));
    }
    let map = Mapping::writable(fd, bytes)?.keep_from_children()?;
    map.populate()?;
    let page = PageView::new(map)?;
    let found = page.snapshot();
    let ours = found.magic == PAGE_MAGIC
        && found.epoch == info.epoch
        && found.consumer_id == info.consumer_id
        && found.leases == info.leases
        && found.mode == options.mode.number();
    if !ours {
        return Err(protocol("the consumer page that came is not this consumer's"));
    }
    Ok(page)
}

fn open_bell(fd: &OwnedFd) -> Result<BellView> {
    let bytes = memfd::sealed_size(fd, "the bell page")?;
    if bytes < size_of::<crate::layout::BellPage>() as u64 {
        return Err(protocol(format!("a bell page of {bytes} bytes is too small")));
    }
    let map = Mapping::read_only(fd, bytes)?;
    let found: crate::layout::BellPage = read_struct(&map, 0);
    if found.magic != BELL_MAGIC {
        return Err(protocol("the bell page that came is none"));
    }
    BellView::new(map)
}

fn open_device((kind, fd): (FdKind, OwnedFd)) -> Result<ClientDevice> {
    let bytes = match kind {
        FdKind::DeviceDmabuf => memfd::dma_buf_size(&fd, "a device buffer")?,
        _ => memfd::sealed_size(&fd, "a device buffer")?,
    };
    Ok(ClientDevice { fd, bytes, view: Default::default() })
}
