//! Builds the shim of Boost's message queue where its headers are.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_boost)");
    println!("cargo::rerun-if-changed=src/lanes/boost.cpp");
    println!("cargo::rerun-if-env-changed=CXXFLAGS");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").file("src/lanes/boost.cpp").warnings(false);
    // A compiler or headers that are missing cost one mechanism, not the bench.
    if has_headers() && build.try_compile("boost_shim").is_ok() {
        println!("cargo::rustc-link-lib=rt");
        println!("cargo::rustc-cfg=has_boost");
    }
}

/// Asks the compiler itself, which knows where it looks.
fn has_headers() -> bool {
    let mut build = cc::Build::new();
    let probe = format!("{}/probe.cpp", std::env::var("OUT_DIR").unwrap_or_default());
    let text = "#include <boost/interprocess/ipc/message_queue.hpp>\n";
    std::fs::write(&probe, text).is_ok()
        && build.cpp(true).file(&probe).cargo_warnings(false).try_expand().is_ok()
}
