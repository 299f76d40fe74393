//! A model of any kind.

use recurra_core::{Error, ErrorCode, Result};

use crate::classifier::Classifier;
use crate::language::Language;
use crate::tagger::Tagger;

pub enum Model {
    Classifier(Classifier),
    Tagger(Tagger),
    Language(Language),
}

fn other() -> Error {
    Error::new(ErrorCode::Internal, "the model is of another kind")
}

impl Model {
    pub fn classifier(&mut self) -> Result<&mut Classifier> {
        if let Self::Classifier(model) = self { Ok(model) } else { Err(other()) }
    }

    pub fn tagger(&mut self) -> Result<&mut Tagger> {
        if let Self::Tagger(model) = self { Ok(model) } else { Err(other()) }
    }

    pub fn language(&mut self) -> Result<&mut Language> {
        if let Self::Language(model) = self { Ok(model) } else { Err(other()) }
    }

    /// Address of the last prediction.
    pub fn answer(&self) -> *const f32 {
        match self {
            Self::Classifier(model) => model.answer(),
            Self::Tagger(model) => model.answer(),
            Self::Language(_) => std::ptr::null(),
        }
    }
}
