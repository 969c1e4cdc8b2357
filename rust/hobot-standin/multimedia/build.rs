//! The name by which programs and the vendor's other libraries know this one.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmultimedia.so.1");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
