//! What a producer hands over after Ready, and distrust of each descriptor.

use super::attachment::{Attachment, ClientDevice};
use super::bell::ClientBell;
use super::handshake::{Wish, farewell, receive};
use super::lane_info::LaneInfo;
use super::tie::{SharedWords, Tie};
use crate::clock::Deadline;
use crate::error::{Error, Result, protocol};
use crate::fork;
use crate::layout::layout::{BELL_MAGIC, PAGE_MAGIC};
use crate::layout::{BellKind, FdKind, Fds, MessageType, Welcome};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::view::{BellView, LaneView, PageView, read_struct};
use crate::wire::{message, peer};
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The largest page of any kernel there is.
const LARGEST_PAGE: u64 = 64 << 10;

/// The descriptors of one lane, by their meaning.
#[derive(Default)]
pub(crate) struct Parcel {
    lane: Option<OwnedFd>,
    page: Option<OwnedFd>,
    bell_page: Option<OwnedFd>,
    eventfd: Option<OwnedFd>,
    devices: Vec<(FdKind, OwnedFd)>,
}

impl Parcel {
    pub(super) fn receive(
        connection: &OwnedFd,
        welcome: &Welcome,
        deadline: Deadline,
    ) -> Result<Self> {
        let mut parcel = Parcel::default();
        for _ in 0..welcome.fd_messages {
            let mut fds = Vec::new();
            let packet = receive(connection, &mut fds, deadline)?;
            if message::header(&packet)?.message_type == MessageType::Bye.number() {
                return Err(farewell(&packet));
            }
            let message: Fds = message::read(&packet)?;
            parcel.sort(&message, fds)?;
            if parcel.devices.len() > welcome.device_buffers as usize {
                break; // more than announced: keep none of the rest open
            }
        }
        if parcel.devices.len() != welcome.device_buffers as usize {
            let (got, want) = (parcel.devices.len(), welcome.device_buffers);
            return Err(protocol(format!("{got} device buffers came, {want} were announced")));
        }
        Ok(parcel)
    }

    pub(super) fn sort(&mut self, message: &Fds, fds: Vec<OwnedFd>) -> Result<()> {
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

    /// Maps a frame lane, each descriptor only after its seals and size are known to be safe.
    pub(super) fn open(
        mut self,
        name: &str,
        wish: &Wish,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<Attachment> {
        let (lane, mut info) = open_lane(&self.lane()?)?;
        refuse_other(name, &info.name, info.epoch, welcome)?;
        super::import::ready(info.memory_kind)?;
        info.consumer_id = welcome.consumer_id;
        info.leases = welcome.leases;
        let lane = Arc::new(lane);
        let devices = std::mem::take(&mut self.devices);
        let devices = devices.into_iter().map(open_device).collect::<Result<_>>()?;
        let tie = self.tie(name, wish, lane.clone(), connection, welcome)?;
        Ok(Attachment { tie, info, lane, devices, imports: Default::default() })
    }

    /// The descriptor of lane memory.
    pub(crate) fn lane(&mut self) -> Result<OwnedFd> {
        self.lane.take().ok_or_else(|| missing("lane"))
    }

    /// Page, bell and connection, once the lane itself is mapped.
    pub(crate) fn tie(
        self,
        name: &str,
        wish: &Wish,
        words: SharedWords,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<Tie> {
        let page = open_page(&self.page.ok_or_else(|| missing("page"))?, wish, welcome)?;
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
        let producer = peer::credentials(&connection)?;
        let (pidfd, _) = peer::watch(&connection, producer);
        Ok(Tie {
            name: name.to_owned(),
            leases: wish.leases,
            words,
            page,
            bell,
            socket: connection,
            pidfd,
            lost: AtomicBool::new(false),
            generation: fork::generation(),
        })
    }
}

fn missing(what: &str) -> Error {
    protocol(format!("the producer sent no {what} descriptor"))
}

/// Refuses the memory of another lane than was asked for.
pub(crate) fn refuse_other(asked: &str, name: &str, epoch: u64, welcome: &Welcome) -> Result<()> {
    if epoch != welcome.epoch || name != asked {
        return Err(protocol(format!("lane {name:?} of epoch {epoch:#x} came instead")));
    }
    Ok(())
}

fn open_lane(fd: &OwnedFd) -> Result<(LaneView, LaneInfo)> {
    let bytes = memfd::settled_size(fd, "the lane's memory")?;
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

/// Size of a page that came: at least what belongs in it, and no more than any kernel's page.
fn page_size(fd: &OwnedFd, least: usize, what: &str) -> Result<u64> {
    let bytes = memfd::sealed_size(fd, what)?;
    if !(least as u64..=LARGEST_PAGE).contains(&bytes) {
        return Err(protocol(format!("{what} has {bytes} bytes, which cannot be")));
    }
    Ok(bytes)
}

fn open_page(fd: &OwnedFd, wish: &Wish, welcome: &Welcome) -> Result<PageView> {
    let bytes = page_size(fd, size_of::<crate::layout::ConsumerPage>(), "the consumer page")?;
    let map = Mapping::writable(fd, bytes)?.keep_from_children()?;
    map.populate()?;
    let page = PageView::new(map)?;
    let found = page.snapshot();
    let ours = found.magic == PAGE_MAGIC
        && found.epoch == welcome.epoch
        && found.consumer_id == welcome.consumer_id
        && found.leases == wish.leases
        && found.mode == wish.mode.number();
    if !ours {
        return Err(protocol("the consumer page that came is not this consumer's"));
    }
    Ok(page)
}

fn open_bell(fd: &OwnedFd) -> Result<BellView> {
    let bytes = page_size(fd, size_of::<crate::layout::BellPage>(), "the bell page")?;
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
