#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    framelane::fuzzing::stream(data);
});
