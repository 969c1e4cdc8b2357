//! Compiles the C++ side of the bridge into the library.

fn main() {
    cxx_build::CFG.include_prefix = "framelane";
    let layout = "../schema/generated/cpp";
    cxx_build::bridge("bridge.rs")
        .include("include")
        .include(layout)
        .includes(["../schema/generated/c", "../rust/ffi/include"])
        .std("c++17")
        .flag_if_supported("-fvisibility=hidden")
        .compile("framelane-bridge");
    for changed in ["bridge.rs", "include/framelane/owner.hpp", "include/framelane/c.hpp"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    println!("cargo:rerun-if-changed={layout}/framelane_layout.hpp");
    println!("cargo:rerun-if-changed=../rust/ffi/include/framelane.h");
}
