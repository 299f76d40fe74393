//! The torch addon: the binding of `recurra-torch`. It converts arguments and results; it holds no mathematics.
//!
//! Every entry catches panics, and every error crosses as `RECURRA:<code>:<message>`.

mod account;
mod background;
mod create;
mod distributed;
mod functional;
mod network;
mod optimizer;
mod process;
mod recurrent;
mod tally;
mod tensor;

#[napi_derive::module_init]
fn silence_panics() {
    recurra_binding::silence_panics();
}
