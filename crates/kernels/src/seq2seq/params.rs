//! The network's parameters: names, locations, initial values, export and import.

use std::ops::Deref;

use super::places::Place;
use crate::recurrent::RecurrentConfig;
use crate::recurrent::cells;
use crate::recurrent::cells::kernel::{AnyCell, Recurrence};
use crate::recurrent::segments::{Blocks, Segment};
use crate::recurrent::shape::Shape;
use crate::simd::{Buf, zeros};
use recurra_core::{Attention, Dtype, Element, Error, ErrorCode, NamedArray, Result, Seq2SeqConfig};

/// A matrix inside the flat buffer; all sizes are padded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    pub offset: usize,
    pub rows: usize,
    pub cols: usize,
    /// Distance between the starts of two rows.
    pub stride: usize,
}

/// The weights and the bias of a linear layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    pub weight: Matrix,
    pub bias: Option<usize>,
}

/// An embedding, `[rows, width]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub offset: usize,
    pub rows: usize,
    pub width: usize,
}

/// The initial states of a decoder layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge {
    /// The encoder layer whose final states it reads.
    pub layer: usize,
    pub h: Linear,
    /// For a cell with a second state.
    pub c: Option<Linear>,
}

/// A layer of the decoder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    /// For the embedded unit; only in the first layer.
    pub embedded: Option<Matrix>,
    /// For the other input, `[gates, hidden]`: the previous attentional output in the first layer, the output of the
    /// layer below in others.
    pub input: Matrix,
    /// For the layer's previous state, if the cell has one.
    pub state: Option<Matrix>,
    pub b_ih: usize,
    pub b_hh: Option<usize>,
}

/// The scores of source units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scores {
    /// For the encoder's outputs.
    pub memory: Linear,
    /// For the decoder's output, and the offset of `v`; only for Bahdanau's score.
    pub query: Option<(Matrix, usize)>,
}

/// The structure of the network, and the locations of its parameters.
pub(super) struct Params {
    pub config: Seq2SeqConfig,
    /// The encoder's layers.
    pub shape: Shape,
    pub cell: &'static dyn AnyCell,
    /// Padded sizes: of the decoder's state and attentional output, of its gates, of the encoder's output, and the
    /// number of target units.
    pub hp: usize,
    pub gp: usize,
    pub mp: usize,
    pub vp: usize,
    pub source: Table,
    pub target: Table,
    pub bridges: Vec<Bridge>,
    pub layers: Vec<Layer>,
    pub scores: Scores,
    /// For the encoder's outputs and for the decoder's output; together, they compute the attentional output.
    pub context: Matrix,
    pub output: Linear,
    pub units: Linear,
    /// In PyTorch's order.
    pub places: Vec<Place>,
    /// Size of all parameters with padding.
    pub flat_size: usize,
}

/// Lays out parameters sequentially.
#[derive(Default)]
struct Builder {
    places: Vec<Place>,
    offset: usize,
}

impl Builder {
    fn take(&mut self, size: usize) -> usize {
        let offset = self.offset;
        self.offset += size;
        offset
    }

    fn matrix(&mut self, name: &str, (rows, cols): (Blocks, Blocks), bound: f32) -> Matrix {
        let (rp, cp) = (rows.private(), cols.private());
        let offset = self.take(rp * cp);
        self.places.push(Place::at(name.into(), (rows, cols), (offset, cp), bound));
        Matrix { offset, rows: rp, cols: cp, stride: cp }
    }

    fn vector(&mut self, name: &str, cols: Blocks, bound: f32) -> usize {
        let segment = Segment::vector(name.into(), cols, &mut self.offset);
        self.places.push(Place::of(&segment, segment.name.clone(), Some(bound)));
        segment.offset
    }

    /// `torch.nn.Linear`, with its initial values.
    fn linear(&mut self, name: &str, (rows, cols): (Blocks, Blocks), bias: bool) -> Linear {
        let bound = fan_in(cols.public());
        let weight = self.matrix(&format!("{name}.weight"), (rows, cols), bound);
        Linear { weight, bias: bias.then(|| self.vector(&format!("{name}.bias"), rows, bound)) }
    }

    fn table(&mut self, name: &str, rows: usize, dims: usize) -> Table {
        let blocks = (Blocks { count: 1, len: rows, padded: rows }, Blocks::new(1, dims));
        let segment = Segment::matrix(name.into(), blocks.0, blocks.1, &mut self.offset);
        self.places.push(Place::of(&segment, segment.name.clone(), None));
        Table { offset: segment.offset, rows, width: blocks.1.private() }
    }
}

