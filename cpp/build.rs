//! Compiles the C++ side of the bridge into the library.

fn main() {
    cxx_build::CFG.include_prefix = "framelane";
    let layout = "../schema/generated/cpp";
    cxx_build::bridge("bridge.rs")
        .include("include")
        .include(layout)
        .std("c++17")
        .flag_if_supported("-fvisibility=hidden")
        .compile("framelane-bridge");
    for changed in ["bridge.rs", "include/framelane/owner.hpp"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    println!("cargo:rerun-if-changed={layout}/framelane_layout.hpp");
}
