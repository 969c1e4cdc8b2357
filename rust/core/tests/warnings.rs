//! What the SDK has to say without failing.

mod common;

use common::Place;
use framelane::layout::LaneFlag;
use framelane::{ConsumerOptions, ErrorKind, HugePages, Mode, ProducerOptions};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the warnings of one thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn of(call: impl FnOnce()) -> Vec<String> {
        let heard = Warnings::default();
        tracing::subscriber::with_default(heard.clone(), call);
        let all = heard.0.lock().unwrap();
        all.clone()
    }
}

impl Visit for Warnings {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn an_ordered_reader_of_a_lane_without_history_is_warned() {
    for (history, warned) in [(0, true), (1, false)] {
        let place = Place::new();
        let _producer = place.producer(ProducerOptions::new().history(history));
        let said = Warnings::of(|| drop(place.consumer(ConsumerOptions::new(Mode::Ordered))));
        let about = said.iter().any(|text| text.contains("only the newest frame is reachable"));
        assert_eq!(about, warned, "history {history}: {said:?}");
    }
}

#[test]
fn huge_pages_are_used_missed_or_refused_as_asked() {
    let place = Place::new();
    let enormous = ProducerOptions::new().payload_bytes(1 << 40).huge_pages(HugePages::Require);
    let Err(error) = place.try_producer(enormous) else { panic!("there are not so many") };
    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
    assert!(error.to_string().contains("in huge pages"), "{error}");
    let producer = place.producer(ProducerOptions::new().huge_pages(HugePages::Try));
    let report = producer.report();
    let huge = report.flags & LaneFlag::HUGE_PAGES != 0;
    println!("on huge pages: {huge}");
    assert_eq!(report.page_bytes == 2 << 20, huge, "what it says is what it has");
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    common::publish(&producer, 1);
    common::assert_intact(&consumer.next(common::DEADLINE).unwrap().expect("a frame"));
}
