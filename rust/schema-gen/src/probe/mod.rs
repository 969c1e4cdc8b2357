//! Test programs for languages that cannot walk a struct's fields by themselves.
//!
//! A probe is started with two folders. It decodes each golden image of the first, prints every
//! field as expected.json has it, encodes what it decoded field by field into fresh memory, and
//! writes that image into the second. Probes read the images through this project's headers
//! (`own`), or through the code that flatc prints from the same schema (`flatc_*`): an independent
//! opinion on every offset.

mod c_family;
mod flatc_cpp;
mod flatc_python;
mod flatc_rust;
mod own;

pub use flatc_cpp::print as flatc_cpp;
pub use flatc_python::print as flatc_python;
pub use flatc_rust::print as flatc_rust;
pub use own::{c, cpp};
