//! Networks with coded words, compared with those with the decoded ones.

use crate::network::Network;
use recurra_codes::{Code, Coded, NamedArray, widened};
use recurra_core::{Cell, ErrorCode, NetworkConfig};

/// Enough words, wide enough that a table of all projections is not made.
const WORDS: usize = 12_000;

fn config(cell: Cell) -> NetworkConfig {
    NetworkConfig::classifier(cell, WORDS, 8, 128, 3).with(|config| config.threads = 2)
}

/// The state of a fresh network with its words' vectors in a code, and other matrices in 8 bits.
fn coded(cell: Cell, code: Code) -> Vec<NamedArray> {
    let state = Network::new(config(cell)).unwrap().state().unwrap();
    let code_of = |array: NamedArray| {
        let code = if array.name == "embedding.weight" { code } else { Code::Int8 };
        match array.shape[..] {
            [rows, dims] => {
                let values = array.values().unwrap();
                Coded::encode(&values, dims, code, &vec![1.0; rows]).unwrap().to_arrays(&array.name)
            }
            _ => vec![array],
        }
    };
    state.into_iter().flat_map(code_of).collect()
}

/// Rows of words, a few of which come often.
fn rows(count: usize, length: usize) -> (Vec<i32>, Vec<i32>) {
    let token = |at: usize| if at.is_multiple_of(3) { at * 7_919 % WORDS } else { at * 31 % 97 };
    ((0..count * length).map(|at| token(at) as i32).collect(), vec![length as i32; count])
}

fn assert_near(one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(other) {
        assert!((a - b).abs() < 2e-6, "{a} {b}");
    }
}

#[test]
fn coded_words_predict_as_the_decoded_ones_before_and_after_the_frequent_ones_are_kept() {
    for (cell, code) in [(Cell::Lstm, Code::Int4), (Cell::Gru, Code::Product { width: 4 })] {
        let state = coded(cell, code);
        let (small, wide) = (Network::new(config(cell)).unwrap(), Network::new(config(cell)).unwrap());
        small.load_state(&state).unwrap();
        wide.load_state(&widened(&state).unwrap()).unwrap();
        assert_eq!(small.state().unwrap(), wide.state().unwrap());
        assert!(small.bytes() < wide.bytes());
        let (tokens, lengths) = rows(60, 11);
        let first = small.predict(&tokens, &lengths).unwrap();
        assert!(!small.keeps_frequent_words());
        assert_near(&first, &wide.predict(&tokens, &lengths).unwrap());
        let (many, many_lengths) = rows(1700, 10);
        small.predict(&many, &many_lengths).unwrap();
        small.prepare().unwrap();
        assert!(small.keeps_frequent_words());
        assert_eq!(small.predict(&tokens, &lengths).unwrap(), first);
        let alone = small.predict_at_once(&tokens[..11], &lengths[..1]).unwrap().unwrap();
        assert_near(&alone, &first[..3]);

        assert!(small.explain(&tokens[..11], None).is_ok());
    }
}

#[test]
fn a_network_of_codes_is_not_trained_until_it_has_a_whole_state_again() {
    let small = Network::new(config(Cell::Lstm)).unwrap();
    let whole = small.state().unwrap();
    small.load_state(&coded(Cell::Lstm, Code::Int8)).unwrap();
    assert_eq!(small.training_state().unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(small.set_word_vectors(&[1], &[0.0; 8]).unwrap_err().code(), ErrorCode::InvalidArgument);
    small.load_state(&whole).unwrap();
    assert_eq!(small.state().unwrap(), whole);
    assert!(small.training_state().is_ok());
}

#[test]
fn codes_that_do_not_fit_change_nothing() {
    let small = Network::new(config(Cell::Lstm)).unwrap();
    let before = small.state().unwrap();
    let mut state = coded(Cell::Lstm, Code::Int8);
    let at = state.iter().position(|array| array.name == "embedding.weight.scale").unwrap();
    let scale = state.remove(at);
    assert_eq!(small.load_state(&state).unwrap_err().code(), ErrorCode::InvalidFile);
    state.push(scale);
    state.retain(|array| array.name != "fc.bias");
    assert_eq!(small.load_state(&state).unwrap_err().code(), ErrorCode::StateMismatch);
    let narrow = Coded::encode(&[0.5; 40], 8, Code::Int8, &[1.0; 5]).unwrap().to_arrays("embedding.weight");
    let error = small.load_state(&narrow).unwrap_err();
    assert!(error.message().contains("[5, 8] instead of [12000, 8]"), "{}", error.message());
    assert_eq!(small.state().unwrap(), before);
}
