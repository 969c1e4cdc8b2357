//! Where `unsafe` may stand, and that the ring has neither it nor system calls.

use super::{Finding, Source};
use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;

/// The files that may contain `unsafe`, and what for.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("rust/core/src/mem/buffer.rs", "reads memory that a device may be writing"),
    ("rust/core/src/mem/map.rs", "maps and unmaps memory"),
    ("rust/core/src/mem/view.rs", "makes references into mapped memory"),
    ("rust/core/src/mem/stream.rs", "reads records of a stream in place"),
    ("rust/core/src/mem/ring.rs", "atomics at computed places of a mapping"),
    ("rust/core/src/shmbuf/lock.rs", "fcntl with a struct"),
    ("rust/core/src/hold.rs", "an object freed by whoever leaves last, without a count per frame"),
    ("rust/core/src/fork.rs", "a page that the kernel wipes in forked children"),
    ("rust/core/src/signals.rs", "pthread_sigmask"),
    ("rust/core/src/wire/peer.rs", "two socket options that rustix does not offer in this form"),
    ("rust/core/src/producer/frame_mut.rs", "a reference counted by the claim itself"),
    ("rust/core/tests/common/forks.rs", "fork, to test what a child may do"),
    ("rust/core/tests/allocations.rs", "an allocator that counts"),
    ("rust/core/tests/common/trace.rs", "ptrace, to count system calls exactly"),
    ("rust/core/tests/waiters.rs", "signals, to interrupt a sleeper"),
    ("rust/camera/src/v4l2/sys.rs", "requests of V4L2, and bytes of a device's buffer"),
    ("rust/ffi/src/", "C entry points"),
    ("rust/uniffi/src/lib.rs", "UniFFI prints the entry points of the library"),
    ("rust/uniffi/src/options.rs", "file descriptors come as numbers"),
    ("python/src/plane.rs", "Python's buffer protocol hands out addresses"),
    ("python/src/bytes.rs", "reads and writes buffers of Python objects"),
    ("python/src/numpy.rs", "calls NumPy's C API through its table"),
    ("python/src/frame.rs", "a slot of the buffer protocol"),
    ("python/src/frame_mut.rs", "a slot of the buffer protocol"),
    ("python/src/record.rs", "a slot of the buffer protocol"),
    ("python/src/dlpack.rs", "a struct that others free through a function pointer"),
    ("python/src/options.rs", "file descriptors come as numbers"),
    ("cpp/bridge.rs", "the bridge to C++"),
    ("cpp/src/types.rs", "the promise that a struct is the same in both languages"),
    ("cpp/src/held.rs", "frames in storage of the caller's"),
    ("cpp/src/claimed.rs", "frames in storage of the caller's"),
    ("cpp/src/consumer.rs", "handles from C++"),
    ("cpp/src/shmbuf.rs", "handles from C++"),
    ("cpp/src/stream_writer.rs", "handles and open records from C++"),
    ("cpp/src/stream_reader.rs", "handles and read records from C++"),
    ("cpp/src/producer.rs", "handles, owners and descriptors from C++"),
    ("cpp/src/switch.rs", "handles from C++"),
    ("cpp/src/switch_controller.rs", "handles and texts from C++"),
    ("rust/hobot-sys/src/", "types of C functions, and finding them in a loaded library"),
    ("rust/hobot/src/", "calls of the vendor's library"),
    ("rust/hobot/tests/vio_rules.rs", "the same calls without our owners in between"),
    ("rust/hobot/tests/vio_rules/buffers.rs", "pictures in place, and a process that is forked"),
    ("rust/hobot/tests/vio_rules/sending.rs", "the same calls, and a descriptor of the library's"),
    ("rust/hobot/tests/codec.rs", "a process that is forked"),
    ("rust/hobot/tests/codec_rules.rs", "the same calls without our owners in between"),
    ("rust/hobot/tests/codec_streams.rs", "the same calls without our owners in between"),
    ("rust/hobot/tests/common/codec.rs", "filling pictures in camera memory"),
    ("rust/hobot/tests/common/raw_codec.rs", "the same calls without our owners in between"),
    ("rust/hobot/tests/rules.rs", "the same calls without our owners in between"),
    ("rust/hobot-standin/vio/src/", "C entry points"),
    ("rust/hobot-standin/multimedia/src/", "C entry points, and a callback"),
    ("rust/hobot-standin/ion/src/entry.rs", "a function of libhbmem is called"),
    ("rust/hobot-standin/ion/src/library.rs", "asking the loader"),
    ("rust/hobot-standin/hbmem/src/", "C entry points, and mappings with given rights"),
    ("rust/peer-bench/src/shared.rs", "mapped bytes become values"),
    ("rust/peer-bench/src/lanes/boost.rs", "calls of a C++ shim"),
    ("rust/peer-bench/src/lanes/iceoryx.rs", "an uninitialised loan is handed on as it is"),
];

