//! A linear text classifier: TF-IDF of n-grams of words and characters, logistic regression, probabilities that are true.
//!
//! - [`Counter`] reads the texts of a training once and gives a [`Featurizer`] and the features of every row, four bytes each.
//! - [`LinearModel::train`] chooses loss, cost and temperature on rows that it holds out, keeps the features that matter most within
//!   a limit of bytes and rounds their weights to 8 bits.
//! - [`LinearModel::predict`] and [`Predictor`] give log-probabilities, [`LinearModel::explain`] what each character contributed.
//! - [`LinearModel::to_arrays`] and [`LinearModel::from_arrays`] are for model files.
//! - [`Mix`] makes one model of a network's log-probabilities and a linear model's.
//!
//! Why these: labels one against all others have the log loss of a multinomial regression or a lower one (their logistic
//! functions divided by their sum; AG News' first 2,000 rows 0.395 and 0.413, banking77 0.313 and 0.310) and are solved in parallel and
//! apart from each other. Listed fingerprints cost 2 to 3 bytes a feature and leave the counting exact, so nothing is hashed into
//! buckets. Features are cut by weight, not by the rows that have them: a fifth of those of AG News is as accurate as all.
//!
//! ```
//! use recurra_linear::{Counter, FeatureOptions, Labels, LinearModel, TrainOptions};
//!
//! let mut counter = Counter::new(FeatureOptions::default(), 1)?;
//! counter.add(&["a good film", "a bad film", "good actors", "bad actors"])?;
//! let (featurizer, rows) = counter.finish()?;
//! let (model, _) = LinearModel::train(&featurizer, &rows, Labels::One(&[1, 0, 1, 0]), 2, &TrainOptions::default())?;
//! let log_probabilities = model.predict(&["good good"], 1);
//! assert!(log_probabilities[1] > log_probabilities[0]);
//! # Ok::<(), recurra_linear::Error>(())
//! ```

mod arrays;
mod blocks;
mod choose;
mod compress;
mod counting;
mod error;
mod explain;
mod featurizer;
mod fit;
mod folds;
mod labels;
mod math;
mod mix;
mod model;
mod options;
mod parallel;
mod probabilities;
mod rows;
mod scaling;
mod settings;
mod solver;
mod table;
mod text;
mod train;
mod vocabulary;
mod work;

pub use choose::Trial;
pub use compress::Ranking;
pub use counting::Counter;
pub use explain::{Explanation, Part};
pub use featurizer::{Featurizer, Sizes};
pub use labels::Labels;
pub use mix::{Mix, MixReport};
pub use model::{LinearModel, Predictor, Room};
pub use options::FeatureOptions;
pub use probabilities::{Quality, calibration_error, quality};
pub use recurra_core::{Error, ErrorCode, NamedArray, Result};
pub use rows::Rows;
pub use settings::{HeldOut, MOST_LABELS, Refusal, TrainOptions, default_bytes, refusal};
pub use solver::{Candidate, Loss};
pub use train::Report;
