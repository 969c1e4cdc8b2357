//! The answers to a Hello: whether a consumer is admitted, and with what.

use super::base::{Base, Served};
use super::bell::Bell;
use super::facts::Facts;
use super::member::Member;
use super::options::{Access, Trust};
use crate::clock::monotonic_ns;
use crate::error::{Error, Result, protocol};
use crate::failpoint::step;
use crate::layout::layout::{BELL_MAGIC, PAGE_MAGIC};
use crate::layout::limit::FDS_PER_MESSAGE;
use crate::layout::{
    BellPage, ConsumerPage, ErrorKind, FdKind, Fds, Hello, LAYOUT_HASH, LaneFlag, LaneKind,
    MemoryKind, Mode, Welcome,
};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::view::{BellView, PageView, write_struct};
use crate::wire::peer::Peer;
use crate::wire::{message, socket};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use zerocopy::{FromZeros, IntoBytes};

/// What a consumer gets after its Ready; dropped once sent.
pub(crate) struct Parcel {
    page: OwnedFd,
    bell_page: Option<OwnedFd>,
    bell: Arc<Bell>,
}

/// Who may connect at all. The socket's mode has already kept strangers out of `Group` lanes.
pub(crate) fn refuse_stranger(facts: &Facts, peer: Peer) -> Result<()> {
    let own = peer.uid == facts.uid;
    let allowed = match (facts.trust, facts.access) {
        (Trust::TrustedOnly, _) => own,
        (_, Access::Owner) => own || peer.uid == 0,
        (_, Access::Group(_) | Access::Everyone) => true,
    };
    if allowed {
        return Ok(());
    }
    let text =
        format!("lane {:?} admits only user {}, not user {}", facts.name, facts.uid, peer.uid);
    Err(Error::new(ErrorKind::PermissionDenied, text))
}

