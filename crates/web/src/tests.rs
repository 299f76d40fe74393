//! The whole way of a model, by the functions that JavaScript calls.

use recurra_core::{Cell, ClassesConfig, EncoderConfig, HeadConfig, NetworkConfig, Pooling};
use recurra_kernels::network::Network;

use super::*;

const TOKENS: [&str; 4] = ["<unk>", "<pad>", "good", "bad"];

fn message() -> String {
    INSTANCE.with_borrow(|instance| instance.message.clone())
}

/// Room with these bytes, as JavaScript leaves it.
fn room(bytes: &[u8]) -> *mut u8 {
    let to = recurra_alloc(bytes.len());
    // SAFETY: the room has as many bytes, and nobody else has it.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    to
}

fn settings(classes: u32) -> [u32; 18] {
    [2, 5, 3, 1, 1, classes, 0, 2, 0, 2, 1, 0, 0, 0, 0, 1, 100, 0]
}

fn network() -> Network {
    let encoder = EncoderConfig {
        bidirectional: true,
        unknown_idx: Some(0),
        padding_idx: Some(1),
        ..EncoderConfig::new(Cell::Lstm, TOKENS.len(), 5, 3)
    };
    let head = HeadConfig::Classes(ClassesConfig { classes: 2, multi_label: false, pooling: Pooling::Max });
    Network::new(NetworkConfig { encoder, head, seed: 3, threads: 1 }).unwrap()
}

fn give(settings: &[u32], network: &Network) -> u32 {
    let units: Vec<u16> = TOKENS.concat().encode_utf16().collect();
    let ends: Vec<u32> = TOKENS
        .iter()
        .scan(0, |end, token| {
            *end += token.len() as u32;
            Some(*end)
        })
        .collect();
    // SAFETY: all arrays live until the calls return, and their lengths are given.
    unsafe {
        if recurra_begin(settings.as_ptr(), settings.len()) > 0
            || recurra_tokens(units.as_ptr(), units.len(), ends.as_ptr(), ends.len()) > 0
        {
            return 1;
        }
        for array in network.state().unwrap() {
            let shape: Vec<u32> = array.shape.iter().map(|&size| size as u32).collect();
            let (name, dtype, data) = (array.name.as_bytes(), array.dtype.name().as_bytes(), room(&array.data));
            let member = 0;
            if recurra_array(
                member,
                name.as_ptr(),
                name.len(),
                dtype.as_ptr(),
                dtype.len(),
                shape.as_ptr(),
                shape.len(),
                data,
                array.data.len(),
            ) > 0
            {
                return 1;
            }
        }
    }
    recurra_finish()
}

#[test]
fn a_text_gets_the_probabilities_of_the_network() {
    let network = network();
    assert_eq!(give(&settings(2), &network), 0, "{}", message());
    let text: Vec<u16> = "Good zebra".encode_utf16().collect();
    // SAFETY: the text lives until the call returns.
    let done = unsafe {
        assert_eq!(recurra_needs_lower(text.as_ptr(), text.len()), 0);
        recurra_predict(text.as_ptr(), text.len(), text.as_ptr(), text.len())
    };
    assert_eq!(done, 0, "{}", message());
    let expected = network.predict(&[2, 0], &[2]).unwrap();
    // SAFETY: the answer has two probabilities and two counts.
    let answer = unsafe { std::slice::from_raw_parts(recurra_answer(), 4) };
    assert_eq!(answer, [expected[0], expected[1], 2.0, 1.0]);
}

#[test]
fn what_does_not_fit_is_a_message() {
    let network = network();
    assert_eq!(recurra_finish(), 1);
    assert!(message().starts_with("INTERNAL:"), "{}", message());
    assert_eq!(give(&settings(3), &network), 1);
    assert!(message().contains("fc.weight"), "{}", message());
    assert_eq!(give(&settings(2)[..9], &network), 1);
    assert_eq!(message(), "INVALID_FILE:9 settings, not 18");
    let mut wrong = settings(2);
    wrong[0] = 77;
    assert_eq!(give(&wrong, &network), 1);
    assert_eq!(message(), "INVALID_FILE:it has an unknown cell");
}
