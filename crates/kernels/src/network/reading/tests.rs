//! Predictions during the making of the table and during changes of the weights: what makes the one slow on purpose is
//! to hold its lock.

use crate::network::Network;
use recurra_core::{Cell, NetworkConfig};

const WORDS: usize = 30;

fn classifier() -> Network {
    Network::new(NetworkConfig::classifier(Cell::Lstm, WORDS, 6, 5, 3).with(|c| c.threads = 2)).unwrap()
}

fn tokens() -> Vec<i32> {
    (0..2 * WORDS as i32).map(|i| i * 7 % WORDS as i32).collect()
}

fn has_table(classifier: &Network) -> bool {
    classifier.read().frozen.as_ref().is_some_and(|frozen| frozen.table.get().is_some())
}

fn assert_near(one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len());
    assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6), "{one:?} {other:?}");
}

#[test]
fn at_once_is_never_by_waiting_for_a_change() {
    let classifier = classifier();
    let tokens = tokens();
    let at_once = || classifier.predict_at_once(&tokens[..4], &[4]).unwrap();
    assert_eq!(at_once(), None, "the weights are not ready");
    let expected = classifier.predict(&tokens[..4], &[4]).unwrap();
    assert_near(&at_once().unwrap(), &expected);
    let change = classifier.write();
    assert_eq!(at_once(), None, "the weights are being changed");
    drop(change);
    assert_near(&at_once().unwrap(), &expected);
    assert!(classifier.predict_at_once(&[WORDS as i32], &[1]).is_err());
}

#[test]
fn the_table_is_put_in_its_place_beside_predictions() {
    let classifier = classifier();
    let tokens = tokens();
    let expected = classifier.predict(&tokens[..4], &[4]).unwrap();
    assert!(!has_table(&classifier));
    // A prediction that takes long: were the table a change of the weights, it would wait for this, and all others with it.
    let reading = classifier.read();
    classifier.prepare().unwrap();
    assert!(has_table(&classifier));
    assert_near(&classifier.predict_at_once(&tokens[..4], &[4]).unwrap().unwrap(), &expected);
    drop(reading);
}

#[test]
fn while_the_table_is_made_predictions_go_on_without_it() {
    let classifier = classifier();
    let tokens = tokens();
    let expected = classifier.predict(&tokens[..4], &[4]).unwrap();
    {
        let weights = classifier.read();
        let _slowly = weights.frozen.as_ref().unwrap().table.table.making.lock().unwrap();
        let lengths = [tokens.len() as i32 - 4, 4];
        assert_eq!(classifier.predict(&tokens, &lengths).unwrap().len(), 6);
        assert_near(&classifier.predict_at_once(&tokens[..4], &[4]).unwrap().unwrap(), &expected);
        assert!(!has_table(&classifier));
    }
    assert_near(&classifier.predict(&tokens[..4], &[4]).unwrap(), &expected);
    assert!(has_table(&classifier));
}

#[test]
fn a_table_that_could_not_be_made_is_made_later() {
    let classifier = classifier();
    let tokens = tokens();
    let expected = classifier.predict(&tokens[..4], &[4]).unwrap();
    let failed = std::thread::scope(|scope| {
        let fails = || {
            let weights = classifier.read();
            let _making = weights.frozen.as_ref().unwrap().table.table.making.lock().unwrap();
            panic!("on purpose");
        };
        scope.spawn(fails).join()
    });
    assert!(failed.is_err());
    assert_near(&classifier.predict_at_once(&tokens[..4], &[4]).unwrap().unwrap(), &expected);
    classifier.prepare().unwrap();
    assert!(has_table(&classifier));
}

/// Large enough for the kernels that take all rows of a step together.
#[test]
fn texts_get_the_same_alone_and_together_with_the_table_and_without() {
    for bidirectional in [false, true] {
        let layers = NetworkConfig::classifier(Cell::Lstm, WORDS, 20, 100, 3).with(|c| {
            c.encoder.num_layers = 2;
            c.encoder.bidirectional = bidirectional;
            c.threads = 2;
        });
        let classifier = Network::new(layers).unwrap();
        let lengths: Vec<i32> = (0..131).map(|row| 1 + row * 11 % 17).collect();
        let text = |row: usize| (0..lengths[row]).map(move |i| (i * 7 + row as i32 * 5) % WORDS as i32);
        let tokens: Vec<i32> = (0..lengths.len()).flat_map(text).collect();
        let alone = || -> Vec<f32> {
            let one = |row: usize| classifier.predict(&text(row).collect::<Vec<_>>(), &lengths[row..=row]).unwrap();
            (0..lengths.len()).flat_map(one).collect()
        };
        let together = || classifier.predict(&tokens, &lengths).unwrap();
        classifier.freeze().unwrap();
        let expected = {
            let weights = classifier.read();
            let _making = weights.frozen.as_ref().unwrap().table.table.making.lock().unwrap();
            assert_near(&together(), &alone());
            together()
        };
        assert!(!has_table(&classifier));
        assert_near(&together(), &expected);
        assert_near(&alone(), &expected);
        assert!(has_table(&classifier));
    }
}

/// The table of all words would be twice as large as allowed, and the cells take inputs as they are until the frequent ones are known.
#[test]
fn wide_weights_predict_the_same_with_and_without_the_frequent_words() {
    const MANY: usize = 600;
    for (cell, layers, hidden) in [(Cell::Lstm, 1, 256), (Cell::Gru, 2, 256), (Cell::RnnTanh, 1, 512)] {
        let config = NetworkConfig::classifier(cell, MANY, 6, hidden, 3).with(|c| {
            c.encoder.num_layers = layers;
            c.encoder.bidirectional = layers > 1;
        });
        let classifier = Network::new(config).unwrap();
        let tokens: Vec<i32> = (0..2 * MANY as i32).map(|i| i * i % MANY as i32).collect();
        let lengths = vec![10; tokens.len() / 10];
        let first = classifier.predict(&tokens, &lengths).unwrap();
        let second = classifier.predict(&tokens, &lengths).unwrap();
        assert!(classifier.keeps_frequent_words() && !has_table(&classifier), "{cell:?}");
        assert_near(&second, &first);
        // Also words that are not among them, and few rows, which another kernel computes.
        let rare: Vec<i32> = (0..MANY as i32).rev().collect();
        let together = classifier.predict(&rare, &[10; MANY / 10]).unwrap();
        let alone: Vec<f32> = rare.chunks(10).flat_map(|row| classifier.predict(row, &[10]).unwrap()).collect();
        assert_near(&together, &alone);
    }
}