/// Whether a path is an entry of the list, or inside one that is a folder.
fn listed(path: &str) -> Option<&'static str> {
    let (entry, _) = UNSAFE_FILES
        .iter()
        .find(|(entry, _)| path == *entry || (entry.ends_with('/') && path.starts_with(entry)))?;
    Some(entry)
}

const RING: &str = "rust/core/src/ring/";
/// Names by which code would leave pure computation.
const IMPURE: &[&str] = &["rustix", "libc", "memmap2", "fs", "io", "net", "process", "thread"];

pub fn confined(tree: &[Source]) -> Result<Vec<Finding>> {
    let (mut findings, used) = outside_the_list(tree);
    for (entry, _) in UNSAFE_FILES.iter().filter(|(entry, _)| !used.contains(entry)) {
        let text = "is listed for unsafe but needs none: take it off the list";
        findings.push(Finding::failure(*entry, text));
    }
    Ok(findings)
}

/// Lines outside the list, and the entries of the list that are needed.
fn outside_the_list(tree: &[Source]) -> (Vec<Finding>, BTreeSet<&'static str>) {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    for file in tree.iter().filter(|file| file.is_rust()) {
        let lines = lines_of(file, &|word| word == "unsafe" || word == "unsafe_code");
        match listed(&file.path) {
            Some(entry) if !lines.is_empty() => drop(used.insert(entry)),
            Some(_) => {}
            None => findings.extend(lines.iter().map(|&line| {
                Finding::at(file, line, "unsafe is not allowed in this file, see tidy's list")
            })),
        }
    }
    (findings, used)
}

pub fn ring_is_pure(tree: &[Source]) -> Result<Vec<Finding>> {
    let in_ring = |file: &&Source| file.path.starts_with(RING) && !file.path.contains("model");
    let mut findings = Vec::new();
    for file in tree.iter().filter(in_ring) {
        for line in lines_of(file, &|word| word == "unsafe" || IMPURE.contains(&word)) {
            findings.push(Finding::at(file, line, "the ring makes no system call"));
        }
    }
    Ok(findings)
}

/// Lines with a wanted word in the code: comments and strings do not count, macros do.
fn lines_of(file: &Source, wanted: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let mut lines = Vec::new();
    if let Ok(tokens) = file.text().parse() {
        collect(tokens, wanted, &mut lines);
    }
    lines
}

fn collect(tokens: TokenStream, wanted: &dyn Fn(&str) -> bool, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) if wanted(&word.to_string()) => {
                lines.push(word.span().start().line);
            }
            TokenTree::Group(group) => collect(group.stream(), wanted, lines),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_outside_the_list_is_found_also_in_macros() {
        let text = "// unsafe in words\nfn a() { unsafe { b() } }\nm! { unsafe fn c() {} }\n\
            #![allow(unsafe_code)]\nconst D: &str = \"unsafe\";\n";
        let (findings, _) = outside_the_list(&[Source::sample("rust/core/src/lane.rs", text)]);
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        let file = "rust/core/src/lane.rs";
        assert_eq!(places, [2, 3, 4].map(|line| format!("{file}:{line}")));
    }

    #[test]
    fn a_listed_file_must_need_it() {
        let inside =
            |entry: &str| if entry.ends_with('/') { format!("{entry}a.rs") } else { entry.into() };
        let sample =
            |text| UNSAFE_FILES.iter().map(move |entry| Source::sample(&inside(entry.0), text));
        let needed: Vec<Source> = sample("fn a() { unsafe { b() } }").collect();
        assert_eq!(confined(&needed).unwrap(), []);
        let idle: Vec<Source> = sample("fn a() {}").collect();
        assert_eq!(confined(&idle).unwrap().len(), UNSAFE_FILES.len());
    }

    #[test]
    fn a_system_call_in_the_ring_is_found() {
        let bad = Source::sample("rust/core/src/ring/a.rs", "use rustix::event::eventfd;");
        let model = Source::sample("rust/core/src/ring/model.rs", "use loom::thread;");
        assert_eq!(ring_is_pure(&[bad, model]).unwrap().len(), 1);
    }
}
