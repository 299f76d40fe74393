//! One text that is read from left to right, piece by piece, with the states kept in between: for what follows a text, and for what
//! a network thinks of each of its tokens.

use std::sync::atomic::Ordering;

use super::model::Network;
use super::predict::{PassBuffers, Reader};
use crate::encoder::encoded::Encoded;
use crate::heads::pass::{Aim, HeadPass, HeadSpace, Unit};
use crate::recurrent::buffers::Trace;
use crate::recurrent::layers::{Source, Start};
use crate::recurrent::stack::slices;
use crate::recurrent::steps::DirMats;
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::{Error, ErrorCode, Result, Rows, layout::PackedLayout};

/// Tokens that go through the layers together: enough to fill the tiles, few enough for the cache.
const PIECE: usize = 256;

/// A text as far as a network has read it: the states of all layers, and the buffers of a step. It belongs to networks of one
/// configuration.
#[derive(Default)]
pub struct Stream {
    /// Of each layer; they hold its states between two calls.
    traces: Vec<Trace>,
    layout: PackedLayout,
    ids: Vec<u32>,
    x: Buf,
    projected: Buf,
    y: [Buf; 2],
    head: HeadSpace,
    /// Whether a token was read.
    begun: bool,
}

/// What to do with the values of a position; positions count from the first token of the call.
type Take<'a> = &'a mut dyn FnMut(usize, &[f32]);

