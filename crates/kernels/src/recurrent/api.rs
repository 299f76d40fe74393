//! Forward and backward of a whole network with PyTorch's layouts at the border.

use super::config::{Blocks, RecurrentConfig, pad_rows, unpad_rows};
use super::words::{First, Input, add_rows};
use super::{DirMats, DirPacks, Grads, Net, Projected, Shape, Trace, slices};
use crate::random::{Dropout, key};
use crate::simd::gemm::Mat;
use crate::simd::{Buf, dispatch, zeros};
use crate::threads::Pool;
use recurra_core::layout::PackedLayout;
use recurra_core::{Cell, Error, ErrorCode, Result};

/// What the forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Values only; nothing is kept. Those of an LSTM may differ from the other modes' in their last bits, for speed.
    Inference,
    /// As [`Mode::Eval`], to the same bits, but nothing is kept.
    Values,
    /// As in `eval()`, but keeps what [`backward`] needs.
    Eval,
    /// As in `train()`: dropout between layers, its mask a function of the seed.
    Train {
        /// Seed of the dropout masks.
        seed: u64,
    },
}

impl Mode {
    /// Whether a backward pass may follow.
    fn keeps(self) -> bool {
        matches!(self, Self::Eval | Self::Train { .. })
    }
}

/// What the network computes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Outputs of the last layer, `[total, directions * state]`, packed.
    pub output: Vec<f32>,
    /// Final states, `[layers * directions, rows, state]`, rows in sorted order.
    pub hn: Vec<f32>,
    /// Final cell states of an LSTM, `[layers * directions, rows, hidden]`; else empty.
    pub cn: Vec<f32>,
}

impl Output {
    /// Room for what the network computes.
    fn zeros(config: &RecurrentConfig, layout: &PackedLayout) -> Self {
        let states = config.num_layers * config.directions() * layout.rows();
        let cells = if config.cell == Cell::Lstm { states * config.hidden_size } else { 0 };
        Self {
            output: zeros(layout.total() * config.output_size()),
            hn: zeros(states * config.state_size()),
            cn: zeros(cells),
        }
    }
}

/// Where [`forward_to`] writes what [`Output`] describes.
pub struct OutputTo<'a> {
    /// Outputs of the last layer.
    pub output: &'a mut [f32],
    /// Final states.
    pub hn: &'a mut [f32],
    /// Final cell states of an LSTM; else empty.
    pub cn: &'a mut [f32],
}

/// What a later [`backward`] needs; it may be used more than once.
pub struct Saved {
    shape: Shape,
    layout: PackedLayout,
    packs: Vec<DirPacks>,
    traces: Vec<Trace>,
    first: First,
    /// Inputs of the layers above the first, after dropout.
    inputs: Vec<Buf>,
    mode: Mode,
}

/// Gradients in the layouts of what they belong to.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Of the packed input, `[total, input]`; of words, of each row of the table, `[rows, input]`.
    pub input: Vec<f32>,
    /// Of the initial states.
    pub h0: Vec<f32>,
    /// Of the initial cell states of an LSTM; else empty.
    pub c0: Vec<f32>,
    /// Of each parameter, in PyTorch's order.
    pub params: Vec<Vec<f32>>,
}

/// Where [`backward_to`] writes what [`Gradients`] describes; what nobody wants is `None`, and not computed where that spares
/// work.
pub struct GradientsTo<'a> {
    /// Of the packed input, or of each row of the table.
    pub input: Option<&'a mut [f32]>,
    /// Of the initial states.
    pub h0: Option<&'a mut [f32]>,
    /// Of the initial cell states of an LSTM.
    pub c0: Option<&'a mut [f32]>,
    /// Of each parameter, in PyTorch's order.
    pub params: Vec<Option<&'a mut [f32]>>,
}

pub(super) fn expect_len(what: &str, shape: &[usize], given: usize) -> Result<()> {
    let expected: usize = shape.iter().product();
    if expected == given {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidShape,
        format!("{what}: expected shape {shape:?} ({expected} values) but received {given} values"),
    ))
}

fn load_states(blocks: Blocks, rows: usize, from: Option<&[f32]>, bufs: Vec<&mut Buf>) {
    for (part, buf) in bufs.into_iter().enumerate() {
        buf.fill(0.0);
        if let Some(from) = from {
            pad_rows(blocks, &from[part * rows * blocks.len..][..rows * blocks.len], buf);
        }
    }
}

fn read_states<'a>(blocks: Blocks, rows: usize, bufs: impl Iterator<Item = &'a Buf>, out: &mut [f32]) {
    for (buf, out) in bufs.zip(out.chunks_exact_mut(rows * blocks.len)) {
        unpad_rows(blocks, buf, out);
    }
}

