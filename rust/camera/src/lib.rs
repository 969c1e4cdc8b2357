//! Sources that fill framelane lanes.
