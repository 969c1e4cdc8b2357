//! A producer by hand: a listener that can hand out anything.

use super::wire::{Heard, Line, bytes, header, socket};
use crate::common::{DEADLINE, LANE, Place};
use framelane::layout::layout::{LANE_MAGIC, PAGE_MAGIC, VERSION};
use framelane::layout::{
    BellKind, ConsumerPage, FdKind, Fds, Hello, LAYOUT_HASH, LaneHeader, LaneKind, MemoryKind,
    MessageType, Mode, Ready, Slot, SlotPhase, Welcome,
};
use framelane::{Consumer, ConsumerOptions};
use memmap2::{MmapOptions, MmapRaw};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::SocketAddrUnix;
use std::fs::File;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use zerocopy::{FromZeros, IntoBytes};

/// Listens where a producer would.
pub struct Impostor(OwnedFd);

impl Impostor {
    pub fn new(place: &Place) -> Impostor {
        Self::with_queue(place, 64)
    }

    pub fn with_queue(place: &Place, queue: i32) -> Impostor {
        let listener = socket();
        let path = place.path().join(format!("{LANE}.sock"));
        let _ = std::fs::remove_file(&path);
        rustix::net::bind(&listener, &SocketAddrUnix::new(path).unwrap()).unwrap();
        rustix::net::listen(&listener, queue).unwrap();
        Impostor(listener)
    }

    pub fn accept(&self) -> Line {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        let timeout = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
        assert_eq!(poll(&mut polled, Some(&timeout)).unwrap(), 1, "nobody connects");
        Line(rustix::net::accept(&self.0).unwrap())
    }

    /// Plays the producer for one attach; what the consumer makes of it, and the line.
    pub fn attach<T: Send>(
        place: &Place,
        options: ConsumerOptions,
        play: impl FnOnce(Line) -> T + Send,
    ) -> (framelane::Result<Consumer>, T) {
        let impostor = Impostor::new(place);
        std::thread::scope(|scope| {
            let player = scope.spawn(move || play(impostor.accept()));
            let opened = place.try_consumer(options);
            (opened, player.join().expect("the impostor plays its part"))
        })
    }
}

/// Shared memory written past every seal, the way whoever mapped it before sealing can.
pub struct Memory {
    pub fd: OwnedFd,
    map: MmapRaw,
    own: File,
}

impl Memory {
    pub fn new(size: u64, seals: SealFlags) -> Memory {
        let fd = memfd(size, MemfdFlags::empty());
        let reserve = rustix::fs::FallocateFlags::empty();
        rustix::fs::fallocate(&fd, reserve, 0, size).unwrap();
        Self::sealed(fd, seals)
    }

    /// Memory that is there only where it was written.
    pub fn sparse(size: u64, seals: SealFlags) -> Memory {
        Self::sealed(memfd(size, MemfdFlags::empty()), seals)
    }

    fn sealed(fd: OwnedFd, seals: SealFlags) -> Memory {
        let map = MmapOptions::new().map_raw(&fd).unwrap();
        rustix::fs::fcntl_add_seals(&fd, seals).unwrap();
        let own = File::options().write(true).open("/proc/self/mem").unwrap();
        Memory { fd, map, own }
    }

    /// Sealed as an honest producer seals its lane.
    pub fn lane(size: u64) -> Memory {
        let size_seals = SealFlags::SHRINK | SealFlags::GROW;
        Memory::new(size, size_seals | SealFlags::FUTURE_WRITE | SealFlags::SEAL)
    }

    pub fn write(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.map.len());
        self.own.write_all_at(bytes, self.map.as_ptr() as u64 + at as u64).unwrap();
    }

    pub fn word(&self, at: usize, value: u64) {
        self.write(at, &value.to_ne_bytes());
    }
}

pub fn memfd(size: u64, flags: MemfdFlags) -> OwnedFd {
    let flags = flags | MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("impostor", flags).unwrap();
    rustix::fs::ftruncate(&fd, size).unwrap();
    fd
}

/// Everything a producer hands out, believable until a test spoils it.
pub struct Goods {
    pub header: LaneHeader,
    pub lane: Memory,
    pub page: ConsumerPage,
    pub page_memory: Memory,
    pub bell: OwnedFd,
    pub welcome: Welcome,
    pub kinds: Vec<u8>,
}

