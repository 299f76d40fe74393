//! Checks that every operation of a kernel is inlined. A closure that is too long for inlining is compiled without the
//! kernel's instruction set; each of its operations is then a call that passes vectors through memory. Results stay
//! correct, but take many times as long.

#![cfg(feature = "training")]

use recurra_core::{Cell, Chunk, NetworkConfig, StepOptions, Targets};
use recurra_kernels::network::Network;

#[test]
#[cfg_attr(debug_assertions, ignore = "without optimization nothing is inlined")]
fn no_vector_operation_is_a_call() {
    // Links the kernels into this program.
    for cell in [Cell::Lstm, Cell::Gru, Cell::RnnTanh, Cell::MinGru] {
        let network = Network::new(NetworkConfig::classifier(cell, 10, 4, 4, 2)).expect("a valid configuration");
        let chunk = Chunk {
            tokens: &[1, 2, 3],
            lengths: &[3],
            targets: Targets::Rows(&[1]),
            batch_sizes: &[1],
            ..Chunk::default()
        };
        network.train_batches(&chunk, &StepOptions::default()).expect("valid data");
        network.predict(&[1, 2, 3], &[3]).expect("valid data");
        if cell != Cell::MinGru {
            network.set_int8_recurrent(true).expect("a cell with bounded states");
            network.predict(&[1, 2, 3], &[3]).expect("valid data");
        }
    }
    let program = std::fs::read(std::env::current_exe().expect("a program")).expect("this program's file");
    let has = |name: &str| program.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    // Concatenated here; otherwise, the program would contain the name as text.
    if !has(&format!("train{}batches", '_')) {
        return; // The program's symbols were stripped.
    }
    for bits in [256, 512] {
        for operation in ["add_ps", "mul_ps", "fmadd_ps", "set1_ps", "rcp14_ps", "max_ps"] {
            let name = format!("_mm{bits}_{operation}");
            assert!(!has(&name), "a kernel calls {name} as a function");
        }
    }
    for name in ["512_dpbusd_epi32", "256_dpbusd_avx_epi32", "256_madd_epi16", "512_cvtepi32_epi8", "256_shuffle_epi8"]
    {
        let name = format!("_mm{name}");
        assert!(!has(&name), "a kernel calls {name} as a function");
    }
}
