//! Making and reading messages. Everything read here came from a peer that may be hostile: it is
//! copied once, checked, and only the copy is used.

use crate::error::{Error, Result, protocol};
use crate::layout::layout::WIRE_MAGIC;
use crate::layout::{
    Bye, ErrorKind, Fds, Hello, LAYOUT_HASH, MessageHeader, MessageType, Query, Ready, Refused,
    Report, Select, Selected, Welcome,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Version of the message format that this build speaks.
pub(crate) const MESSAGE_VERSION: u32 = 1;

/// A message with its type and header.
pub(crate) trait Message: FromBytes + IntoBytes + Immutable {
    const TYPE: MessageType;
    fn header(&mut self) -> &mut MessageHeader;
}

macro_rules! messages {
    ($($name:ident => $type:ident),+ $(,)?) => {
        $(impl Message for $name {
            const TYPE: MessageType = MessageType::$type;
            fn header(&mut self) -> &mut MessageHeader {
                &mut self.header
            }
        })+
    };
}

messages! {
    Hello => Hello, Welcome => Welcome, Refused => Refused, Ready => Ready,
    Fds => Fds, Bye => Bye, Query => Query, Report => Report, Select => Select,
    Selected => Selected,
}

/// An empty message with its header filled in.
pub(crate) fn new<T: Message>() -> T {
    let mut message = T::new_zeroed();
    *message.header() = MessageHeader {
        magic: WIRE_MAGIC,
        message_version: MESSAGE_VERSION,
        message_type: T::TYPE.number(),
        length_bytes: size_of::<T>() as u32,
        reserved: 0,
        layout_hash: LAYOUT_HASH,
    };
    message
}

/// Reads the 32 bytes that every message starts with, whatever layout the peer has.
pub(crate) fn header(packet: &[u8]) -> Result<MessageHeader> {
    let (header, _) = MessageHeader::read_from_prefix(packet).map_err(|_| {
        protocol(format!("a message of {} bytes has no room for its header", packet.len()))
    })?;
    if header.magic != WIRE_MAGIC {
        return Err(protocol(format!("{:#018x} is not a framelane message", header.magic)));
    }
    if header.message_version != MESSAGE_VERSION {
        return Err(protocol(format!(
            "message version {} where {MESSAGE_VERSION} is spoken",
            header.message_version
        )));
    }
    Ok(header)
}

/// Reads a message of a known type.
pub(crate) fn read<T: Message>(packet: &[u8]) -> Result<T> {
    let header = header(packet)?;
    if header.message_type != T::TYPE.number() {
        return Err(protocol(format!(
            "message type {} where {} is expected",
            header.message_type,
            T::TYPE.name()
        )));
    }
    let size = size_of::<T>();
    if packet.len() != size || header.length_bytes as usize != size {
        return Err(protocol(format!(
            "a {} of {} bytes (its header says {}), it has {size}",
            T::TYPE.name(),
            packet.len(),
            header.length_bytes
        )));
    }
    T::read_from_bytes(packet).map_err(|_| protocol("a message of the wrong size"))
}

/// Writes zero-padded text; what does not fit is cut at a character.
pub(crate) fn put_text(into: &mut [u8], text: &str) {
    let mut end = text.len().min(into.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    into[..end].copy_from_slice(&text.as_bytes()[..end]);
    into[end..].fill(0);
}

/// Reads zero-padded text.
pub(crate) fn text(from: &[u8]) -> Result<&str> {
    let end = from.iter().position(|&byte| byte == 0).unwrap_or(from.len());
    std::str::from_utf8(&from[..end]).map_err(|_| protocol("text that is not UTF-8"))
}

/// The error that a Refused or Bye carries.
pub(crate) fn carried(kind: u32, words: &[u8]) -> Error {
    let kind = ErrorKind::from_number(kind).filter(|&kind| kind != ErrorKind::Ok);
    Error::new(kind.unwrap_or(ErrorKind::Protocol), String::from_utf8_lossy(trim(words)))
}

fn trim(words: &[u8]) -> &[u8] {
    words.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_and_nothing_else_does() {
        let mut hello: Hello = new();
        put_text(&mut hello.lane, "camera");
        let packet = hello.as_bytes();
        let back: Hello = read(packet).unwrap();
        assert_eq!(text(&back.lane).unwrap(), "camera");
        for cut in [0, 1, 31, 32, packet.len() - 1] {
            assert_eq!(read::<Hello>(&packet[..cut]).unwrap_err().kind(), ErrorKind::Protocol);
        }
        assert!(read::<Ready>(packet).unwrap_err().to_string().contains("ready is expected"));
        let mut bad = packet.to_vec();
        bad[0] ^= 1;
        assert!(read::<Hello>(&bad).is_err());
        let mut long = packet.to_vec();
        long.push(0);
        assert!(read::<Hello>(&long).is_err());
    }

    #[test]
    fn text_is_cut_at_a_character_and_padded() {
        let mut field = [0xff; 4];
        put_text(&mut field, "abcé");
        assert_eq!(text(&field).unwrap(), "abc");
        put_text(&mut field, "é");
        assert_eq!(field, [0xc3, 0xa9, 0, 0]);
        assert!(text(&[0xff, 0]).is_err());
    }
}
