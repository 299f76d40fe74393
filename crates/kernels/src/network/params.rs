//! The network's parameters: names, places, initial values, export and import.

use std::ops::Deref;
use std::sync::Arc;

use super::vectors::Vectors;
use crate::encoder::plan::{Omitted, WordDropout};
use crate::encoder::words::{Values, WordRows};
use crate::heads;
use crate::heads::head::Head;
use crate::random::{Chosen, key};
use crate::recurrent::RecurrentConfig;
use crate::recurrent::segments::Segment;
use crate::recurrent::shape::Shape;
use crate::simd::{Buf, zeros};
use recurra_core::{Dtype, Element, Error, ErrorCode, Forms, NamedArray, NetworkConfig, Result};

/// What the dropout masks of a step are for, so that each has its own.
pub(super) const EMBEDDING: u64 = 1;
pub(super) const LAYERS: u64 = 2;
pub(super) const FEATURES: u64 = 3;
const WORDS: u64 = 4;
pub(super) const RECURRENT: u64 = 5;
const CHARACTERS: u64 = 6;

/// Names of what is read row by row.
pub(super) const EMBEDDING_NAME: &str = "embedding.weight";
pub(super) const SUBWORDS: &str = "subwords.weight";

/// The weights of a head that the embedding may be.
const HEAD_WEIGHTS: &str = "fc.weight";

/// The stream of the initial values of features' vectors, after those of all other parameters.
const FEATURE_STREAM: u64 = u64::MAX;

/// What the network is made of, and where its parameters are.
pub(super) struct Params {
    pub config: NetworkConfig,
    /// The forms of its own words, where tokens are those although there are subwords.
    pub own: Option<Arc<Forms>>,
    pub shape: Shape,
    pub head: Box<dyn Head>,
    /// Private size of all parameters but those that are read row by row.
    pub flat_size: usize,
    /// Where the words' vectors are, where they are the weights of the head too: among all other parameters.
    pub tied: Option<Segment>,
}

impl Params {
    pub fn new(config: NetworkConfig, own: Option<Arc<Forms>>) -> Self {
        let mut offset = 0;
        let shape = Shape::new(&RecurrentConfig::from(&config.encoder), &mut offset);
        let head = heads::of(&config, shape.output(), &mut offset);
        let weights = || head.segments().into_iter().find(|segment| segment.name == HEAD_WEIGHTS).cloned();
        let tied = config.encoder.tied.then(weights).flatten();
        Self { config, own, shape, head, flat_size: offset, tied }
    }

    /// The words' vectors.
    pub fn words<'a>(&self, vectors: &'a Vectors, flat: &'a [f32]) -> WordRows<'a> {
        let [rows, dims] = self.words_shape();
        match &self.tied {
            None => WordRows::of(&vectors.words, vectors.coded.as_ref(), [rows, dims]),
            Some(segment) => {
                let values = &flat[segment.offset..][..segment.size()];
                WordRows { values: Values::Singles { values, stride: segment.stride() }, rows, dims }
            }
        }
    }

    /// What a step leaves out of its batch, by the seed of the dropout.
    pub fn omitted(&self, seed: u64, step: u64) -> Omitted {
        let share = self.config.encoder.dropouts.features;
        let features = (share > 0.0).then(|| Chosen::new(key(seed, [step, CHARACTERS, 0]), share as f32));
        Omitted { words: self.word_dropout(seed, step), features }
    }

    /// The word dropout of a step's batch, where there is any.
    fn word_dropout(&self, seed: u64, step: u64) -> Option<WordDropout> {
        let config = &self.config;
        let unknown = config.encoder.unknown_idx.filter(|_| config.encoder.dropouts.words > 0.0)?;
        let chosen = Chosen::new(key(seed, [step, WORDS, 0]), config.encoder.dropouts.words as f32);
        Some(WordDropout { chosen, unknown })
    }

    /// Name and place of each parameter that is not read row by row and of no other use, in PyTorch's order.
    pub fn segments(&self) -> impl Iterator<Item = (String, &Segment)> {
        let rnn = self.shape.segments.iter().map(|segment| (format!("rnn.{}", segment.name), segment));
        let tied = self.tied.is_some();
        let head = self.head.segments().into_iter().filter(move |segment| !(tied && segment.name == HEAD_WEIGHTS));
        rnn.chain(head.map(|segment| (segment.name.clone(), segment)))
    }

    /// Name and place of each parameter that the optimizer moves at every step.
    pub fn moved(&self) -> impl Iterator<Item = (String, &Segment)> {
        self.tied.iter().map(|segment| (EMBEDDING_NAME.to_string(), segment)).chain(self.segments())
    }

