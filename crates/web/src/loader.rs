//! From the pieces of a model file to a model.

use recurra_core::{
    Cell, ClassesConfig, Dropouts, Dtype, EncoderConfig, Error, ErrorCode, HeadConfig, NamedArray, NetworkConfig,
    Pooling, Result,
};
use recurra_kernels::network::Network;
use recurra_linear::{LinearModel, Mix};
use recurra_text::{Encoder, Reading, Tokenizer, Truncation, Vocabulary, push_units};

use crate::model::Model;
use crate::runtime::Room;

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidFile, message)
}

/// The numbers that describe a model, in this order: 0 or 1 where a question is asked.
///
/// | place | what |
/// |---|---|
/// | 0 | cell, by its number in `recurra_core::Cell` |
/// | 1 to 4 | size of word vectors, of the state; layers; two directions? |
/// | 5 to 7 | labels; any number a text?; pooling, by its place in `recurra_core::Pooling::ALL` |
/// | 8, 9 | id of the unknown token; id of the padding and 1, or 0 without one |
/// | 10, 11 | networks; with a linear model? |
/// | 12, 13 | share of the network in the mix, and its sharpness, as the bits of float32 |
/// | 14 to 17 | tokenizer (0 `basic_english`, 1 characters, 2 JavaScript's own); longest n-gram; most tokens; what is cut (0 head, 1 tail, 2 both) |
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    encoder: (Cell, [usize; 3], bool),
    head: ClassesConfig,
    unknown: u32,
    padding: Option<u32>,
    networks: usize,
    mix: Option<Mix>,
    reading: Option<Reading>,
}

/// How many there are.
const SETTINGS: usize = 18;

impl Settings {
    fn new(numbers: &[u32]) -> Result<Self> {
        let Some(
            &[
                cell,
                dim,
                hidden,
                layers,
                both,
                classes,
                several,
                pooling,
                unknown,
                padding,
                networks,
                linear,
                share,
                sharpness,
                tokenizer,
                ngrams,
                length,
                cut,
            ],
        ) = numbers.first_chunk::<SETTINGS>()
        else {
            return Err(invalid(format!("{} settings, not {SETTINGS}", numbers.len())));
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
        let cell =
            i32::try_from(cell).ok().and_then(Cell::from_code).ok_or_else(|| invalid("it has an unknown cell"))?;
        let pooling =
            Pooling::ALL.get(pooling as usize).copied().ok_or_else(|| invalid("it has an unknown pooling"))?;
        Ok(Self {
            encoder: (cell, [dim, hidden, layers].map(|size| size as usize), both != 0),
            head: ClassesConfig { classes: classes as usize, multi_label: several != 0, pooling },
            unknown,
            padding: padding.checked_sub(1),
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

    fn network(&self, vocab_size: usize) -> NetworkConfig {
        let (cell, [embedding_dim, hidden_size, num_layers], bidirectional) = self.encoder;
        let encoder = EncoderConfig {
            num_layers,
            bidirectional,
            dropouts: Dropouts::default(),
            unknown_idx: Some(self.unknown),
            padding_idx: self.padding,
            ..EncoderConfig::new(cell, vocab_size, embedding_dim, hidden_size)
        };
        NetworkConfig { encoder, head: HeadConfig::Classes(self.head), seed: 0, threads: 1 }
    }
}

/// A model that is being put together.
pub struct Loader {
    settings: Settings,
    vocabulary: Vocabulary,
    /// The arrays of each network.
    members: Vec<Vec<NamedArray<Room>>>,
    linear: Vec<NamedArray>,
}

/// What the names of the linear model's arrays begin with.
const LINEAR: &str = "linear.";

impl Loader {
    /// # Errors
    /// `InvalidFile` for numbers that describe no model.
    pub fn new(settings: &[u32]) -> Result<Self> {
        let settings = Settings::new(settings)?;
        let members = (0..settings.networks).map(|_| Vec::new()).collect();
        Ok(Self { settings, vocabulary: Vocabulary::default(), members, linear: Vec::new() })
    }

    /// Adds tokens: the units of all, and where each ends.
    pub fn tokens(&mut self, units: &[u16], ends: &[u32]) -> Result<()> {
        let (mut token, mut start) = (Vec::new(), 0);
        for &end in ends {
            let part = units.get(start..end as usize).ok_or_else(|| invalid("a token ends before it begins"))?;
            start = end as usize;
            token.clear();
            push_units(&mut token, part);
            if self.vocabulary.add(&token).is_err() {
                return Err(invalid(format!("its vocabulary has {:?} twice", String::from_utf8_lossy(&token))));
            }
        }
        Ok(())
    }

    /// Adds an array of a network, or of the linear model by its name.
    pub fn array(&mut self, member: usize, name: &[u8], dtype: &[u8], shape: &[u32], data: Room) -> Result<()> {
        let name = String::from_utf8_lossy(name).into_owned();
        let dtype = Dtype::parse(&String::from_utf8_lossy(dtype))?;
        let shape = shape.iter().map(|&size| size as usize).collect();
        if name.starts_with(LINEAR) {
            let data = data.to_vec();
            self.linear.push(NamedArray { name, dtype, shape, data });
            return Ok(());
        }
        let of = self
            .members
            .get_mut(member)
            .ok_or_else(|| invalid(format!("{name} is of a network that it does not have")))?;
        of.push(NamedArray { name, dtype, shape, data });
        Ok(())
    }

    /// # Errors
    /// `InvalidFile`, `StateMismatch` and others for arrays that are not those of the settings.
    pub fn finish(self) -> Result<Model> {
        let Self { settings, mut vocabulary, members, linear } = self;
        vocabulary.finish();
        if settings.unknown as usize >= vocabulary.len() {
            return Err(invalid("its vocabulary has no token for unknown words"));
        }
        let config = settings.network(vocabulary.len());
        let mut networks = Vec::with_capacity(members.len());
        for arrays in members {
            let network = Network::new(config.clone())?;
            network.load_state(&arrays)?;
            // What was read is not needed beside the network's own copy.
            drop(arrays);
            networks.push(network);
        }
        let classes = settings.head.classes;
        let linear = match settings.mix {
            None => None,
            Some(mix) => {
                let model = LinearModel::from_arrays(&linear)?;
                if model.classes() != classes || model.several() != settings.head.multi_label {
                    return Err(invalid(format!("its linear model has {} labels, not {classes}", model.classes())));
                }
                Some((model, mix))
            }
        };
        if networks.is_empty() && linear.is_none() {
            return Err(invalid("it has neither a network nor a linear model"));
        }
        let encoder = settings.reading.map(|reading| Encoder { reading, unknown: settings.unknown });
        Ok(Model::new(networks, linear, vocabulary, encoder, settings.unknown, classes, settings.head.multi_label))
    }
}