/// What is asked of positions.
enum Want<'a> {
    Nothing,
    /// The head's scores, `[outputs]`.
    Scores(Take<'a>),
    /// The outputs of the last layer, `[hidden_size]`.
    Outputs(Take<'a>),
}

impl Network {
    /// Reads further tokens of a text; `scores` become those after the last one, before softmax: `[outputs]`. A fresh stream begins
    /// with states of zeros.
    ///
    /// # Errors
    /// `InvalidArgument` for a network whose head does not score every token, or that has two directions; `OutOfRange` for no token,
    /// or one outside the vocabulary. Stream and scores are as before then.
    pub fn read_on(&self, stream: &mut Stream, tokens: &[i32], scores: &mut Vec<f32>) -> Result<()> {
        let last = tokens.len().saturating_sub(1);
        self.read_stream(stream, tokens, last, &mut |_, row| {
            scores.clear();
            scores.extend_from_slice(row);
        })
    }

    /// The logarithm of the probability of each of `targets`, where target `i` follows token `i` of the text that the stream has read
    /// so far and the tokens up to `i`.
    ///
    /// # Errors
    /// As [`Network::read_on`]; `InvalidShape` for another number of targets than tokens, `OutOfRange` for a target that the head
    /// does not score.
    pub fn log_probabilities(&self, stream: &mut Stream, tokens: &[i32], targets: &[i32]) -> Result<Vec<f64>> {
        let outputs = self.params.head.outputs();
        if targets.len() != tokens.len() {
            let message = format!("{} tokens but {} targets", tokens.len(), targets.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        if let Some(target) = targets.iter().find(|&&target| target < 0 || target as usize >= outputs) {
            let message = format!("target {target} is outside the {outputs} outputs");
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let mut found = Vec::with_capacity(tokens.len());
        self.read_stream(stream, tokens, 0, &mut |at, row| {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|&score| f64::from((score - largest).exp())).sum();
            found.push(f64::from(row[targets[at] as usize] - largest) - sum.ln());
        })?;
        Ok(found)
    }

    /// Reads tokens, and gives the scores of those from `first` on.
    fn read_stream(&self, stream: &mut Stream, tokens: &[i32], first: usize, take: Take<'_>) -> Result<()> {
        self.params.check(Rows::new(tokens, &[i32::try_from(tokens.len()).unwrap_or(i32::MAX)]))?;
        self.check_streams()?;
        let seen = self.read().predicted.fetch_add(tokens.len(), Ordering::Relaxed).saturating_add(tokens.len());
        self.project_vocabulary(seen)?;
        self.with_reader(|reader| {
            // Cut also before the first scores: the head then sees no position in vain.
            for (at, part) in [(0, &tokens[..first]), (first, &tokens[first..])] {
                for (number, piece) in part.chunks(PIECE).enumerate() {
                    let start = at + number * PIECE;
                    let mut take = |i: usize, row: &[f32]| take(start + i, row);
                    let want = if start >= first { Want::Scores(&mut take) } else { Want::Nothing };
                    stream.advance(reader, piece, want)?;
                }
            }
            Ok(())
        })
    }

    /// Refuses a network that cannot read a text piece by piece.
    pub(super) fn check_streams(&self) -> Result<()> {
        if self.params.head.unit() == Unit::Token && !self.params.config.encoder.bidirectional {
            return Ok(());
        }
        let message = "only a network of one direction whose head scores every token can read a text piece by piece";
        Err(Error::new(ErrorCode::InvalidArgument, message))
    }
}

impl Stream {
    /// Another text that has read the same.
    pub(crate) fn fork(&self) -> Self {
        Self { traces: self.traces.iter().map(Trace::states).collect(), begun: self.begun, ..Self::default() }
    }

    /// Adds the outputs of the last layer at each of some validated tokens to `sums`, `[hidden_size]`.
    pub(super) fn add_outputs(&mut self, reader: &Reader<'_>, tokens: &[i32], sums: &mut [f64]) -> Result<()> {
        for piece in tokens.chunks(PIECE) {
            let mut add = |_: usize, row: &[f32]| {
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
            };
            self.advance(reader, piece, Want::Outputs(&mut add))?;
        }
        Ok(())
    }

    /// Goes through the layers with at least one token, and for scores also through the head.
    fn advance(&mut self, reader: &Reader<'_>, tokens: &[i32], want: Want<'_>) -> Result<()> {
        let params = reader.params;
        let (shape, total) = (&params.shape, tokens.len());
        self.layout.rebuild(&[total as i32], None)?;
        self.ids.clear();
        self.ids.extend(tokens.iter().map(|&token| token as u32));
        let (layers, width) = (shape.layers(), shape.output().private());
        let y = self.y.each_mut().map(|buf| Mat::fit(buf, total, width));
        let outputs: Vec<Mat> = (0..layers).map(|layer| y[layer % 2]).collect();
        self.traces.resize_with(layers, Trace::default);
        let mats = |(trace, &y): (&mut Trace, &Mat)| DirMats { y, ..trace.mats(shape, 1, total, false) };
        let dirs: Vec<DirMats> = self.traces.iter_mut().zip(&outputs).map(mats).collect();
        let table = reader.frozen.table.get().map(|table| [Mat::of(&table[0], shape.gp)]);
        let source = match &table {
            Some(tables) => Source::Projected { tables, slots: self.ids.as_ptr() },
            None => Source::Positions(reader.gather(&self.ids, None, &mut self.x)),
        };
        let from_inputs = shape.cell.infers_from_inputs(&reader.frozen.packs[0], 1);
        let projects = !from_inputs && (table.is_none() || layers > 1);
        let projected = if projects { vec![Mat::fit(&mut self.projected, total, shape.gp)] } else { Vec::new() };
        let cuts = slices(&self.layout, 1, 1);
        let buffers = PassBuffers { dirs: &dirs, y: &outputs, projected: &projected };
        let pass = reader.layers(&self.layout, &cuts, source, buffers, from_inputs);
        // The states of the last call are still in the traces, which never shrink.
        let start = if self.begun { Start::Set } else { Start::Zeros(0..1) };
        // SAFETY: all buffers belong to this stream and have the sizes of this piece; ids were validated.
        unsafe { pass.forward(&Member::alone(), start) };
        self.begun = true;
        let take = match want {
            Want::Nothing => return Ok(()),
            Want::Outputs(take) => {
                for position in 0..total {
                    // SAFETY: there is a row of outputs, at least as wide, for each position.
                    take(position, unsafe {
                        std::slice::from_raw_parts(outputs[layers - 1].row(position), params.config.encoder.hidden_size)
                    });
                }
                return Ok(());
            }
            Want::Scores(take) => take,
        };
        let encoded =
            Encoded { layout: &self.layout, top: pass.top(), y: outputs[layers - 1], dy: Mat::none(), part: shape.rp };
        let mats = params.head.fit(&mut self.head, 1, total, Aim::Scores);
        let (packs, flat, rows) = (&reader.frozen.head, reader.flat.as_ptr(), params.head.whole(&self.layout));
        // SAFETY: as above; a head that scores every token has a row of scores for each position.
        unsafe {
            params.head.predict(&HeadPass { encoded, rows, mats, packs, flat, dropout: None }, Aim::Scores);
            for position in 0..total {
                take(position, std::slice::from_raw_parts(mats.scores.row(position), params.head.outputs()));
            }
        }
        Ok(())
    }
}
