//! One module for each language.

pub mod c;
pub mod cpp;
pub mod docs;
pub mod go;
pub mod kotlin;
mod kotlin_golden;
mod map;
pub mod python;
pub mod rust;
mod rust_golden;
mod rust_table;
