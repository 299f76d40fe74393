//! From the gradients of outputs and final states to those of inputs, initial states and parameters.

use super::types::{Gradients, GradientsTo, Passes, Saved, load_states, read_states};
use crate::recurrent::buffers::Grads;
use crate::recurrent::layers::Layers;
use crate::recurrent::segments::{Blocks, expect_len, pad_rows, unpad_rows};
use crate::recurrent::stack::{Net, slices};
use crate::recurrent::steps::DirMats;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, zeros};
use crate::threads::Pool;
use recurra_core::{Error, ErrorCode, Result};

/// Gradients of everything that went into [`forward`](super::forward()), from the gradients of what came out (zero where absent).
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
    let cell_state = shape.facts().cell_state;
    let mut made = Gradients {
        input: zeros(saved.first.rows(saved.layout.total(), shape.input(0)).1 * shape.input(0).public()),
        h0: zeros(states * shape.config.state_size()),
        c0: zeros(if cell_state { states * shape.config.hidden_size } else { 0 }),
        params: shape.segments.iter().map(|segment| zeros(segment.numel())).collect(),
    };
    let to = GradientsTo {
        input: Some(&mut made.input),
        h0: Some(&mut made.h0),
        c0: cell_state.then_some(&mut made.c0),
        params: made.params.iter_mut().map(|param| Some(&mut param[..])).collect(),
    };
    backward_to(pool, saved, [d_output, d_hn, d_cn], to, Passes::Any)?;
    Ok(made)
}

