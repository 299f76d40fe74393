//! Inputs that are a word's vector with the mean of its features' vectors behind it, as
//! `torch.cat([embedding(words), embedding_bag(features, mode="mean")], -1)` gives them.

use recurra_core::distinct::{Distinct, Users};

/// What the distinct inputs of a batch are made of.
#[derive(Default)]
pub(crate) struct Bags {
    /// For each input, the number of its word.
    pub words: Vec<u32>,
    /// The inputs of each word.
    pub word_users: Users,
    /// Distinct features, in order of first use.
    pub ids: Vec<u32>,
    /// Where the features of each input begin in `features`, and at last how many there are.
    starts: Vec<u32>,
    features: Vec<u32>,
    /// The inputs of each distinct feature, as often as they have it.
    pub feature_users: Users,
}

impl Bags {
    /// Of inputs with these words, numbers below `count`, and the features of each, which `distinct` numbers.
    pub fn new<'a>(
        words: Vec<u32>,
        count: usize,
        features: impl Iterator<Item = &'a [u32]>,
        distinct: &mut Distinct,
    ) -> Self {
        let mut bags = Self { word_users: Users::new(&words, count), words, starts: vec![0], ..Self::default() };
        let (mut numbers, mut inputs) = (Vec::new(), Vec::new());
        distinct.begin(0);
        for (input, features) in features.enumerate() {
            bags.features.extend_from_slice(features);
            bags.starts.push(bags.features.len() as u32);
            numbers.extend(features.iter().map(|&feature| distinct.number(feature, &mut bags.ids)));
            inputs.resize(numbers.len(), input as u32);
        }
        bags.feature_users = Users::new(&numbers, bags.ids.len()).through(&inputs);
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
