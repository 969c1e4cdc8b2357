//! Builds, tests, measures and demonstrates the project.

fn main() {}
