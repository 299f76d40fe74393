//! Networks with subwords whose tokens are words. In training, they are bit-identical to a network with forms; in
//! prediction, to one without subwords.
#![cfg(feature = "training")]

mod common;

use std::sync::Arc;

use common::{Texts, difference};
use recurra_core::{
    Cell, Chunk, ErrorCode, Forms, NamedArray, NetworkConfig, Pooling, Result, Rows, StepOptions, SubwordsConfig,
};
use recurra_kernels::network::Network;

const WORDS: usize = 30;
const DIMS: usize = 20;
const MORE: usize = 9;

/// The features of each word. Some words have none, others one twice.
fn forms() -> Arc<Forms> {
    let mut forms = Forms::default();
    for word in 0..WORDS as u32 {
        forms.push(word as i32, 6, |to| to.extend((0..word % 6).map(|i| (word * 5 + i * i * 3) % 40))).unwrap();
    }
    Arc::new(forms)
}

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, WORDS, DIMS, 10, 4).with(|c| {
        c.encoder.subwords = Some(SubwordsConfig { buckets: 40, dim: MORE });
        c.encoder.bidirectional = true;
        c.encoder.padding_idx = Some(1);
        c.encoder.unknown_idx = Some(0);
        c.encoder.dropouts.words = 0.2;
        c.encoder.dropouts.embedding = 0.1;
        c.classes_mut().pooling = Pooling::Max;
        c.seed = 3;
        c.threads = 2;
    })
}

fn texts() -> Texts {
    Texts::random(4, 0..WORDS as i32)
}

fn trained(adversarial: f64) -> Network {
    let (network, texts) = (Network::with_forms(config(), forms()).unwrap(), texts());
    let options = StepOptions { adversarial, ..StepOptions::default() };
    network.train_batches(&texts.chunk(&[8, 8, 8]), &options).unwrap();
    network
}

/// A network without subwords, with a given state.
fn plain(state: &[NamedArray]) -> Network {
    let plain = Network::new(config().with(|c| {
        c.encoder.embedding_dim = DIMS + MORE;
        c.encoder.subwords = None;
    }))
    .unwrap();
    plain.load_state(state).unwrap();
    plain
}

#[test]
fn steps_are_those_of_a_network_of_forms() {
    for adversarial in [0.0, 0.3] {
        let (own, texts, forms) = (trained(adversarial), texts(), forms());
        let other = Network::new(config()).unwrap();
        let chunk = Chunk { forms: Some(&forms), ..texts.chunk(&[8, 8, 8]) };
        other.train_batches(&chunk, &StepOptions { adversarial, ..StepOptions::default() }).unwrap();
        assert_eq!(own.training_state().unwrap(), other.training_state().unwrap());
        let rows = Rows::of_forms(&texts.tokens, &texts.lengths, &forms);
        let (ours, theirs) = (own.predict(&texts.tokens, &texts.lengths).unwrap(), other.predict_rows(rows).unwrap());
        assert!(difference(&ours, &theirs) < 1e-6);
    }
}

#[test]
fn the_state_is_that_of_a_network_without_subwords() {
    let (own, texts) = (trained(0.0), texts());
    let looked = own.peek().unwrap();
    let state = own.state().unwrap();
    assert_eq!(looked, state);
    assert_eq!((state[0].name.as_str(), &state[0].shape[..]), ("embedding.weight", &[WORDS, DIMS + MORE][..]));
    assert!(state.iter().all(|array| !array.name.starts_with("subwords")));
    let again = Network::with_forms(config(), forms()).unwrap();
    again.load_state(&state).unwrap();
    assert_eq!(again.state().unwrap(), state);
    assert_eq!(again.peek().unwrap(), state);
    let expected = own.predict(&texts.tokens, &texts.lengths).unwrap();
    for network in [&plain(&state), &again] {
        assert_eq!(network.predict(&texts.tokens, &texts.lengths).unwrap(), expected);
        // With the projections of all words, too.
        network.prepare().unwrap();
        assert!(difference(&network.predict(&texts.tokens, &texts.lengths).unwrap(), &expected) < 1e-6);
        let explained = network.explain(&texts.tokens[..3], Some(1)).unwrap();
        assert_eq!(explained.contributions, own.explain(&texts.tokens[..3], Some(1)).unwrap().contributions);
    }
}

#[test]
fn a_training_resumes_to_the_same_bits() {
    let (whole, texts) = (trained(0.0), texts());
    let resumed = Network::with_forms(config(), forms()).unwrap();
    // Also if weights were loaded before.
    resumed.load_state(&whole.state().unwrap()).unwrap();
    resumed.restore(&whole.training_state().unwrap()).unwrap();
    for network in [&whole, &resumed] {
        network.set_word_vectors(&[3], &[0.5; DIMS]).unwrap();
        network.train_batches(&texts.chunk(&[24]), &StepOptions::default()).unwrap();
    }
    assert_eq!(whole.training_state().unwrap(), resumed.training_state().unwrap());
    assert_eq!(whole.state().unwrap(), resumed.state().unwrap());
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |result: Result<()>, part: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(part), "{error}");
    };
    let made = |config: NetworkConfig, forms: Arc<Forms>| Network::with_forms(config, forms).map(drop);
    refused(made(config().with(|c| c.encoder.subwords = None), forms()), "has no subwords");
    refused(made(config().with(|c| c.encoder.vocab_size += 1), forms()), "each of the 31 words but received 30");
    let mut other = Forms::clone(&forms());
    other.push(7, 0, |_| {}).unwrap();
    refused(
        made(config().with(|c| c.encoder.vocab_size += 1), Arc::new(other)),
        "the word 30 for form 30 but received 7",
    );
    let small = config().with(|c| c.encoder.subwords = Some(SubwordsConfig { buckets: 20, dim: MORE }));
    assert_eq!(made(small, forms()).unwrap_err().code(), ErrorCode::OutOfRange);
    let (own, forms, texts) = (trained(0.0), forms(), texts());
    refused(own.predict_rows(Rows::of_forms(&[0], &[1], &forms)).map(drop), "takes ids of words");
    let chunk = Chunk { forms: Some(&forms), ..texts.chunk(&[24]) };
    refused(own.train_batches(&chunk, &StepOptions::default()).map(drop), "takes ids of words");
    assert_eq!(own.predict(&[30], &[1]).unwrap_err().code(), ErrorCode::OutOfRange);
    // After training, words and their characters are merged into one vector.
    let settled = Network::with_forms(config(), forms).unwrap();
    settled.load_state(&own.state().unwrap()).unwrap();
    refused(settled.train_batches(&texts.chunk(&[24]), &StepOptions::default()).map(drop), "finished training");
    refused(settled.set_word_vectors(&[3], &[0.5; DIMS]), "finished training");
    refused(settled.training_state().map(drop), "finished training");
    let raw = own.training_state().unwrap();
    assert_eq!(settled.load_state(&raw).unwrap_err().code(), ErrorCode::StateMismatch);
}
