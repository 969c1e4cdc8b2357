//! One module for each language.

pub mod rust;
mod rust_table;