fn fan_in(inputs: usize) -> f32 {
    1.0 / (inputs as f32).sqrt()
}

impl Params {
    pub fn new(config: Seq2SeqConfig) -> Self {
        let mut build = Builder::default();
        let encoder = &config.encoder;
        let source = build.table("encoder.embedding.weight", encoder.vocab_size, encoder.embedding_dim);
        let shape = Shape::new(&RecurrentConfig::from(encoder), &mut build.offset);
        let bound = fan_in(encoder.hidden_size);
        let rnn = |segment: &Segment| Place::of(segment, format!("encoder.rnn.{}", segment.name), Some(bound));
        build.places.extend(shape.segments.iter().map(rnn));

        let cell = cells::of(encoder.cell);
        let (hidden, memory) = (Blocks::new(1, config.decoder_hidden), shape.output());
        let (hp, mp) = (hidden.private(), memory.private());
        let bridges: Vec<Bridge> = (0..config.decoder_layers)
            .map(|layer| {
                let mut linear = |state: &str| build.linear(&format!("bridge.{state}.{layer}"), (hidden, memory), true);
                let h = linear("h");
                Bridge { layer: config.bridged(layer), h, c: cell.facts().cell_state.then(|| linear("c")) }
            })
            .collect();
        let target = build.table("decoder.embedding.weight", config.target_size, config.target_embedding_dim);
        let gates = Blocks::new(cell.facts().gates, config.decoder_hidden);
        let embedded = Blocks::new(1, config.target_embedding_dim);
        let layers: Vec<Layer> = (0..config.decoder_layers)
            .map(|layer| add_layer(&mut build, cell, layer, gates, (embedded, hidden)))
            .collect();

        let bahdanau = config.attention == Attention::Bahdanau;
        let scores = Scores {
            memory: build.linear("attention.memory", (hidden, memory), bahdanau),
            query: bahdanau.then(|| {
                let query = build.linear("attention.query", (hidden, hidden), false);
                let bound = fan_in(config.decoder_hidden);
                let offset = build.take(hp);
                let rows = Blocks { count: 1, len: 1, padded: 1 };
                build.places.push(Place::at("attention.score.weight".into(), (rows, hidden), (offset, hp), bound));
                (query.weight, offset)
            }),
        };
        let combine = fan_in(memory.public() + hidden.public());
        let (context, output) = (build.take(hp * mp), build.take(hp * hp));
        let weight = Place::at("combine.weight".into(), (hidden, memory), (context, mp), combine);
        build.places.push(weight.beside(hidden, output, hp));
        let bias = build.vector("combine.bias", hidden, combine);
        let context = Matrix { offset: context, rows: hp, cols: mp, stride: mp };
        let output = Matrix { offset: output, rows: hp, cols: hp, stride: hp };
        let units = build.linear("fc", (Blocks::new(1, config.target_size), hidden), true);
        let Builder { places, offset } = build;
        Self {
            cell,
            hp,
            gp: gates.private(),
            mp,
            vp: units.weight.rows,
            source,
            target,
            bridges,
            layers,
            scores,
            context,
            output: Linear { weight: output, bias: Some(bias) },
            units,
            places,
            flat_size: offset,
            shape,
            config,
        }
    }

    /// Whether the cell adds the products of input and state, so that one product computes both.
    pub fn added(&self) -> bool {
        self.cell.facts().recurrence == Recurrence::Added
    }

    /// Whether the cell needs the product of its state separately.
    pub fn apart(&self) -> bool {
        self.cell.facts().recurrence == Recurrence::Apart
    }

    /// Draws initial values with PyTorch's distributions, except for the scale of embeddings: N(0, std²) with a zero
    /// padding row; all others uniform as in `torch.nn.LSTM` and `torch.nn.Linear`. Each parameter has its own stream
    /// of ChaCha8, so the values depend only on the seed and the sizes.
    pub fn initialize(&self, flat: &mut [f32]) -> Result<()> {
        use rand_chacha::ChaCha8Rng;
        use rand_chacha::rand_core::SeedableRng;
        use rand_distr::{Distribution, StandardNormal, Uniform};

        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        for (stream, place) in self.places.iter().enumerate() {
            rng.set_stream(stream as u64);
            rng.set_word_pos(0);
            let mut values = zeros(place.numel());
            if let Some(bound) = place.bound {
                let uniform = Uniform::new(-bound, bound).map_err(|e| {
                    Error::new(ErrorCode::InvalidArgument, format!("no distribution for {}: {e}", place.name))
                })?;
                values.iter_mut().for_each(|value| *value = uniform.sample(&mut rng));
            } else {
                let std = self.config.encoder.embedding_std as f32;
                for value in &mut values {
                    let drawn: f32 = StandardNormal.sample(&mut rng);
                    *value = drawn * std;
                }
            }
            place.import(&values, flat);
        }
        if let Some(row) = self.config.encoder.padding_idx {
            flat[self.source.offset + row as usize * self.source.width..][..self.source.width].fill(0.0);
        }
        Ok(())
    }

