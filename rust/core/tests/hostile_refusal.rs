//! Refusals and answers that lie: what of them is believed, and what is not.

mod common;
mod raw;

use common::{DEADLINE, LANE, Place};
use framelane::layout::{ErrorKind, Hello, MessageType, Refused, layout_table};
use framelane::{ConsumerOptions, Mode};
use raw::wire::{Line, bytes, header};
use raw::{Impostor, refused};
use zerocopy::FromZeros;

#[track_caller]
fn expect(kind: ErrorKind, words: &str, play: impl FnOnce(Line) + Send) {
    let place = Place::new();
    let options = ConsumerOptions::new(Mode::Latest).reattach(false);
    let (opened, ()) = Impostor::attach(&place, options, play);
    let error = refused(opened);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

fn refusal(kind: ErrorKind, table_bytes: usize) -> Refused {
    let mut refused = Refused::new_zeroed();
    refused.header = header(MessageType::Refused, size_of::<Refused>());
    refused.kind = kind.number();
    refused.table_bytes = table_bytes as u32;
    refused.text[..6].copy_from_slice(b"reason");
    refused
}

#[test]
fn a_layout_mismatch_names_the_first_field_that_differs() {
    let moved = layout_table().replacen("[\"width\",\"u32\",68]", "[\"width\",\"u32\",72]", 1);
    let field = "FrameDescriptor.width is at offset 68 here and 72 there";
    for (table, words) in [
        (moved.as_str(), field),
        ("no table at all", "cannot be read"),
        ("{\"structs\":{}}", "is missing on the peer's side"),
    ] {
        expect(ErrorKind::LayoutMismatch, words, |line| {
            line.message::<Hello>();
            line.send(bytes(&refusal(ErrorKind::LayoutMismatch, table.len()))).unwrap();
            line.send(table.as_bytes()).unwrap();
        });
    }
}

#[test]
fn a_refusal_is_believed_in_its_kind_and_nothing_else() {
    // Table bytes that never come, that cannot be, and a packet larger than announced.
    for (table_bytes, table) in [(500, None), (1 << 20, None), (3, Some(layout_table()))] {
        expect(ErrorKind::LayoutMismatch, "reason", |line| {
            line.message::<Hello>();
            line.send(bytes(&refusal(ErrorKind::LayoutMismatch, table_bytes))).unwrap();
            if let Some(table) = table {
                line.send(table.as_bytes()).unwrap();
            }
        });
    }
    let mut foreign = refusal(ErrorKind::LayoutMismatch, 0);
    foreign.header.layout_hash ^= 1;
    foreign.header.length_bytes = 100;
    expect(ErrorKind::LayoutMismatch, "another layout", |line| {
        line.message::<Hello>();
        line.send(&bytes(&foreign)[..100]).unwrap();
    });
    for number in [ErrorKind::Ok.number(), 9999] {
        expect(ErrorKind::Protocol, "reason", |line| {
            line.message::<Hello>();
            let mut refused = refusal(ErrorKind::NoLeases, 0);
            refused.kind = number;
            line.send(bytes(&refused)).unwrap();
        });
    }
}

#[test]
fn a_query_believes_no_impostor_either() {
    let place = Place::new();
    let impostor = Impostor::new(&place);
    let wrong_type = raw::wire::ready(1);
    let answers: [&[u8]; 3] = [b"x", &[0; 8104], bytes(&wrong_type)];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for answer in answers {
                let line = impostor.accept();
                line.message::<framelane::layout::Query>();
                line.send(answer).unwrap();
            }
        });
        for _ in answers {
            let error = refused(framelane::query(LANE, Some(place.path()), DEADLINE));
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        }
    });
}
