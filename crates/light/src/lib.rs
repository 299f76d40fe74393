//! The light addon: everything that works without libtorch.
//!
//! It does not link libtorch. It detects the processor's features, opens libtorch on request, reads and writes
//! safetensors files, computes networks and linear models on the CPU, learns word vectors, reads texts with the
//! built-in and Hugging Face tokenizers, and writes ONNX files.

#![allow(missing_docs, reason = "napi-derive generates undocumented items; the functions themselves are documented")]

pub mod bpe;
pub mod counting;
pub mod cpu;
pub mod cuda;
pub mod forms;
mod group;
pub mod language;
mod library;
pub mod libtorch;
pub mod linear;
pub mod network;
pub mod onnx;
pub mod packed;
pub mod reader;
pub mod safetensors_file;
pub mod seq2seq;
mod strings;
pub mod tensorboard;
pub mod texts;
pub mod tokenizer;
pub mod vectors;
pub mod vocabulary;

#[napi_derive::module_init]
fn silence_panics() {
    recurra_binding::silence_panics();
}
