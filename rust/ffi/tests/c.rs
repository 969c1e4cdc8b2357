//! The header compiles as C and C++ without a warning, says what Rust says, and works.

use framelane_ffi as ffi;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A compiler with all the warnings there are, as errors.
fn compiler(language: &str, scratch: &Path) -> Command {
    let (program, standard, language) = match language {
        "c" => ("cc", "-std=c11", "c"),
        _ => ("c++", "-std=c++17", "c++"),
    };
    let mut command = Command::new(program);
    command
        .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", language])
        .arg("-I")
        .arg(here().join("include"))
        .arg("-I")
        .arg(here().join("../../schema/generated/c"))
        .current_dir(scratch);
    command
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; apt install g++"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}\n{said}", done.status);
}

/// The static library that cargo has built beside this test.
fn library() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    let built = |folder: &Path| folder.join("libframelane_ffi.a");
    if built(&folder).exists() {
        return built(&folder);
    }
    folder.pop();
    built(&folder)
}

#[test]
fn a_program_publishes_and_reads_as_c_and_as_cxx() {
    as_c_and_as_cxx("roundtrip");
}

#[test]
fn a_program_writes_and_reads_a_stream_as_c_and_as_cxx() {
    as_c_and_as_cxx("stream");
}

#[test]
fn a_program_sends_and_receives_over_a_shmbuf_ring_as_c_and_as_cxx() {
    as_c_and_as_cxx("shmbuf");
}

#[test]
fn a_program_switches_and_reads_as_c_and_as_cxx() {
    as_c_and_as_cxx("switch");
}

fn as_c_and_as_cxx(name: &str) {
    for language in ["c", "c++"] {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join(name);
        let source = here().join("tests/c").join(name).with_extension("c");
        let mut compile = compiler(language, scratch.path());
        compile.arg(source).args(["-x", "none", "-o"]).arg(&program);
        run(compile.arg(library()).args(["-lpthread", "-ldl", "-lm"]));
        // Where shared memory is, as a shmbuf ring wants it.
        let lanes = tempfile::tempdir_in("/dev/shm").unwrap();
        run(Command::new(&program).arg(lanes.path()));
    }
}

macro_rules! fields {
    ($struct:ident: $($field:ident),+ $(,)?) => {{
        let name = stringify!($struct);
        let mut lines = vec![format!(
            "CHECK(sizeof({name}) == {}, \"{name}\");", size_of::<ffi::$struct>()
        )];
        $(lines.push(format!(
            "CHECK(offsetof({name}, {0}) == {1}, \"{name}.{0}\");",
            stringify!($field), offset_of!(ffi::$struct, $field)
        ));)+
        lines
    }};
}

#[test]
fn every_field_is_where_rust_has_it() {
    let mut source = vec!["#include \"framelane.h\"".to_owned()];
    source.push("#ifdef __cplusplus\n#define CHECK static_assert\n#else".into());
    source.push("#define CHECK _Static_assert\n#endif".into());
    source.extend(fields!(framelane_error: status, text));
    source.extend(fields!(framelane_layout: fourcc, width, height, plane_count, offset_bytes,
        size_bytes, stride_bytes, rows, total_bytes));
    source.extend(fields!(framelane_producer_options: struct_bytes, lease_budget, claims, history,
        layout, payload_bytes, lease_ns, frame_period_ns, memory, lossless, huge_pages,
        lock_memory, numa_node,
        access, access_group, trust, reclaim, directory, device_fds, device_count));
    source.extend(fields!(framelane_consumer_options: struct_bytes, mode, leases, reattach,
        wait_for_lane_ns, return_on_signal, wants_writable, directory));
    source.extend(fields!(framelane_frame_mut: live, handle, descriptor, payload, payload_bytes));
    source.extend(fields!(framelane_plane_mut: data, size_bytes, stride_bytes, rows));
    source.extend(fields!(framelane_frame: live, handle, sequence, epoch, missed, slot,
        new_epoch, switch_epoch, lane_index, switched));
    source.extend(fields!(framelane_switch_controller_options: struct_bytes, active, access,
        access_group, trust, reserved, directory));
    source.extend(fields!(framelane_switch_status: controller_epoch, switch_epoch, active,
        lane_count, controlled, problem));
    source.extend(fields!(framelane_switch_lane: name, attached, problem));
    source.extend(fields!(framelane_plane_view: data, size_bytes, stride_bytes, rows, revocable));
    source.extend(fields!(framelane_stream_writer_options: struct_bytes, index_capacity,
        data_bytes, key_request_interval_ns, lossless, lock_memory, numa_node, access,
        access_group, trust, directory));
    source.extend(fields!(framelane_stream_reader_options: struct_bytes, start, start_age_ns,
        after_lap, lossless, wait_for_lane_ns, reattach, return_on_signal, directory));
    source
        .extend(fields!(framelane_shmbuf_sender_options: struct_bytes, mode, capacity_bytes, keep,
        python_receiver, bell, poll_interval_ns, directory));
    source.extend(fields!(framelane_shmbuf_receiver_options: struct_bytes, reattach,
        wait_for_sender_ns, bell, poll_interval_ns, directory));
    source.extend(fields!(framelane_record: live, handle, data, size_bytes, config, info, epoch,
        missed, new_epoch, new_config));
    source.extend(fields!(framelane_record_mut: live, handle, info));
    source.extend(fields!(framelane_bytes: data, size_bytes));
    let kinds = framelane::ErrorKind::ALL.iter().map(|kind| {
        let name = kind.name().to_uppercase();
        format!("CHECK(FRAMELANE_ERROR_KIND_{name} == {}, \"{name}\");", kind.number())
    });
    source.extend(kinds);
    source.push("int main(void) { return 0; }".into());
    for language in ["c", "c++"] {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("fields.c"), source.join("\n")).unwrap();
        run(compiler(language, scratch.path()).args(["-fsyntax-only", "fields.c"]));
    }
}