fn drop_rows(mode: Mode, shape: &Shape, layer: usize, values: &mut [f32]) {
    if let (Mode::Train { seed }, p) = (mode, shape.config.dropout)
        && p > 0.0
        && layer + 1 < shape.layers()
    {
        dispatch(Dropout { key: key(seed, [layer as u64, 0, 0]), start: 0, p, values });
    }
}

/// Runs the network on packed data.
///
/// `x` is `[total, input]` (or words, see [`Input`]), `h0` and `c0` (zero where absent) `[layers * directions, rows, state or hidden]` with rows in
/// sorted order, `params` PyTorch's parameters in PyTorch's order (`weight_ih`, `weight_hh`, the biases, `weight_hr` of
/// each layer and direction).
///
/// # Errors
/// `InvalidArgument` for a configuration that makes no sense, `InvalidShape` for a wrong number of values.
pub fn forward(
    pool: &Pool,
    config: &RecurrentConfig,
    layout: &PackedLayout,
    x: Input<'_>,
    (h0, c0): (Option<&[f32]>, Option<&[f32]>),
    params: &[&[f32]],
    mode: Mode,
) -> Result<(Output, Option<Saved>)> {
    config.validate()?;
    let mut made = Output::zeros(config, layout);
    let to = OutputTo { output: &mut made.output, hn: &mut made.hn, cn: &mut made.cn };
    let saved = forward_to(pool, config, layout, x, (h0, c0), params, mode, to)?;
    Ok((made, saved))
}