    /// Initial values, distributed as PyTorch's but for the scale of vectors: N(0, std²) with a zero padding row, the recurrent part
    /// U(-1/sqrt(hidden), 1/sqrt(hidden)), the linear layers U(-1/sqrt(in), 1/sqrt(in)), a CRF's transitions U(-0.1, 0.1) as pytorch-crf's. Each parameter has its own stream
    /// of ChaCha8, so the values depend on nothing but the seed and the sizes.
    #[cfg(feature = "training")]
    pub fn initialize(&self, vectors: &mut Vectors, flat: &mut [f32]) -> Result<()> {
        use rand_chacha::ChaCha8Rng;
        use rand_chacha::rand_core::SeedableRng;
        use rand_distr::{Distribution, StandardNormal, Uniform};

        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        let normal = |values: &mut [f32], rng: &mut ChaCha8Rng| {
            for value in values.iter_mut() {
                let drawn: f32 = StandardNormal.sample(rng);
                *value = drawn * self.config.encoder.embedding_std as f32;
            }
        };
        let mut apart = zeros(self.tied.as_ref().map_or(0, Segment::numel));
        let words = if self.tied.is_some() { &mut apart[..] } else { &mut vectors.words[..] };
        normal(words, &mut rng);
        if let Some(row) = self.config.encoder.padding_idx {
            let dims = self.config.encoder.embedding_dim;
            words[row as usize * dims..][..dims].fill(0.0);
        }
        if let Some(segment) = &self.tied {
            segment.import(&apart, flat);
        }
        rng.set_stream(FEATURE_STREAM);
        rng.set_word_pos(0);
        normal(&mut vectors.features, &mut rng);
        for (stream, (name, segment)) in self.segments().enumerate() {
            let bound = if name.starts_with("rnn.") {
                1.0 / (self.config.encoder.hidden_size as f32).sqrt()
            } else {
                self.head.bound(segment, self.shape.output().public())
            };
            let uniform = Uniform::new(-bound, bound)
                .map_err(|e| Error::new(ErrorCode::InvalidArgument, format!("no distribution for {name}: {e}")))?;
            rng.set_stream(stream as u64 + 1);
            rng.set_word_pos(0);
            let mut values = zeros(segment.numel());
            values.iter_mut().for_each(|value| *value = uniform.sample(&mut rng));
            segment.import(&values, flat);
        }
        Ok(())
    }

    /// Without training there are no initial values.
    #[cfg(not(feature = "training"))]
    pub fn initialize(&self, _: &mut Vectors, _: &mut [f32]) -> Result<()> {
        let message = "a network that is not trained needs weights before it predicts: give it a state";
        Err(Error::new(ErrorCode::StateMismatch, message))
    }

    /// Shape of the words' vectors.
    pub fn words_shape(&self) -> [usize; 2] {
        [self.config.encoder.vocab_size, self.config.encoder.embedding_dim]
    }

    /// Shape of the words' vectors that nothing else has as its weights.
    pub fn own_words_shape(&self) -> [usize; 2] {
        let [rows, dims] = self.words_shape();
        [if self.tied.is_some() { 0 } else { rows }, dims]
    }

    /// Shape of the features' vectors, where there are any.
    pub fn features_shape(&self) -> Option<[usize; 2]> {
        self.config.encoder.subwords.map(|subwords| [subwords.buckets, subwords.dim])
    }

    /// Names and shapes of what is read row by row, in a training.
    fn tables(&self) -> impl Iterator<Item = (&'static str, [usize; 2])> {
        let features = self.features_shape().map(|shape| (SUBWORDS, shape));
        std::iter::once((EMBEDDING_NAME, self.words_shape())).chain(features)
    }

    /// The same as the network's state has it: one matrix where the forms are its own.
    fn stored_tables(&self) -> Vec<(&'static str, [usize; 2])> {
        match self.own {
            Some(_) => vec![(EMBEDDING_NAME, [self.config.encoder.vocab_size, self.config.encoder.inputs()])],
            None => self.tables().collect(),
        }
    }

