//! The light addon.