/// As [`forward`], into the caller's memory.
///
/// # Errors
/// As [`forward`], also for room of another size.
#[allow(clippy::too_many_arguments, reason = "what goes in, how, and where to")]
pub fn forward_to(
    pool: &Pool,
    config: &RecurrentConfig,
    layout: &PackedLayout,
    x: Input<'_>,
    (h0, c0): (Option<&[f32]>, Option<&[f32]>),
    params: &[&[f32]],
    mode: Mode,
    to: OutputTo<'_>,
) -> Result<Option<Saved>> {
    config.validate()?;
    let mut size = 0;
    let shape = Shape::new(config, &mut size);
    let (rows, total, parts) = (layout.rows(), layout.total(), shape.parts.len());
    let first = First::new(&x, total, shape.input(0), mode.keeps())?;
    for (name, given, width) in [("h0", h0, config.state_size()), ("c0", c0, config.hidden_size)] {
        if let Some(given) = given {
            expect_len(name, &[parts, rows, width], given.len())?;
        }
    }
    let lstm = config.cell == Cell::Lstm;
    expect_len("output", &[total, config.output_size()], to.output.len())?;
    expect_len("hn", &[parts, rows, config.state_size()], to.hn.len())?;
    expect_len("cn", &[if lstm { parts } else { 0 }, rows, config.hidden_size], to.cn.len())?;
    if params.len() != shape.segments.len() {
        let message = format!("expected {} parameters but received {}", shape.segments.len(), params.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    let mut flat = Buf::zeros(size);
    for (segment, param) in shape.segments.iter().zip(params) {
        expect_len(&segment.name, &segment.shape, param.len())?;
        segment.import(param, &mut flat);
    }
    let keep = mode.keeps();
    let mut packs = vec![DirPacks::default(); parts];
    for (packs, part) in packs.iter_mut().zip(&shape.parts) {
        packs.pack_all(&shape, part, &flat, keep);
        if mode == Mode::Inference {
            packs.pack_gates(&shape, part, &flat, false);
        }
    }
    let mut traces: Vec<Trace> = (0..parts).map(|_| Trace::default()).collect();
    let mut mats: Vec<DirMats> = traces.iter_mut().map(|trace| trace.mats(&shape, rows, total, keep)).collect();
    let state = Blocks::new(1, config.state_size());
    let hidden = Blocks::new(1, config.hidden_size);
    load_states(state, rows, h0, traces.iter_mut().map(|t| &mut t.h).collect());
    load_states(hidden, rows, c0, traces.iter_mut().map(|t| &mut t.c).collect());

    let mut inputs: Vec<Buf> = Vec::new();
    let (x, distinct) = first.rows(total, shape.input(0));
    let words = if let First::Words { slots, .. } = &first { Some(slots.as_ptr()) } else { None };
    let mut projected: Vec<Buf> = (0..shape.dirs)
        .map(|_| {
            let rows = if keep { 0 } else { total };
            Buf::scratch(rows.max(if words.is_some() { distinct } else { 0 }) * shape.gp)
        })
        .collect();
    let cuts = slices(layout, shape.dirs, pool.size());
    let net = Net { shape: &shape, packs: &packs, layout, slices: &cuts, aside: None };
    for layer in 0..shape.layers() {
        let width = shape.output().private();
        let mut y = Buf::scratch(total * width);
        let mats = &mut mats[layer * shape.dirs..][..shape.dirs];
        for (dir, mats) in mats.iter_mut().enumerate() {
            // SAFETY: the column is inside the row.
            mats.y = unsafe { Mat::new(&mut y, width).at(0, dir * shape.rp) };
        }
        let words = words.filter(|_| layer == 0);
        let (x, count) = match layer {
            0 => (x, distinct),
            _ => (Mat::of(&inputs[layer - 1], shape.input(layer).private()), total),
        };
        let at: Vec<Mat> = if keep && words.is_none() {
            mats.iter().map(|m| m.gates).collect()
        } else {
            projected.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect()
        };
        let packed = |&mat: &Mat| words.map_or(Projected::Packed(mat), |slots| Projected::Table(mat, slots));
        let packed: Vec<Projected> = at.iter().map(packed).collect();
        // SAFETY: all buffers have the sizes of this shape and layout, and only this team uses them.
        pool.run(|member| unsafe {
            net.project(member, layer, x, count, &at);
            member.meet();
            net.forward(member, layer, mats, &packed);
        });
        drop_rows(mode, &shape, layer, &mut y);
        inputs.push(y);
    }
    if let Some(last) = inputs.pop() {
        unpad_rows(shape.output(), &last, to.output);
    }
    read_states(state, rows, traces.iter().map(|t| &t.h), to.hn);
    if lstm {
        read_states(hidden, rows, traces.iter().map(|t| &t.c), to.cn);
    }
    Ok(keep.then(|| Saved { shape, layout: layout.clone(), packs, traces, first, inputs, mode }))
}

/// Gradients of everything that went into [`forward`], from the gradients of what came out (zero where absent).
///
/// # Errors
/// `InvalidShape` for a wrong number of values.
pub fn backward(
    pool: &Pool,
    saved: &mut Saved,
    d_output: Option<&[f32]>,
    d_hn: Option<&[f32]>,
    d_cn: Option<&[f32]>,
) -> Result<Gradients> {
    let (shape, rows) = (&saved.shape, saved.layout.rows());
    let states = shape.parts.len() * rows;
    let lstm = shape.cell() == Cell::Lstm;
    let mut made = Gradients {
        input: zeros(saved.first.rows(saved.layout.total(), shape.input(0)).1 * shape.input(0).public()),
        h0: zeros(states * shape.config.state_size()),
        c0: zeros(if lstm { states * shape.config.hidden_size } else { 0 }),
        params: shape.segments.iter().map(|segment| zeros(segment.numel())).collect(),
    };
    let to = GradientsTo {
        input: Some(&mut made.input),
        h0: Some(&mut made.h0),
        c0: lstm.then_some(&mut made.c0),
        params: made.params.iter_mut().map(|param| Some(&mut param[..])).collect(),
    };
    backward_to(pool, saved, d_output, d_hn, d_cn, to)?;
    Ok(made)
}

/// As [`backward`], into the caller's memory.
///
/// # Errors
/// As [`backward`], also for room of another size.
pub fn backward_to(
    pool: &Pool,
    saved: &mut Saved,
    d_output: Option<&[f32]>,
    d_hn: Option<&[f32]>,
    d_cn: Option<&[f32]>,
    to: GradientsTo<'_>,
) -> Result<()> {
    let Saved { shape, layout, packs, traces, first, inputs, mode } = saved;
    let config = &shape.config;
    let (rows, total, parts) = (layout.rows(), layout.total(), shape.parts.len());
    let (state, hidden) = (Blocks::new(1, config.state_size()), Blocks::new(1, config.hidden_size));
    for (name, given, expected) in [
        ("gradient of output", d_output, vec![total, config.output_size()]),
        ("gradient of hn", d_hn, vec![parts, rows, state.len]),
        ("gradient of cn", d_cn, vec![parts, rows, hidden.len]),
    ] {
        if let Some(given) = given {
            expect_len(name, &expected, given.len())?;
        }
    }
    if to.params.len() != shape.segments.len() {
        let message = format!("expected room for {} parameters but received {}", shape.segments.len(), to.params.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    let (_, inputs_of_first) = first.rows(total, shape.input(0));
    let room = |values: &Option<&mut [f32]>| values.as_ref().map(|values| values.len());
    let cells = if config.cell == Cell::Lstm { parts } else { 0 };
    for (name, given, expected) in [
        ("gradient of the input", room(&to.input), vec![inputs_of_first, shape.input(0).public()]),
        ("gradient of h0", room(&to.h0), vec![parts, rows, state.len]),
        ("gradient of c0", room(&to.c0), vec![cells, rows, hidden.len]),
    ] {
        if let Some(given) = given {
            expect_len(name, &expected, given)?;
        }
    }
    for (segment, param) in shape.segments.iter().zip(&to.params) {
        if let Some(given) = room(param) {
            expect_len(&segment.name, &segment.shape, given)?;
        }
    }
    let mut grads: Vec<Grads> = (0..parts).map(|_| Grads::default()).collect();
    let mut mats: Vec<DirMats> = Vec::with_capacity(parts);
    for (trace, grads) in traces.iter_mut().zip(&mut grads) {
        let mut m = trace.mats(shape, rows, total, true);
        grads.add_to(&mut m, shape, rows, total, false);
        mats.push(m);
    }
    load_states(state, rows, d_hn, grads.iter_mut().map(|g| &mut g.dh).collect());
    load_states(hidden, rows, d_cn, grads.iter_mut().map(|g| &mut g.dc).collect());
    let width = shape.output().private();
    let mut dy = Buf::default();
    if let Some(d_output) = d_output {
        dy = Buf::zeros(total * width);
        pad_rows(shape.output(), d_output, &mut dy);
    }
    let mut flat = Buf::zeros(shape.segments.last().map_or(0, |s| s.offset + s.size()));
    let cuts = slices(layout, shape.dirs, pool.size());
    let net = Net { shape, packs, layout, slices: &cuts, aside: None };
    for layer in (0..shape.layers()).rev() {
        let mats = &mut mats[layer * shape.dirs..][..shape.dirs];
        for (dir, mats) in mats.iter_mut().enumerate() {
            if !dy.is_empty() {
                // SAFETY: the column is inside the row.
                mats.dy = unsafe { Mat::new(&mut dy, width).at(0, dir * shape.rp) };
            }
        }
        let input_width = shape.input(layer).private();
        let dg: Vec<Mat> = mats.iter().map(|m| m.dg).collect();
        let words = if let (First::Words { users, .. }, 0) = (&*first, layer) { Some(users) } else { None };
        let (x, count) = match layer {
            0 => first.rows(total, shape.input(0)),
            _ => (Mat::of(&inputs[layer - 1], input_width), total),
        };
        let mut sums: Vec<Buf> = Vec::new();
        if words.is_some() {
            sums.resize_with(shape.dirs, || Buf::scratch(count * shape.gp));
        }
        let wanted = layer > 0 || to.input.is_some();
        // Gradients of the rows that were projected.
        let dgx: Vec<Mat> =
            if words.is_some() { sums.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect() } else { dg.clone() };
        let mut dx = Buf::scratch(if wanted { count * input_width } else { 0 });
        let (dx_mat, flat_mat) = (Mat::new(&mut dx, input_width), Mat::new(&mut flat, 0));
        // SAFETY: all buffers have the sizes of this shape and layout, and only this team uses them.
        pool.run(|member| unsafe {
            let flat = flat_mat;
            net.backward(member, layer, mats);
            member.meet();
            if let Some(users) = words {
                for (from, to) in dg.iter().zip(&dgx) {
                    member.share(count, 8).for_each(|word| add_rows(*from, users.of(word), *to, word));
                }
                if wanted {
                    net.input_grads(member, layer, &dgx, count, dx_mat);
                }
                member.meet();
                net.weight_grads(member, layer, mats, (x, count), &dgx, flat.ptr);
            } else {
                net.weight_grads(member, layer, mats, (x, count), &dgx, flat.ptr);
                if wanted {
                    net.input_grads(member, layer, &dgx, count, dx_mat);
                }
            }
        });
        if layer > 0 {
            drop_rows(*mode, shape, layer - 1, &mut dx);
        }
        dy = dx;
    }
    if let Some(to) = to.input {
        unpad_rows(shape.input(0), &dy, to);
    }
    if let Some(to) = to.h0 {
        read_states(state, rows, grads.iter().map(|g| &g.dh), to);
    }
    if let Some(to) = to.c0 {
        read_states(hidden, rows, grads.iter().map(|g| &g.dc), to);
    }
    for (segment, to) in shape.segments.iter().zip(to.params) {
        if let Some(to) = to {
            segment.export_to(&flat, to);
        }
    }
    Ok(())
}