pub const SLOTS: u32 = 4;
const SLOTS_AT: u64 = size_of::<LaneHeader>() as u64;
const PAYLOAD_AT: u64 = (SLOTS_AT + 64 * size_of::<Slot>() as u64).next_multiple_of(4096);
pub const LANE_BYTES: u64 = PAYLOAD_AT + SLOTS as u64 * 4096;
const EPOCH: u64 = 7;
const ID: u32 = 5;

impl Default for Goods {
    fn default() -> Self {
        let mut header = LaneHeader::new_zeroed();
        header.magic = LANE_MAGIC;
        header.layout_hash = LAYOUT_HASH;
        header.layout_version = VERSION as u32;
        header.header_bytes = size_of::<LaneHeader>() as u32;
        header.epoch = EPOCH;
        header.total_bytes = LANE_BYTES;
        header.slots_offset = SLOTS_AT;
        header.payload_offset = PAYLOAD_AT;
        header.payload_stride = 4096;
        header.payload_bytes = 4096;
        header.page_bytes = 4096;
        header.slot_count = SLOTS;
        header.history = 1;
        header.claims = 1;
        header.lease_budget = 1;
        header.lane_kind = LaneKind::Frame.number();
        header.memory_kind = MemoryKind::Inline.number();
        header.name[..LANE.len()].copy_from_slice(LANE.as_bytes());
        let mut page = ConsumerPage::new_zeroed();
        page.magic = PAGE_MAGIC;
        page.epoch = EPOCH;
        page.layout_hash = LAYOUT_HASH;
        page.consumer_id = ID;
        page.leases = 1;
        page.mode = Mode::Latest.number();
        let mut welcome = Welcome::new_zeroed();
        welcome.header = super::wire::header(MessageType::Welcome, size_of::<Welcome>());
        welcome.epoch = EPOCH;
        welcome.consumer_id = ID;
        welcome.leases = 1;
        welcome.fd_messages = 1;
        welcome.bell = BellKind::Shared.number();
        Goods {
            header,
            lane: Memory::lane(LANE_BYTES),
            page,
            page_memory: Memory::new(4096, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap(),
            welcome,
            kinds: [FdKind::Lane, FdKind::Page, FdKind::Eventfd].map(FdKind::number).to_vec(),
        }
    }
}

impl Goods {
    /// Puts the header and page where the consumer will look.
    pub fn pack(&mut self) {
        let header = self.header.as_mut_bytes();
        self.lane.write(0, header);
        let page = self.page.as_mut_bytes();
        self.page_memory.write(0, page);
    }

    pub fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.lane.fd.as_fd(), self.page_memory.fd.as_fd(), self.bell.as_fd()]
    }

    /// The whole handshake, handing out these goods.
    pub fn serve(&mut self, line: &Line) {
        self.pack();
        self.serve_fds(line, &self.fds());
    }

    /// The whole handshake, handing out other descriptors.
    pub fn serve_fds(&self, line: &Line, fds: &[BorrowedFd<'_>]) {
        line.message::<Hello>();
        line.send(bytes(&self.welcome)).unwrap();
        if let Heard::Packet(packet, _) = line.hear() {
            assert_eq!(packet.len(), size_of::<Ready>());
            let _ = line.send_fds(bytes(&fds_message(&self.kinds)), fds);
        }
    }

    /// Makes frame `sequence` the newest, in `slot`.
    pub fn publish(&self, sequence: u64, slot: usize) {
        let token = sequence << 6 | slot as u64;
        self.state(slot, sequence << 2 | SlotPhase::Ready as u64);
        let recent = offset_of!(LaneHeader, recent) + (sequence % 64) as usize * 8;
        self.lane.word(recent, token);
        self.lane.word(offset_of!(LaneHeader, head), token);
    }

    pub fn state(&self, slot: usize, state: u64) {
        self.lane.word(Self::slot(slot) + offset_of!(Slot, state), state);
    }

    /// Offset of a slot in lane memory.
    pub fn slot(slot: usize) -> usize {
        SLOTS_AT as usize + slot * size_of::<Slot>()
    }

    pub fn descriptor(&self, slot: usize, descriptor: &framelane::FrameDescriptor) {
        self.lane.write(Self::slot(slot) + offset_of!(Slot, descriptor), descriptor.as_bytes());
    }
}

/// An Fds message of these kinds.
pub fn fds_message(kinds: &[u8]) -> Fds {
    let mut fds = Fds::new_zeroed();
    fds.header = header(MessageType::Fds, size_of::<Fds>());
    fds.count = kinds.len() as u32;
    fds.kinds[..kinds.len().min(256)].copy_from_slice(&kinds[..kinds.len().min(256)]);
    fds
}
