//! From inputs to outputs and final states.

use super::types::{Mode, Output, OutputTo, Saved, load_states, read_states};
use crate::recurrent::buffers::Trace;
use crate::recurrent::config::RecurrentConfig;
use crate::recurrent::layers::{Layers, Start};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::segments::{Blocks, expect_len, unpad_rows};
use crate::recurrent::shape::Shape;
use crate::recurrent::stack::{Net, slices};
use crate::recurrent::steps::DirMats;
use crate::recurrent::words::{First, Input};
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use crate::threads::Pool;
use recurra_core::{Error, ErrorCode, Result, layout::PackedLayout};

/// Runs the network on packed data.
///
/// `x` is `[total, input]` (or words, see [`Input`]), `h0` and `c0` (zero where absent) `[layers * directions, rows, state or
/// hidden]` with rows in sorted order, `params` PyTorch's parameters in PyTorch's order (`weight_ih`, `weight_hh`, the biases,
/// `weight_hr` of each layer and direction).
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
    states: (Option<&[f32]>, Option<&[f32]>),
    params: &[&[f32]],
    mode: Mode,
    to: OutputTo<'_>,
) -> Result<Option<Saved>> {
    config.validate()?;
    let mut size = 0;
    let shape = Shape::new(config, &mut size);
    let (rows, total, keep) = (layout.rows(), layout.total(), mode.keeps());
    let first = First::new(&x, total, shape.input(0), keep)?;
    check(&shape, layout, states, &to)?;
    let packs = pack(&shape, params, size, mode)?;
    let mut traces: Vec<Trace> = (0..shape.parts.len()).map(|_| Trace::default()).collect();
    let mut dirs: Vec<DirMats> = traces.iter_mut().map(|trace| trace.mats(&shape, rows, total, keep)).collect();
    let (state, hidden) = (Blocks::new(1, config.state_size()), Blocks::new(1, config.hidden_size));
    load_states(state, rows, states.0, traces.iter_mut().map(|t| &mut t.h).collect());
    load_states(hidden, rows, states.1, traces.iter_mut().map(|t| &mut t.c).collect());

    // Without a way back two layers' outputs are enough at a time: what one reads and the next writes. Those of the last layer go
    // straight to the caller where no column is padding.
    let width = shape.output().private();
    let direct = width == shape.output().public();
    let own = shape.layers() - usize::from(direct);
    let held = if keep { own } else { own.min(2) };
    let mut outputs: Vec<Buf> = (0..held).map(|_| Buf::scratch(total * width)).collect();
    let at: Vec<Mat> = outputs.iter_mut().map(|buf| Mat::new(buf, width)).collect();
    let last = Mat { ptr: to.output.as_mut_ptr(), stride: width };
    let y: Vec<Mat> = (0..shape.layers()).map(|layer| if layer < own { at[layer % held] } else { last }).collect();
    for (part, m) in dirs.iter_mut().enumerate() {
        // SAFETY: the column is inside the row.
        m.y = unsafe { y[part / shape.dirs].at(0, part % shape.dirs * shape.rp) };
    }
    let positions = if keep { 0 } else { total };
    let mut projections: Vec<Buf> =
        (0..shape.dirs).map(|_| Buf::scratch(positions.max(first.words()) * shape.gp)).collect();
    let projected: Vec<Mat> = projections.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
    let cuts = slices(layout, shape.dirs, pool.size());
    let layers = Layers {
        net: Net { shape: &shape, packs: &packs, layout, slices: &cuts, aside: None },
        source: first.source(shape.input(0)),
        dirs: &dirs,
        y: &y,
        dy: &[],
        projected: &projected,
        from_inputs: false,
        dropout: mode.dropout(&shape),
    };
    // SAFETY: all buffers have the sizes of this shape and layout, and only this team uses them.
    pool.run(|member| unsafe { layers.forward(member, Start::Set) });
    if !direct && let Some(last) = outputs.get((shape.layers() - 1) % held) {
        unpad_rows(shape.output(), last, to.output);
    }
    read_states(state, rows, traces.iter().map(|t| &t.h), to.hn);
    if shape.facts().cell_state {
        read_states(hidden, rows, traces.iter().map(|t| &t.c), to.cn);
    }
    // Of the last layer's outputs nothing is needed on the way back.
    outputs.truncate(shape.layers() - 1);
    Ok(keep.then(|| Saved { shape, layout: layout.clone(), packs, traces, first, inputs: outputs, mode, spent: false }))
}

fn check(
    shape: &Shape,
    layout: &PackedLayout,
    (h0, c0): (Option<&[f32]>, Option<&[f32]>),
    to: &OutputTo<'_>,
) -> Result<()> {
    let (config, rows, parts) = (&shape.config, layout.rows(), shape.parts.len());
    for (name, given, width) in [("h0", h0, config.state_size()), ("c0", c0, config.hidden_size)] {
        if let Some(given) = given {
            expect_len(name, &[parts, rows, width], given.len())?;
        }
    }
    let cells = if shape.facts().cell_state { parts } else { 0 };
    expect_len("output", &[layout.total(), config.output_size()], to.output.len())?;
    expect_len("hn", &[parts, rows, config.state_size()], to.hn.len())?;
    expect_len("cn", &[cells, rows, config.hidden_size], to.cn.len())
}

/// The parameters as the kernels read them.
fn pack(shape: &Shape, params: &[&[f32]], size: usize, mode: Mode) -> Result<Vec<DirPacks>> {
    if params.len() != shape.segments.len() {
        let message = format!("expected {} parameters but received {}", shape.segments.len(), params.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    let mut flat = Buf::zeros(size);
    for (segment, param) in shape.segments.iter().zip(params) {
        expect_len(&segment.name, &segment.shape, param.len())?;
        segment.import(param, &mut flat);
    }
    let mut packs = vec![DirPacks::default(); shape.parts.len()];
    for (packs, part) in packs.iter_mut().zip(&shape.parts) {
        if mode == Mode::Inference {
            packs.pack_inference(shape, part, &flat, false, false);
        } else {
            packs.pack_all(shape, part, &flat, mode.keeps());
        }
    }
    Ok(packs)
}