/// As [`backward`], into the caller's memory; the gradients of what came out are of outputs, final states and final cell states. After
/// [`Passes::Last`] there can be no other: then the gates' gradients take the place of the gates.
///
/// # Errors
/// As [`backward`], also for room of another size, and `InvalidArgument` for a pass after the last.
pub fn backward_to(
    pool: &Pool,
    saved: &mut Saved,
    [d_output, d_hn, d_cn]: [Option<&[f32]>; 3],
    to: GradientsTo<'_>,
    passes: Passes,
) -> Result<()> {
    check(saved, d_output, d_hn, d_cn, &to)?;
    let last = passes == Passes::Last;
    if std::mem::replace(&mut saved.spent, last) {
        let message = "a backward pass came after the one that was the last: nothing is kept for it";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    let Saved { shape, layout, packs, traces, first, inputs, mode, spent: _ } = saved;
    let (rows, total, layers) = (layout.rows(), layout.total(), shape.layers());
    let (state, hidden) = (Blocks::new(1, shape.config.state_size()), Blocks::new(1, shape.config.hidden_size));
    let mut grads: Vec<Grads> = (0..shape.parts.len()).map(|_| Grads::default()).collect();
    let mut dirs: Vec<DirMats> = Vec::with_capacity(shape.parts.len());
    for (trace, grads) in traces.iter_mut().zip(&mut grads) {
        let mut m = trace.mats(shape, rows, total, true);
        grads.add_to(&mut m, shape, rows, total, last);
        dirs.push(m);
    }
    load_states(state, rows, d_hn, grads.iter_mut().map(|g| &mut g.dh).collect());
    load_states(hidden, rows, d_cn, grads.iter_mut().map(|g| &mut g.dc).collect());

    // Two layers' gradients are enough at a time: what one reads and the next writes.
    let width = shape.output().private();
    let held = if layers > 1 { 2 } else { usize::from(d_output.is_some()) };
    let mut d_outputs: Vec<Buf> = (0..held).map(|_| Buf::scratch(total * width)).collect();
    if let Some(d_output) = d_output {
        let last = &mut d_outputs[(layers - 1) % held];
        // Padding columns must be zero.
        last.fill(0.0);
        pad_rows(shape.output(), d_output, last);
    }
    let at: Vec<Mat> = d_outputs.iter_mut().map(|buf| Mat::new(buf, width)).collect();
    let given = |layer: usize| layer + 1 < layers || d_output.is_some();
    let dy: Vec<Mat> = (0..layers).map(|layer| if given(layer) { at[layer % held] } else { Mat::none() }).collect();
    for (part, m) in dirs.iter_mut().enumerate() {
        let dy = dy[part / shape.dirs];
        if dy.exists() {
            // SAFETY: the column is inside the row.
            m.dy = unsafe { dy.at(0, part % shape.dirs * shape.rp) };
        }
    }
    let y: Vec<Mat> = inputs.iter().map(|buf| Mat::of(buf, width)).collect();
    let mut word_sums: Vec<Buf> = (0..shape.dirs).map(|_| Buf::scratch(first.words() * shape.gp)).collect();
    let projected: Vec<Mat> = word_sums.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
    let mut input_to = to.input;
    let wanted = input_to.is_some();
    let input = shape.input(0);
    // Straight to the caller where no column is padding.
    let padded = wanted && input.private() != input.public();
    let mut dx = Buf::scratch(if padded { first.rows(total, input).1 * input.private() } else { 0 });
    let dx_mat = match &mut input_to {
        Some(to) if !padded => Mat { ptr: to.as_mut_ptr(), stride: input.private() },
        _ => Mat::new(&mut dx, input.private()),
    };
    let mut flat = Buf::zeros(shape.segments.last().map_or(0, |s| s.offset + s.size()));
    let flat_mat = Mat::new(&mut flat, 0);
    let cuts = slices(layout, shape.dirs, pool.size());
    let pass = Layers {
        net: Net { shape, packs, layout, slices: &cuts, aside: None },
        source: first.source(input),
        dirs: &dirs,
        y: &y,
        dy: &dy,
        projected: &projected,
        from_inputs: false,
        dropout: mode.dropout(shape),
    };
    // SAFETY: all buffers have the sizes of this shape and layout, and only this team uses them.
    pool.run(|member| unsafe {
        let (dx, flat) = (dx_mat, flat_mat);
        pass.backward_top(member);
        member.meet();
        pass.backward(member, Some(flat.ptr));
        if let Some(users) = first.users() {
            pass.sum_words(member, users, false);
        }
        if wanted {
            pass.first_input_grads(member, dx);
        }
        member.meet();
        pass.first_weight_grads(member, flat.ptr);
    });
    if let (Some(to), true) = (input_to, padded) {
        unpad_rows(input, &dx, to);
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

fn check(
    saved: &Saved,
    d_output: Option<&[f32]>,
    d_hn: Option<&[f32]>,
    d_cn: Option<&[f32]>,
    to: &GradientsTo<'_>,
) -> Result<()> {
    let (shape, config) = (&saved.shape, &saved.shape.config);
    let (rows, total, parts) = (saved.layout.rows(), saved.layout.total(), shape.parts.len());
    for (name, given, expected) in [
        ("gradient of output", d_output, vec![total, config.output_size()]),
        ("gradient of hn", d_hn, vec![parts, rows, config.state_size()]),
        ("gradient of cn", d_cn, vec![parts, rows, config.hidden_size]),
    ] {
        if let Some(given) = given {
            expect_len(name, &expected, given.len())?;
        }
    }
    if to.params.len() != shape.segments.len() {
        let message = format!("expected room for {} parameters but received {}", shape.segments.len(), to.params.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    let (_, inputs) = saved.first.rows(total, shape.input(0));
    let room = |values: &Option<&mut [f32]>| values.as_ref().map(|values| values.len());
    let cells = if shape.facts().cell_state { parts } else { 0 };
    for (name, given, expected) in [
        ("gradient of the input", room(&to.input), vec![inputs, shape.input(0).public()]),
        ("gradient of h0", room(&to.h0), vec![parts, rows, config.state_size()]),
        ("gradient of c0", room(&to.c0), vec![cells, rows, config.hidden_size]),
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
    Ok(())
}
