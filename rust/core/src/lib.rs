//! Share camera frames between processes without copying them.
