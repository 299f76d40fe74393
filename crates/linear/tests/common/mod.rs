//! A small data set whose labels are words of their texts.

use recurra_linear::{Counter, FeatureOptions, Featurizer, Rows};

const SUBJECTS: [[&str; 4]; 5] = [
    ["goal", "match", "team", "coach"],
    ["bank", "shares", "profit", "market"],
    ["star", "planet", "probe", "orbit"],
    ["vote", "party", "minister", "law"],
    ["film", "actor", "scene", "script"],
];

/// Texts and labels, with up to 5 `classes`. Some rows have words of two subjects, so that no label is certain.
pub fn data(rows: usize, classes: usize) -> (Vec<String>, Vec<u32>) {
    let pick = |row: usize, salt: usize| (row * 7919 + salt * 104_729) / 13;
    (0..rows)
        .map(|row| {
            let label = pick(row, 1) % classes;
            let other = if pick(row, 2) % 4 == 0 { pick(row, 3) % classes } else { label };
            let words = [SUBJECTS[label][pick(row, 4) % 4], SUBJECTS[other][pick(row, 5) % 4]];
            (format!("The {} and the {} of number {}", words[0], words[1], row % 17), label as u32)
        })
        .unzip()
}

pub fn counted(texts: &[String], threads: usize) -> (Featurizer, Rows) {
    let mut counter = Counter::new(FeatureOptions::default(), threads).unwrap();
    counter.add(texts).unwrap();
    counter.finish().unwrap()
}
