//! Connections to a lane, from connect to hang-up.

use super::base::Served;
use super::connection::{Connection, Stage};
use super::facts::Facts;
use super::handshake;
use super::service::{Poller, say_bye};
use crate::clock::monotonic_ns;
use crate::error::{Error, Result, protocol};
use crate::failpoint::step;
use crate::layout::limit::PER_PROCESS;
use crate::layout::{
    BellByte, ErrorKind, MessageType, Query, Ready, Refused, Select, layout_table,
};
use crate::wire::message::{self, put_text};
use crate::wire::peer::{self, Peer};
use crate::wire::socket::{self, Received};
use rustix::fd::{AsFd, OwnedFd};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// Packets read from one peer before everybody else gets a turn.
const PACKETS: usize = 16;
/// What the poller saw of a peer.
pub(crate) enum PeerEvent {
    Readable,
    Died,
}

/// All connections of one lane.
pub(crate) struct Admission {
    lane: Arc<dyn Served>,
    connections: HashMap<u32, Connection>,
    next_id: u32,
}

impl Admission {
    pub(crate) fn new(lane: Arc<dyn Served>) -> Self {
        Admission { lane, connections: HashMap::new(), next_id: 1 }
    }

    fn facts(&self) -> &Facts {
        &self.lane.base().facts
    }

    /// Takes a fresh connection, or refuses it.
    pub(crate) fn connected(&mut self, poller: &Poller, socket: OwnedFd) {
        let socket = Arc::new(socket);
        if let Err(error) = self.enter(poller, &socket) {
            // Unread bytes would turn our answer into a connection reset.
            let _ = socket::receive(&*socket, &mut [0; 1]);
            refuse(&*socket, &error);
        }
    }

    fn enter(&mut self, poller: &Poller, socket: &Arc<OwnedFd>) -> Result<()> {
        let peer = peer::credentials(&**socket)?;
        handshake::refuse_stranger(self.facts(), peer)?;
        if self.refuse_crowd(poller, peer).is_err() {
            self.forget_departed(poller, peer);
            self.refuse_crowd(poller, peer)?;
        }
        let id = self.fresh_id();
        let (pidfd, liveness) = peer::watch(&**socket, peer);
        poller.watch_socket(&**socket, id)?;
        if let Some(pidfd) = &pidfd {
            poller.watch_pidfd(pidfd, id)?;
        }
        let stage = Stage::greeting();
        let socket = socket.clone();
        self.connections.insert(id, Connection { socket, pidfd, liveness, peer, stage });
        Ok(())
    }

