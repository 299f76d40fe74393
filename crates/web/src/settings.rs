//! The settings of a model, as numbers.

use recurra_core::{
    Cell, ClassesConfig, Decoder, Dropouts, EncoderConfig, Error, ErrorCode, Forbidden, HeadConfig, NetworkConfig,
    Pooling, Result, SubwordsConfig, TagsConfig,
};
use recurra_linear::Mix;
use recurra_text::{Features, Reading, Tokenizer, Truncation};

/// An error about an invalid file.
pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidFile, message)
}

/// The settings of a model, as numbers in this order. Flags are 0 or 1.
///
/// | index | setting |
/// |---|---|
/// | 0 | kind of model: 0 classifier, 1 tagger, 2 language model |
/// | 1 | cell, by its number in `recurra_core::Cell` |
/// | 2 to 5 | size of word vectors; size of the hidden state; number of layers; flag: bidirectional |
/// | 6, 7 | outputs of the head; words in the vocabulary |
/// | 8, 9 | id of the unknown token; id of the padding token plus 1, or 0 for none |
/// | 10, 11 | subword buckets and the size of their vectors, or 0 and 0 for a network without subwords |
/// | 12 to 15 | shortest and longest character n-gram; flag: lowercase n-grams; flag: with the word's shape |
///
/// A classifier then has:
///
/// | index | setting |
/// |---|---|
/// | 16, 17 | flag: multi-label; pooling, by its index in `recurra_core::Pooling::ALL` |
/// | 18, 19 | number of networks; flag: has a linear model |
/// | 20, 21 | network's share in the mix, and its sharpness, as float32 bits |
/// | 22 to 25 | tokenizer (0 `basic_english`, 1 characters, 2 in JavaScript); longest n-gram; maximum number of tokens; truncation (0 head, 1 tail, 2 both) |
///
/// A tagger has:
///
/// | index | setting |
/// |---|---|
/// | 16 | decoder, by its index in `recurra_core::Decoder::ALL` |
/// | 17, 18 | weight of the shape among the features, as the low and the high bits of a float64 |
///
/// A language model has:
///
/// | index | setting |
/// |---|---|
/// | 16, 17 | decoder, as for a tagger; flag: the embedding is tied to the last layer |
#[derive(Clone, Debug)]
pub struct Settings {
    encoder: EncoderConfig,
    features: Option<Features>,
    own: Own,
}

/// The settings of one kind of model.
#[derive(Clone, Debug)]
pub enum Own {
    Classifier { head: ClassesConfig, networks: usize, mix: Option<Mix>, reading: Option<Reading> },
    Tagger { tags: usize, decoder: Decoder },
    Language { units: usize, decoder: Decoder },
}

/// Maximum weight of the shape, as in the addon.
const MAX_SHAPE_SHARE: f64 = 0.9;

/// Number of settings that all kinds have.
const COMMON: usize = 16;

impl Settings {
    /// # Errors
    /// `InvalidFile` for invalid settings.
    pub fn new(numbers: &[u32]) -> Result<Self> {
        let Some((
            &[
                kind,
                cell,
                dim,
                hidden,
                layers,
                both,
                outputs,
                words,
                unknown,
                padding,
                buckets,
                features,
                minn,
                maxn,
                lower,
                shape,
            ],
            own,
        )) = numbers.split_first_chunk::<COMMON>()
        else {
            return Err(invalid(format!("{} settings, fewer than {COMMON}", numbers.len())));
        };
        let cell =
            i32::try_from(cell).ok().and_then(Cell::from_code).ok_or_else(|| invalid("it has an unknown cell"))?;
        let subwords = (buckets > 0).then_some(SubwordsConfig { buckets: buckets as usize, dim: features as usize });
        let mut encoder = EncoderConfig {
            subwords,
            num_layers: layers as usize,
            bidirectional: both != 0,
            dropouts: Dropouts::default(),
            unknown_idx: Some(unknown),
            padding_idx: padding.checked_sub(1),
            ..EncoderConfig::new(cell, words as usize, dim as usize, hidden as usize)
        };
        let shape_share = match (kind, own) {
            (1, &[_, low, high]) => f64::from_bits(u64::from(high) << 32 | u64::from(low)),
            _ => 0.0,
        };
        if !(0.0..=MAX_SHAPE_SHARE).contains(&shape_share) {
            return Err(invalid(format!("its shape has a share of {shape_share}")));
        }
        let (lower, shape) = (lower != 0, shape != 0);
        let features = subwords.map(|_| Features { buckets, runs: (minn, maxn), lower, shape, shape_share });
        let outputs = outputs as usize;
        let own = match (kind, own) {
            (0, own) => classifier(outputs, own),
            (1, &[decoder, _, _]) => {
                Decoder::ALL.get(decoder as usize).map(|&decoder| Own::Tagger { tags: outputs, decoder })
            }
            (2, &[decoder, tied]) => {
                encoder.tied = tied != 0;
                Decoder::ALL.get(decoder as usize).map(|&decoder| Own::Language { units: outputs, decoder })
            }
            _ => None,
        };
        let own = own.ok_or_else(|| invalid(format!("{} settings describe no model", numbers.len())))?;
        Ok(Self { encoder, features, own })
    }

    pub fn own(&self) -> &Own {
        &self.own
    }

    pub fn features(&self) -> Option<Features> {
        self.features
    }

    /// Id of the unknown token.
    pub fn unknown(&self) -> u32 {
        self.encoder.unknown_idx.unwrap_or(0)
    }

    /// Number of words in the vocabulary.
    pub fn words(&self) -> usize {
        self.encoder.vocab_size
    }

    /// Number of networks in the file.
    pub fn networks(&self) -> usize {
        if let Own::Classifier { networks, .. } = self.own { networks } else { 1 }
    }

    /// The configuration of each network. `forbidden` are a tagger's forbidden transitions.
    pub fn network(&self, forbidden: Option<Forbidden>) -> NetworkConfig {
        let head = match self.own {
            Own::Classifier { head, .. } => HeadConfig::Classes(head),
            Own::Tagger { tags, decoder } => HeadConfig::Tags(TagsConfig { tags, decoder, forbidden }),
            Own::Language { units, decoder } => HeadConfig::Tags(TagsConfig { tags: units, decoder, forbidden: None }),
        };
        NetworkConfig { encoder: self.encoder.clone(), head, seed: 0, threads: 1 }
    }
}

/// `None` for invalid settings.
fn classifier(classes: usize, numbers: &[u32]) -> Option<Own> {
    let &[several, pooling, networks, linear, share, sharpness, tokenizer, ngrams, length, cut] = numbers else {
        return None;
    };
    let tokenizer = match tokenizer {
        0 => Some(Tokenizer::BasicEnglish),
        1 => Some(Tokenizer::Characters),
        _ => None,
    };
    let truncation = match cut {
        0 => Truncation::Head,
        1 => Truncation::Tail,
        _ => Truncation::Both,
    };
    let pooling = Pooling::ALL.get(pooling as usize).copied()?;
    Some(Own::Classifier {
        head: ClassesConfig { classes, multi_label: several != 0, pooling },
        networks: networks as usize,
        mix: (linear != 0).then(|| Mix { network: f32::from_bits(share), sharpness: f32::from_bits(sharpness) }),
        reading: tokenizer.map(|tokenizer| Reading {
            tokenizer,
            ngrams,
            max_length: length as usize,
            truncation,
            masks_padding: true,
        }),
    })
}