    /// Names of all parameters, in PyTorch's order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.tables().map(|(name, _)| name.to_string()).chain(self.segments().map(|(name, _)| name))
    }

    /// All parameters of a training under PyTorch's names; those that are read row by row in the order of [`Vectors`].
    pub fn export(&self, words: &[f32], features: &[f32], flat: &[f32]) -> Vec<NamedArray> {
        let tied = self.tied.as_ref().map(|segment| segment.export(flat));
        self.export_tables(self.tables().zip([tied.as_deref().unwrap_or(words), features]), flat)
    }

    /// All parameters as the network's state has them, of what it reads of each word.
    pub fn export_stored(&self, words: &[f32], features: &[f32], flat: &[f32]) -> Vec<NamedArray> {
        match self.own {
            Some(_) => self.export_tables(self.stored_tables().into_iter().zip([words]), flat),
            None => self.export(words, features, flat),
        }
    }

    fn export_tables<'a>(
        &self,
        tables: impl Iterator<Item = ((&'static str, [usize; 2]), &'a [f32])>,
        flat: &[f32],
    ) -> Vec<NamedArray> {
        let first = tables.map(|((name, shape), values)| NamedArray::of(name, shape.to_vec(), values));
        let rest =
            self.segments().map(|(name, segment)| NamedArray::of(name, segment.shape.clone(), &segment.export(flat)));
        first.chain(rest).collect()
    }

    /// Takes over all parameters of a training.
    ///
    /// # Errors
    /// `StateMismatch`, listing everything that is missing, unknown, or of another shape or type; nothing is changed then.
    pub fn import<D: Deref<Target = [u8]>>(
        &self,
        tensors: &[NamedArray<D>],
        vectors: &mut Vectors,
        flat: &mut Buf,
    ) -> Result<()> {
        self.import_tables(&self.tables().collect::<Vec<_>>(), tensors, vectors, flat)
    }

    /// Takes over all parameters as the network's state has them; there must be room as [`Params::stored`] makes it.
    ///
    /// # Errors
    /// As [`Params::import`].
    pub fn import_stored<D: Deref<Target = [u8]>>(
        &self,
        tensors: &[NamedArray<D>],
        vectors: &mut Vectors,
        flat: &mut Buf,
    ) -> Result<()> {
        self.import_tables(&self.stored_tables(), tensors, vectors, flat)
    }

    fn import_tables<D: Deref<Target = [u8]>>(
        &self,
        tables: &[(&'static str, [usize; 2])],
        tensors: &[NamedArray<D>],
        vectors: &mut Vectors,
        flat: &mut Buf,
    ) -> Result<()> {
        let mut problems = Vec::new();
        // Coded vectors are there already.
        let coded = usize::from(vectors.coded.is_some());
        let tables = &tables[coded..];
        let names = tables.iter().map(|(name, _)| (*name).to_string());
        let known: Vec<String> = names.chain(self.segments().map(|(name, _)| name)).collect();
        let tables = tables.iter().map(|(_, shape)| shape.to_vec());
        let expected: Vec<Vec<usize>> =
            tables.chain(self.segments().map(|(_, segment)| segment.shape.clone())).collect();
        for (name, shape) in known.iter().zip(&expected) {
            let mut found = tensors.iter().filter(|tensor| tensor.name == *name);
            match (found.next(), found.next()) {
                (None, _) => problems.push(format!("{name} is missing")),
                (_, Some(_)) => problems.push(format!("{name} is there twice")),
                (Some(tensor), None) => {
                    if tensor.dtype != Dtype::Float32 {
                        problems.push(format!("{name} is {} instead of float32", tensor.dtype.name()));
                    } else if tensor.shape != *shape {
                        problems.push(format!("{name} has shape {:?} instead of {shape:?}", tensor.shape));
                    } else if tensor.count() != shape.iter().product::<usize>() {
                        problems
                            .push(format!("{name} has {} values, which is not its shape {shape:?}", tensor.count()));
                    }
                }
            }
        }
        let unknown = tensors.iter().filter(|tensor| !known.contains(&tensor.name));
        problems.extend(unknown.map(|tensor| format!("{} is unknown", tensor.name)));
        if !problems.is_empty() {
            let message = format!("the state does not fit the network: {}", problems.join("; "));
            return Err(Error::new(ErrorCode::StateMismatch, message));
        }
        for tensor in tensors {
            match self.moved().find(|(name, _)| *name == tensor.name) {
                Some((_, segment)) => {
                    let mut values = zeros(tensor.count());
                    f32::copy_from(&tensor.data, &mut values);
                    segment.import(&values, flat);
                }
                // Much the largest: they are not worth a second copy.
                None if tensor.name == SUBWORDS => f32::copy_from(&tensor.data, &mut vectors.features),
                None => f32::copy_from(&tensor.data, &mut vectors.words),
            }
        }
        Ok(())
    }
}
