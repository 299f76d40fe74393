//! The mixture of a network and a linear model.

use napi::bindgen_prelude::{AsyncTask, Float32Array, Uint32Array};
use napi_derive::napi;
use recurra_binding::Background;
use recurra_linear as linear;

use super::labels::Owned;

/// How the probabilities of a network and a linear model are mixed.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct LinearMix {
    /// The network's share, from 0 to 1.
    pub network: f64,
    /// Reciprocal of the temperature.
    pub sharpness: f64,
}

impl From<LinearMix> for linear::Mix {
    fn from(LinearMix { network, sharpness }: LinearMix) -> Self {
        Self { network: network as f32, sharpness: sharpness as f32 }
    }
}

impl From<linear::Mix> for LinearMix {
    fn from(linear::Mix { network, sharpness }: linear::Mix) -> Self {
        // The shortest decimal that parses to the same float32: 0.3 rather than 0.30000001192.
        let short = |value: f32| value.to_string().parse().unwrap_or_else(|_| f64::from(value));
        Self { network: short(network), sharpness: short(sharpness) }
    }
}

/// The default mix, when there are no rows to choose it on.
#[napi(catch_unwind)]
pub fn usual_mix() -> LinearMix {
    linear::Mix::USUAL.into()
}

/// A mix, and its probabilities for the rows that it was chosen on.
#[napi(object, object_from_js = false)]
pub struct ChosenMix {
    /// The mix.
    pub mix: LinearMix,
    /// Probabilities of the rows, row by row.
    pub probabilities: Float32Array,
}

/// Chooses how a network and a linear model are mixed, from the network's probabilities and the linear model's
/// log-probabilities for rows that neither was trained on. Labels are passed as in `train`.
#[napi(catch_unwind, ts_return_type = "Promise<ChosenMix>")]
pub fn choose_mix(
    network: Float32Array,
    linear: Float32Array,
    classes: u32,
    labels: Uint32Array,
    ends: Option<Uint32Array>,
) -> AsyncTask<Background<(linear::Mix, Vec<f32>), ChosenMix>> {
    let (mut network, linear) = (network.to_vec(), linear.to_vec());
    let owned = Owned::new(&labels, ends.as_ref());
    let work = move || {
        let (classes, labels) = (classes as usize, owned.labels());
        let (mix, _) = linear::Mix::choose_by(&network, &linear, classes, labels)?;
        mix.refine(&mut network, &linear, classes, labels.several());
        Ok((mix, network))
    };
    let chosen = |_, (mix, probabilities): (linear::Mix, Vec<f32>)| {
        Ok(ChosenMix { mix: mix.into(), probabilities: Float32Array::new(probabilities) })
    };
    AsyncTask::new(Background::new(work, chosen))
}
