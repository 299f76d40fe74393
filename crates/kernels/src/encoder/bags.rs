//! Inputs with subwords: a word's vector followed by the mean of its features' vectors, as in
//! `torch.cat([embedding(words), embedding_bag(features, mode="mean")], -1)`.

use crate::random::Chosen;
use recurra_core::distinct::{Distinct, Users};

/// The words and features of the distinct inputs of a batch.
#[derive(Default)]
pub(crate) struct Bags {
    /// For each input, the number of its word.
    pub words: Vec<u32>,
    /// The inputs of each word.
    pub word_users: Users,
    /// Distinct features in order of first use, followed by those that only other ranks read in the same step.
    pub ids: Vec<u32>,
    /// Number of `ids` that these inputs have themselves.
    pub own: usize,
    /// Start of each input's features in `features`, followed by the total.
    starts: Vec<u32>,
    features: Vec<u32>,
    /// The inputs of each distinct feature, with repetitions.
    pub feature_users: Users,
}

impl Bags {
    /// Creates the bags of inputs with these words, numbers below `count`, and the features of each, which `distinct`
    /// numbers. Features at `dropped` places, counted over all inputs, are omitted.
    pub fn new<'a>(
        words: Vec<u32>,
        count: usize,
        features: impl Iterator<Item = &'a [u32]>,
        dropped: Option<Chosen>,
        distinct: &mut Distinct,
    ) -> Self {
        let mut bags = Self { word_users: Users::new(&words, count), words, starts: vec![0], ..Self::default() };
        let (mut numbers, mut inputs) = (Vec::new(), Vec::new());
        distinct.begin(0);
        let mut place = 0u32;
        for (input, features) in features.enumerate() {
            let first = bags.features.len();
            match dropped {
                None => bags.features.extend_from_slice(features),
                Some(dropped) => bags.features.extend(features.iter().filter(|_| {
                    place = place.wrapping_add(1);
                    !dropped.has(place)
                })),
            }
            bags.starts.push(bags.features.len() as u32);
            numbers.extend(bags.features[first..].iter().map(|&feature| distinct.number(feature, &mut bags.ids)));
            inputs.resize(numbers.len(), input as u32);
        }
        bags.own = bags.ids.len();
        bags.feature_users = Users::new(&numbers, bags.own).through(&inputs);
        bags
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The features of an input.
    pub fn features(&self, input: usize) -> &[u32] {
        &self.features[self.starts[input] as usize..self.starts[input + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::key;

    #[test]
    fn dropped_features_are_left_out_and_the_others_keep_their_order() {
        let lists: Vec<Vec<u32>> =
            (0..2000u32).map(|input| (0..input % 20).map(|i| (input * i) % 300).collect()).collect();
        let bags = |dropped| {
            let mut distinct = Distinct::new(300);
            Bags::new(vec![0; lists.len()], 1, lists.iter().map(Vec::as_slice), dropped, &mut distinct)
        };
        let (all, some) = (bags(None), bags(Some(Chosen::new(key(3, [1, 2, 3]), 0.6))));
        let (mut kept, mut count) = (0, 0);
        for (input, list) in lists.iter().enumerate() {
            assert_eq!(all.features(input), list);
            let mut rest = list.iter();
            assert!(some.features(input).iter().all(|feature| rest.any(|other| other == feature)), "{input}");
            (kept, count) = (kept + some.features(input).len(), count + list.len());
        }
        let share = kept as f64 / count as f64;
        assert!((share - 0.4).abs() < 0.01, "{share}");
        let users: usize = (0..some.ids.len()).map(|feature| some.feature_users.of(feature).len()).sum();
        assert_eq!(users, kept);
    }
}