    /// All parameters under PyTorch's names.
    pub fn export(&self, flat: &[f32]) -> Vec<NamedArray> {
        self.places.iter().map(|p| NamedArray::of(p.name.clone(), p.shape.clone(), &p.export(flat))).collect()
    }

    /// Replaces all parameters by those in `arrays`, matched by name.
    ///
    /// # Errors
    /// `StateMismatch`, which lists everything that is missing, unknown, or of another shape or type.
    pub fn import<D: Deref<Target = [u8]>>(&self, arrays: &[NamedArray<D>]) -> Result<Buf> {
        let mut problems = Vec::new();
        for place in &self.places {
            let (name, shape) = (&place.name, &place.shape);
            let mut found = arrays.iter().filter(|array| array.name == *name);
            match (found.next(), found.next()) {
                (None, _) => problems.push(format!("{name} is missing")),
                (_, Some(_)) => problems.push(format!("{name} is there twice")),
                (Some(array), None) => {
                    if array.dtype != Dtype::Float32 {
                        problems.push(format!("{name} is {} instead of float32", array.dtype.name()));
                    } else if array.shape != *shape {
                        problems.push(format!("{name} has shape {:?} instead of {shape:?}", array.shape));
                    } else if array.count() != place.numel() {
                        problems.push(format!("{name} has {} values, which is not its shape {shape:?}", array.count()));
                    }
                }
            }
        }
        let known = |name: &str| self.places.iter().any(|place| place.name == name);
        problems.extend(arrays.iter().filter(|a| !known(&a.name)).map(|a| format!("{} is unknown", a.name)));
        if !problems.is_empty() {
            let message = format!("the state does not fit the network: {}", problems.join("; "));
            return Err(Error::new(ErrorCode::StateMismatch, message));
        }
        let mut flat = Buf::zeros(self.flat_size);
        for array in arrays {
            if let Some(place) = self.places.iter().find(|place| place.name == array.name) {
                let mut values = zeros(array.count());
                f32::copy_from(&array.data, &mut values);
                place.import(&values, &mut flat);
            }
        }
        Ok(flat)
    }
}

/// A layer of the decoder, under the names of `torch.nn.LSTM`. The weights of its input and state are adjacent, so that
/// one product reads both.
fn add_layer(
    build: &mut Builder,
    cell: &dyn AnyCell,
    layer: usize,
    gates: Blocks,
    (embedded, hidden): (Blocks, Blocks),
) -> Layer {
    let (gp, hp) = (gates.private(), hidden.private());
    let bound = fan_in(hidden.public());
    let recurrent = cell.facts().recurrence != Recurrence::None;
    let stride = if recurrent { 2 * hp } else { hp };
    let name = |what: &str| format!("decoder.rnn.{what}_l{layer}");
    let wide = build.take(gp * stride);
    let part = |offset: usize| Matrix { offset, rows: gp, cols: hp, stride };
    let w_ih = name("weight_ih");
    let first = (layer == 0).then(|| Matrix {
        offset: build.take(gp * embedded.private()),
        rows: gp,
        cols: embedded.private(),
        stride: embedded.private(),
    });
    build.places.push(match first {
        Some(Matrix { offset, stride: width, .. }) => {
            Place::at(w_ih, (gates, embedded), (offset, width), bound).beside(hidden, wide, stride)
        }
        None => Place::at(w_ih, (gates, hidden), (wide, stride), bound),
    });
    let state = recurrent.then(|| {
        build.places.push(Place::at(name("weight_hh"), (gates, hidden), (wide + hp, stride), bound));
        part(wide + hp)
    });
    let b_ih = build.vector(&name("bias_ih"), gates, bound);
    let b_hh = recurrent.then(|| build.vector(&name("bias_hh"), gates, bound));
    Layer { embedded: first, input: part(wide), state, b_ih, b_hh }
}
