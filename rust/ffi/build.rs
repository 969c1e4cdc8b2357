//! Link arguments of the shared library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libframelane.so.0");
    // A live background thread outlives dlclose otherwise.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