    /// A number no connection has: a patient peer can make the counter go round.
    fn fresh_id(&mut self) -> u32 {
        loop {
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1).max(1);
            if !self.connections.contains_key(&id) {
                return id;
            }
        }
    }

    /// Refuses a process that has enough, and anybody while too many handshakes are unfinished:
    /// unless one of somebody greedier can make way.
    fn refuse_crowd(&mut self, poller: &Poller, peer: Peer) -> Result<()> {
        let same_process = |c: &&Connection| peer.pid != 0 && c.peer.pid == peer.pid;
        let own = self.connections.values().filter(same_process).count() as u64;
        let too_many = |text| Err(Error::new(ErrorKind::TooMany, text));
        if own >= PER_PROCESS {
            return too_many(format!(
                "process {} has its {PER_PROCESS} attachments to lane {:?}",
                peer.pid,
                self.facts().name
            ));
        }
        let waiting = self.connections.values().filter(|c| c.is_unfinished()).count() as u64;
        if waiting < PER_PROCESS {
            return Ok(());
        }
        match self.greediest(peer) {
            Some(id) => {
                let text = "an unfinished handshake made way for another user or process";
                self.bye(poller, id, ErrorKind::TooMany, text);
                Ok(())
            }
            None => too_many(format!("{waiting} handshakes are unfinished, try again")),
        }
    }

    /// The oldest unfinished handshake of the user, and of its processes the one, with the most of
    /// them; None where the newcomer would have as many. So a flood only ever displaces itself.
    fn greediest(&self, newcomer: Peer) -> Option<u32> {
        let unfinished = || self.connections.iter().filter(|(_, c)| c.is_unfinished());
        let share = |peer: Peer| {
            let peers = || unfinished().map(|(_, c)| c.peer).chain([newcomer]);
            let user = peers().filter(|p| p.uid == peer.uid).count();
            let process = peers().filter(|p| (p.uid, p.pid) == (peer.uid, peer.pid)).count();
            (user, process)
        };
        let greediest = unfinished().max_by_key(|(_, c)| (share(c.peer), Reverse(c.until_ns())));
        greediest.filter(|(_, c)| share(c.peer) > share(newcomer)).map(|(&id, _)| id)
    }

    /// Forgets those in the way of `peer` who have hung up: whoever leaves and comes again at once
    /// may be accepted before its hang-up is read.
    fn forget_departed(&mut self, poller: &Poller, peer: Peer) {
        let departed = |connection: &Connection| {
            let finished = matches!(connection.stage, Stage::Attached { .. });
            let in_the_way = !finished || connection.peer.pid == peer.pid;
            in_the_way && !peer::still_connected(&*connection.socket)
        };
        let ids: Vec<u32> =
            self.connections.iter().filter(|(_, c)| departed(c)).map(|(&id, _)| id).collect();
        for id in ids {
            self.remove(poller, id);
        }
    }

    /// Handles what happened at a peer. A peer that has just gone may be heard of once more.
    pub(crate) fn peer(&mut self, poller: &Poller, id: u32, event: PeerEvent) {
        if !self.connections.contains_key(&id) {
            return;
        }
        let gone = match event {
            PeerEvent::Died => Ok(true),
            PeerEvent::Readable => self.read(id),
        };
        match gone {
            Ok(false) => {}
            Ok(true) => self.remove(poller, id),
            Err(error) => {
                if let Some(connection) = self.connections.get(&id) {
                    match connection.stage {
                        Stage::Greeting { .. } => refuse(&*connection.socket, &error),
                        _ => say_bye(&*connection.socket, error.kind(), &error.to_string()),
                    }
                }
                self.remove(poller, id);
            }
        }
    }

    /// Reads what a peer sent; whether it has gone.
    fn read(&mut self, id: u32) -> Result<bool> {
        let (mut released, mut key_wanted) = (false, false);
        for _ in 0..PACKETS {
            let mut packet = [0; 512];
            let Some(connection) = self.connections.get_mut(&id) else { return Ok(true) };
            let length = match socket::receive(&*connection.socket, &mut packet)? {
                Received::Nothing => break,
                Received::HungUp => return Ok(true),
                Received::Packet(length) if length > packet.len() => {
                    return Err(protocol(format!("a packet of {length} bytes")));
                }
                Received::Packet(length) => length,
            };
            match packet[..length] {
                [byte] if byte == BellByte::Released.number() => {
                    connection.count_bell()?;
                    released = true;
                }
                [byte] if byte == BellByte::KeyWanted.number() => {
                    connection.count_bell()?;
                    key_wanted = true;
                }
                ref packet => {
                    if self.message(id, packet)? {
                        return Ok(true);
                    }
                }
            }
        }
        if released {
            self.lane.released();
        }
        if key_wanted {
            self.lane.key_wanted();
        }
        Ok(false)
    }

    /// Handles a message by stage; whether the connection is over.
    fn message(&mut self, id: u32, packet: &[u8]) -> Result<bool> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(true) };
        match &connection.stage {
            Stage::Greeting { .. } => {
                let kind = message::header(packet)?.message_type;
                if kind == MessageType::Query.number() {
                    return self.answer(id, packet).map(|()| true);
                }
                if kind == MessageType::Select.number() {
                    return self.select(id, packet).map(|()| true);
                }
                let (hello, mode) = handshake::read_hello(&self.lane.base().facts, packet)?;
                self.lane.refuse_hello(&hello, mode)?;
                connection.welcome(&*self.lane, id, &hello, mode)?;
                step("admit.welcomed");
                Ok(false)
            }
            Stage::Admitted { parcel, .. } => {
                let ready: Ready = message::read(packet)?;
                if ready.consumer_id != id {
                    return Err(protocol(format!(
                        "ready as {}, welcomed as {id}",
                        ready.consumer_id
                    )));
                }
                handshake::send_parcel(self.lane.base(), &connection.socket, parcel)?;
                step("admit.sent");
                connection.stage = Stage::Attached { bells: 0, second: 0 };
                Ok(false)
            }
            Stage::Attached { .. } => Err(protocol("an attached consumer sends only bells")),
        }
    }

    fn answer(&self, id: u32, packet: &[u8]) -> Result<()> {
        let query: Query = message::read(packet)?;
        self.refuse_other(&query.lane)?;
        let mut report = self.lane.report(monotonic_ns());
        for entry in &mut report.consumers[..report.consumer_count as usize] {
            if let Some(connection) = self.connections.get(&entry.consumer_id) {
                entry.liveness = connection.liveness.number();
            }
        }
        if let Some(connection) = self.connections.get(&id) {
            let _ = socket::send(&*connection.socket, report.as_bytes());
        }
        Ok(())
    }

    fn refuse_other(&self, lane: &[u8]) -> Result<()> {
        let asked = message::text(lane)?;
        if asked == self.facts().name {
            return Ok(());
        }
        Err(protocol(format!("asked about {asked:?}, this is {:?}", self.facts().name)))
    }

    /// Selects for a peer. To be let in as a reader gives nobody the right to.
    fn select(&self, id: u32, packet: &[u8]) -> Result<()> {
        let wish: Select = message::read(packet)?;
        self.refuse_other(&wish.lane)?;
        let Some(connection) = self.connections.get(&id) else { return Ok(()) };
        let (own, peer) = (self.facts().uid, connection.peer.uid);
        if peer != own && peer != 0 {
            let name = &self.facts().name;
            let text = format!("only user {own} and root select for {name:?}, not user {peer}");
            return Err(Error::new(ErrorKind::PermissionDenied, text));
        }
        let selected = self.lane.select(&wish)?;
        let _ = socket::send(&*connection.socket, selected.as_bytes());
        Ok(())
    }

    /// Drops handshakes that took too long; their leases go back.
    pub(crate) fn expire(&mut self, poller: &Poller, now_ns: u64) {
        let late: Vec<(u32, &str)> = self
            .connections
            .iter()
            .filter_map(|(&id, connection)| match connection.stage {
                Stage::Greeting { until_ns } if until_ns <= now_ns => Some((id, "Hello")),
                Stage::Admitted { until_ns, .. } if until_ns <= now_ns => Some((id, "Ready")),
                _ => None,
            })
            .collect();
        for (id, step) in late {
            let text = format!("no {step} within 1 s");
            self.bye(poller, id, ErrorKind::TimedOut, &text);
        }
    }

    /// Earliest end of a handshake's time.
    pub(crate) fn next_deadline_ns(&self) -> Option<u64> {
        self.connections.values().filter_map(Connection::until_ns).min()
    }

    /// Disconnects a peer, telling it why.
    pub(crate) fn bye(&mut self, poller: &Poller, id: u32, kind: ErrorKind, text: &str) {
        if let Some(connection) = self.connections.get(&id) {
            tracing::info!(id, pid = connection.peer.pid, text, "consumer disconnected");
            say_bye(&*connection.socket, kind, text);
        }
        self.remove(poller, id);
    }

    /// Disconnects everybody.
    pub(crate) fn bye_all(&mut self, poller: &Poller, kind: ErrorKind, text: &str) {
        let ids: Vec<u32> = self.connections.keys().copied().collect();
        for id in ids {
            self.bye(poller, id, kind, text);
        }
    }

    fn remove(&mut self, poller: &Poller, id: u32) {
        let Some(connection) = self.connections.remove(&id) else { return };
        poller.forget(&*connection.socket);
        socket::hang_up(&*connection.socket);
        if let Some(pidfd) = &connection.pidfd {
            poller.forget(pidfd);
        }
        self.lane.leave(id);
    }
}

/// Sends a refusal, and the layout table where that is the reason.
fn refuse(socket: impl AsFd, error: &Error) {
    let mismatch = error.kind() == ErrorKind::LayoutMismatch;
    let table = if mismatch { layout_table() } else { "" };
    let mut refused: Refused = message::new();
    refused.kind = error.kind().number();
    refused.table_bytes = table.len() as u32;
    put_text(&mut refused.text, &error.to_string());
    let sent = socket::send(&socket, refused.as_bytes());
    if sent.is_ok() && mismatch {
        let _ = socket::send(&socket, table.as_bytes());
    }
}
