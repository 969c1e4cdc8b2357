//! Prints every language's layout from the FlatBuffers schema.
