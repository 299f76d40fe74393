//! The text classifier over libtorch.
