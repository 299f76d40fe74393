//! Builds a model from the pieces of its file.

use recurra_core::{Dtype, Forbidden, NamedArray, Result};
use recurra_kernels::network::Network;
use recurra_linear::LinearModel;
use recurra_text::{Encoder, Vocabulary, push_units};

use crate::classifier::Classifier;
use crate::language::Language;
use crate::model::Model;
use crate::runtime::Room;
use crate::settings::{Own, Settings, invalid};
use crate::tagger::Tagger;
use crate::words::each_word;

/// A model that is being loaded.
pub struct Loader {
    settings: Settings,
    vocabulary: Vocabulary,
    forbidden: Option<Forbidden>,
    /// The arrays of each network.
    members: Vec<Vec<NamedArray<Room>>>,
    linear: Vec<NamedArray>,
}

/// Prefix of the names of the linear model's arrays.
const LINEAR: &str = "linear.";

impl Loader {
    /// # Errors
    /// `InvalidFile` for invalid settings.
    pub fn new(settings: &[u32]) -> Result<Self> {
        let settings = Settings::new(settings)?;
        let members = (0..settings.networks()).map(|_| Vec::new()).collect();
        Ok(Self { settings, vocabulary: Vocabulary::default(), forbidden: None, members, linear: Vec::new() })
    }

    /// Adds tokens: the concatenated units and the end of each token.
    pub fn tokens(&mut self, units: &[u16], ends: &[u32]) -> Result<()> {
        let mut token = Vec::new();
        each_word(units, ends, |part| {
            token.clear();
            push_units(&mut token, part);
            if self.vocabulary.add(&token).is_err() {
                return Err(invalid(format!("its vocabulary has {:?} twice", String::from_utf8_lossy(&token))));
            }
            Ok(())
        })
    }

    /// Sets a tagger's forbidden tags: flags for first tags, last tags, and pairs.
    pub fn forbid(&mut self, flags: &[u8]) -> Result<()> {
        let Own::Tagger { tags, .. } = *self.settings.own() else {
            return Err(invalid("it is not a tagger"));
        };
        let expected = tags.checked_mul(tags).and_then(|pairs| pairs.checked_add(2 * tags));
        if expected != Some(flags.len()) {
            return Err(invalid(format!("{} flags for the transitions of {tags} tags", flags.len())));
        }
        let flags: Vec<bool> = flags.iter().map(|&flag| flag != 0).collect();
        let (start, rest) = flags.split_at(tags);
        let (end, between) = rest.split_at(tags);
        self.forbidden = Some(Forbidden { start: start.into(), end: end.into(), between: between.into() });
        Ok(())
    }

    /// Adds an array of a network, or of the linear model, depending on its name.
    pub fn array(&mut self, member: usize, name: &[u8], dtype: &[u8], shape: &[u32], data: Room) -> Result<()> {
        let name = String::from_utf8_lossy(name).into_owned();
        let dtype = Dtype::parse(&String::from_utf8_lossy(dtype))?;
        let shape = shape.iter().map(|&size| size as usize).collect();
        let array = NamedArray { name, dtype, shape, data };
        array.expect_finite()?;
        if array.name.starts_with(LINEAR) {
            let NamedArray { name, dtype, shape, data } = array;
            self.linear.push(NamedArray { name, dtype, shape, data: data.to_vec() });
            return Ok(());
        }
        let of = self
            .members
            .get_mut(member)
            .ok_or_else(|| invalid(format!("{} is of a network that it does not have", array.name)))?;
        of.push(array);
        Ok(())
    }

    /// # Errors
    /// `InvalidFile`, `StateMismatch` and others for arrays that do not match the settings.
    pub fn finish(self) -> Result<Model> {
        let Self { settings, mut vocabulary, forbidden, members, linear } = self;
        let unknown = settings.unknown();
        if unknown as usize >= settings.words() {
            return Err(invalid("its vocabulary has no token for unknown words"));
        }
        let config = settings.network(forbidden);
        let mut networks = Vec::with_capacity(members.len());
        for arrays in members {
            let network = Network::new(config.clone())?;
            network.load_state(&arrays)?;
            // The network has its own copy, so the arrays are no longer needed.
            drop(arrays);
            networks.push(network);
        }
        let network = |networks: Vec<Network>| networks.into_iter().next().ok_or_else(|| invalid("it has no network"));
        match *settings.own() {
            Own::Tagger { .. } => Ok(Model::Tagger(Tagger::new(network(networks)?, settings.features()))),
            Own::Language { .. } => Ok(Model::Language(Language::new(network(networks)?))),
            Own::Classifier { head, mix, reading, .. } => {
                vocabulary.finish();
                if vocabulary.len() != settings.words() {
                    return Err(invalid(format!("{} tokens, not {}", vocabulary.len(), settings.words())));
                }
                let linear = match mix {
                    None => None,
                    Some(mix) => {
                        let model = LinearModel::from_arrays(&linear)?;
                        if model.classes() != head.classes || model.several() != head.multi_label {
                            let message =
                                format!("its linear model has {} labels, not {}", model.classes(), head.classes);
                            return Err(invalid(message));
                        }
                        Some((model, mix))
                    }
                };
                if networks.is_empty() && linear.is_none() {
                    return Err(invalid("it has neither a network nor a linear model"));
                }
                let encoder = reading.map(|reading| Encoder { reading, unknown });
                let (classes, several) = (head.classes, head.multi_label);
                let model = Classifier::new(networks, linear, vocabulary, encoder, unknown, classes, several);
                Ok(Model::Classifier(model))
            }
        }
    }
}