/// Reads a Hello of this layout and checks all of it that needs no state.
pub(crate) fn read_hello(facts: &Facts, packet: &[u8]) -> Result<(Hello, Mode)> {
    if message::header(packet)?.layout_hash != LAYOUT_HASH {
        let text = format!(
            "lane {:?} has layout {LAYOUT_HASH:#018x}, the consumer was built for another",
            facts.name
        );
        return Err(Error::new(ErrorKind::LayoutMismatch, text));
    }
    let hello: Hello = message::read(packet)?;
    let asked = message::text(&hello.lane)?;
    if asked != facts.name {
        return Err(protocol(format!("asked for lane {asked:?}, this is {:?}", facts.name)));
    }
    let mode = Mode::from_number(hello.mode)
        .ok_or_else(|| protocol(format!("{} is no reading mode", hello.mode)))?;
    if mode == Mode::Lossless && facts.flags & LaneFlag::LOSSLESS == 0 {
        let text = format!("lane {:?} does not admit lossless consumers", facts.name);
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    refuse_other_kind(facts, &hello)?;
    Ok((hello, mode))
}

fn refuse_other_kind(facts: &Facts, hello: &Hello) -> Result<()> {
    let wanted = match (hello.wants_stream != 0, hello.wants_switch != 0) {
        (false, false) => LaneKind::Frame,
        (true, false) => LaneKind::Stream,
        (false, true) => LaneKind::Switch,
        (true, true) => return Err(protocol("a stream and a switch were asked for in one")),
    };
    let text = match facts.lane_kind {
        kind if kind == wanted => return Ok(()),
        LaneKind::Frame => "is a frame lane: open it with a Consumer",
        LaneKind::Stream => "is a stream lane: open it with a StreamReader",
        LaneKind::Switch => "is a switch: open it with a Switch",
    };
    Err(Error::new(ErrorKind::Unsupported, format!("lane {:?} {text}", facts.name)))
}

/// Makes a consumer LIVE. Its Welcome is sent only afterwards, so that every claim that could
/// overlook it comes before its first borrow.
pub(crate) fn admit(
    lane: &dyn Served,
    id: u32,
    peer: Peer,
    connection: &Arc<OwnedFd>,
    hello: &Hello,
    mode: Mode,
) -> Result<(Parcel, Welcome)> {
    let base = lane.base();
    let (page_fd, own_page, first) = consumer_page(&base.facts, id, hello, mode)?;
    let (bell, bell_page) = bell(&base.facts, peer, connection)?;
    let bell = Arc::new(bell);
    let member = Member {
        id,
        pid: peer.pid,
        uid: peer.uid,
        leases: hello.leases as usize,
        mode,
        page: own_page,
        bell: bell.clone(),
        attached_ns: monotonic_ns(),
        revoked: 0,
        answered: 0,
        cursor: 0,
        key_answered: 0,
    };
    lane.join(member, peer, hello, &first)?;
    step("admit.live");
    let welcome = welcome(&base.facts, id, hello.leases, &bell);
    Ok((Parcel { page: page_fd, bell_page, bell }, welcome))
}

/// The page to hand out, our read-only view of it, and the view its first words are written with.
fn consumer_page(
    facts: &Facts,
    id: u32,
    hello: &Hello,
    mode: Mode,
) -> Result<(OwnedFd, PageView, PageView)> {
    let bytes = rustix::param::page_size() as u64;
    let name = format!("framelane-page:{}", facts.name);
    let fd = memfd::create(&name, bytes, false)?;
    memfd::reserve(&fd, bytes, &name)?;
    let writable = Mapping::writable(&fd, bytes)?.keep_from_children()?;
    let mut page = ConsumerPage::new_zeroed();
    page.magic = PAGE_MAGIC;
    page.epoch = facts.epoch;
    page.layout_hash = LAYOUT_HASH;
    page.consumer_id = id;
    page.leases = hello.leases;
    page.mode = mode.number();
    write_struct(&writable, page);
    // The consumer may write, but never change the size under our feet.
    memfd::seal_size(&fd)?;
    let own = Mapping::read_only(&fd, bytes)?.keep_from_children()?;
    own.populate()?;
    // Against reclaim of a page whose loss would cost a fault under the mutex; best effort.
    if let Err(error) = own.lock() {
        tracing::debug!(%error, "a consumer page stays unlocked");
    }
    Ok((fd, PageView::new(own)?, PageView::new(writable)?))
}

/// Whether a consumer sleeps on the lane's own word. Nobody does where other users may map the
/// lane: thousands of them asleep on that word would make each wake-up slow.
fn shares_bell(facts: &Facts, peer: Peer) -> bool {
    let among_ourselves = facts.access == Access::Owner || facts.trust == Trust::TrustedOnly;
    facts.trust != Trust::Untrusted && among_ourselves && peer.uid == facts.uid
}

fn bell(facts: &Facts, peer: Peer, connection: &Arc<OwnedFd>) -> Result<(Bell, Option<OwnedFd>)> {
    if shares_bell(facts, peer) {
        return Ok((Bell::shared()?, None));
    }
    let bytes = rustix::param::page_size() as u64;
    let fd = memfd::create("framelane-bell", bytes, false)?;
    memfd::reserve(&fd, bytes, "a bell page")?;
    let map = Mapping::writable(&fd, bytes)?.keep_from_children()?;
    let mut page = BellPage::new_zeroed();
    page.magic = BELL_MAGIC;
    write_struct(&map, page);
    memfd::seal_read_only(&fd)?;
    let word = BellView::new(map)?;
    Ok((Bell::Private { word, socket: connection.clone() }, Some(fd)))
}

fn welcome(facts: &Facts, id: u32, leases: u32, bell: &Bell) -> Welcome {
    let devices = facts.devices.len() as u32;
    let mut welcome: Welcome = message::new();
    welcome.epoch = facts.epoch;
    welcome.consumer_id = id;
    welcome.leases = leases;
    // Lane, page and one bell descriptor come before the devices.
    welcome.fd_messages = (3 + devices).div_ceil(FDS_PER_MESSAGE as u32);
    welcome.device_buffers = devices;
    welcome.bell = bell.kind().number();
    welcome
}

/// Sends the descriptors a Welcome announced.
pub(crate) fn send_parcel(lane: &Base, connection: &OwnedFd, parcel: &Parcel) -> Result<()> {
    let mut items = vec![(FdKind::Lane, lane.memory.as_fd()), (FdKind::Page, parcel.page.as_fd())];
    match (&*parcel.bell, &parcel.bell_page) {
        (Bell::Shared { eventfd }, _) => items.push((FdKind::Eventfd, eventfd.as_fd())),
        (Bell::Private { .. }, Some(fd)) => items.push((FdKind::BellPage, fd.as_fd())),
        (Bell::Private { .. }, None) => unreachable!("a private bell is made with its page"),
    }
    items.extend(lane.facts.devices.iter().map(|device| match device.kind {
        MemoryKind::Dmabuf => (FdKind::DeviceDmabuf, device.fd.as_fd()),
        _ => (FdKind::DeviceMemfd, device.fd.as_fd()),
    }));
    let mut first_device = 0;
    for chunk in items.chunks(FDS_PER_MESSAGE as usize) {
        let mut fds: Fds = message::new();
        fds.count = chunk.len() as u32;
        fds.first_device = first_device;
        for (kind, (item, _)) in fds.kinds.iter_mut().zip(chunk) {
            *kind = item.number();
        }
        let carried: Vec<BorrowedFd<'_>> = chunk.iter().map(|(_, fd)| *fd).collect();
        socket::send_fds(connection, fds.as_bytes(), &carried).map_err(|errno| match errno {
            rustix::io::Errno::TOOMANYREFS => Error::new(
                ErrorKind::TooMany,
                "too many descriptors of this user are on their way (ETOOMANYREFS)",
            ),
            errno => Error::system("sending the lane's descriptors", errno),
        })?;
        let devices = chunk.iter().filter(|(kind, _)| is_device(*kind)).count();
        first_device += devices as u32;
    }
    Ok(())
}

fn is_device(kind: FdKind) -> bool {
    matches!(kind, FdKind::DeviceMemfd | FdKind::DeviceDmabuf)
}
