//! The torch addon.
