//! Compares features with those of scikit-learn (scripts/golden/linear.py).

use std::collections::HashMap;

use recurra_linear::{Counter, FeatureOptions, Featurizer};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden.jsonl")).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn fitted(texts: &[String], options: FeatureOptions, threads: usize, part: usize) -> Featurizer {
    let mut counter = Counter::new(options, threads).unwrap();
    for texts in texts.chunks(part) {
        counter.add(texts).unwrap();
    }
    counter.finish().unwrap().0
}

#[test]
fn features_are_scikit_learns() {
    let golden = golden();
    let texts = strings(&golden["texts"]);
    for case in golden["features"].as_array().unwrap() {
        let options = FeatureOptions {
            min_word: case["min_word"].as_u64().unwrap() as usize,
            min_rows: case["min_rows"].as_u64().unwrap() as u32,
            ..FeatureOptions::default()
        };
        let featurizer = fitted(&texts, options, 2, 7);
        assert_eq!(featurizer.sizes().words as u64, case["sizes"][0].as_u64().unwrap());
        assert_eq!(featurizer.sizes().chars as u64, case["sizes"][1].as_u64().unwrap());
        let mut compared = 0;
        for row in case["rows"].as_array().unwrap() {
            let given: HashMap<usize, f32> = featurizer.features(row["text"].as_str().unwrap()).into_iter().collect();
            let mut expected = 0;
            for (kind, list) in [("words", &row["words"]), ("chars", &row["chars"])] {
                for pair in list.as_array().unwrap() {
                    let (ngram, value) = (pair[0].as_str().unwrap(), pair[1].as_f64().unwrap() as f32);
                    let number = if kind == "words" {
                        featurizer.word_feature(&ngram.split(' ').collect::<Vec<_>>())
                    } else {
                        featurizer.char_feature(ngram)
                    };
                    let found = given[&number.unwrap_or_else(|| panic!("{kind} {ngram:?} is unknown"))];
                    // Counts above 160 are rounded by up to 2 %.
                    let bound = if row["text"].as_str().unwrap().len() > 500 { 3e-3 } else { 2e-6 };
                    assert!((found - value).abs() <= bound, "{kind} {ngram:?}: {found} instead of {value}");
                    expected += 1;
                }
            }
            assert_eq!(given.len(), expected);
            compared += expected;
        }
        assert!(compared > 600, "{compared}");
    }
}

#[test]
fn a_vowel_sign_belongs_to_its_word() {
    let featurizer =
        fitted(&["हिन्दी में".to_owned()], FeatureOptions { chars: (0, 0), ..FeatureOptions::default() }, 1, 1);
    assert!(featurizer.word_feature(&["में"]).is_some());
}

#[test]
fn the_most_frequent_features_are_kept() {
    let texts: Vec<String> = (0..40).map(|row| format!("all some{} one{row}", row % 4)).collect();
    let few = fitted(&texts, FeatureOptions { max_features: 60, ..FeatureOptions::default() }, 1, 40);
    assert_eq!(few.len(), 60);
    assert!(few.word_feature(&["all"]).is_some() && few.word_feature(&["some3"]).is_some());
    assert!(few.word_feature(&["one7"]).is_none() && few.char_feature(" all").is_some());
}

#[test]
fn options_outside_their_range_are_refused() {
    let default = FeatureOptions::default();
    for options in [
        FeatureOptions { words: 4, ..default },
        FeatureOptions { words: 0, chars: (0, 0), ..default },
        FeatureOptions { chars: (3, 2), ..default },
        FeatureOptions { chars: (0, 2), ..default },
        FeatureOptions { chars: (2, 9), ..default },
        FeatureOptions { min_word: 0, ..default },
        FeatureOptions { min_rows: 0, ..default },
        FeatureOptions { max_features: 0, ..default },
    ] {
        assert!(Counter::new(options, 1).is_err(), "{options:?}");
    }
    assert!(Counter::new(default, 1).unwrap().finish().is_err());
    let mut empty = Counter::new(default, 1).unwrap();
    empty.add(&["", " "]).unwrap();
    assert!(empty.finish().is_err());
}
