//! A classifier's training step built from layers and dense optimizers.

use recurra_core::layout::PackedLayout;
use recurra_core::{Algorithm, NamedArray, NetworkConfig, Pooling, StepOptions};
use recurra_kernels::optim::Dense;
use recurra_kernels::recurrent::{Input, Mode, RecurrentConfig, backward, forward};
use recurra_kernels::threads::Pool;

/// The same training, layer by layer.
pub struct Reference {
    config: NetworkConfig,
    pub params: Vec<NamedArray<Vec<f32>>>,
    optimizers: Vec<Dense>,
}

impl Reference {
    /// Creates it with these weights, in the order of a network's state.
    pub fn new(config: &NetworkConfig, params: Vec<NamedArray<Vec<f32>>>, algorithm: Algorithm) -> Self {
        let optimizers = params.iter().map(|p| Dense::new(algorithm, p.data.len()).unwrap()).collect();
        Self { config: config.clone(), params, optimizers }
    }

    /// Loss (sum over rows), number of correct rows, and all gradients of the mean loss.
    pub fn gradients(&self, tokens: &[i32], lengths: &[i32], labels: &[i32]) -> (f64, u64, Vec<Vec<f32>>) {
        let c = &self.config;
        let layout = PackedLayout::new(lengths, None).unwrap();
        let mut starts = vec![0usize];
        lengths.iter().for_each(|&l| starts.push(starts[starts.len() - 1] + l as usize));
        let words: Vec<usize> = (0..layout.total())
            .map(|position| {
                let (row, time) = layout.row_and_time(position).unwrap();
                tokens[starts[layout.sorted_indices()[row] as usize] + time] as usize
            })
            .collect();
        let dim = c.encoder.embedding_dim;
        let x: Vec<f32> = words.iter().flat_map(|&w| self.params[0].data[w * dim..][..dim].to_vec()).collect();
        let n = self.params.len();
        let rnn: Vec<&[f32]> = self.params[1..n - 2].iter().map(|p| p.data.as_slice()).collect();
        let pool = Pool::new(1);
        let (out, saved) = forward(
            &pool,
            &RecurrentConfig::from(&c.encoder),
            &layout,
            Input::Rows(&x),
            (None, None),
            &rnn,
            Mode::Eval,
        )
        .unwrap();
        let (hidden, dirs) = (c.encoder.hidden_size, RecurrentConfig::from(&c.encoder).directions());
        let (features, rows) = (hidden * dirs, lengths.len());
        let first = (c.encoder.num_layers - 1) * dirs;
        let mut d_output = vec![0.0f32; out.output.len()];
        let mut d_hn = vec![0.0f32; out.hn.len()];
        let (weight, bias) = (&self.params[n - 2].data, &self.params[n - 1].data);
        let (mut d_weight, mut d_bias) = (vec![0.0f32; weight.len()], vec![0.0f32; bias.len()]);
        let (mut loss, mut correct) = (0.0, 0);
        for row in 0..rows {
            let at = |time: usize| layout.position(row, time).unwrap() * features;
            let length = layout.lengths()[row] as usize;
            let mut times = vec![0usize; features];
            let feature: Vec<f32> = (0..features)
                .map(|i| match c.classes().unwrap().pooling {
                    Pooling::Last => out.hn[((first + i / hidden) * rows + row) * hidden + i % hidden],
                    Pooling::Mean => (0..length).map(|t| out.output[at(t) + i]).sum::<f32>() / length as f32,
                    Pooling::Max => {
                        times[i] = (0..length)
                            .fold(0, |b, t| if out.output[at(t) + i] > out.output[at(b) + i] { t } else { b });
                        out.output[at(times[i]) + i]
                    }
                    Pooling::Attention => unreachable!("compared with PyTorch's own"),
                })
                .collect();
            let logits: Vec<f32> = (0..c.head.outputs())
                .map(|k| bias[k] + (0..features).map(|i| weight[k * features + i] * feature[i]).sum::<f32>())
                .collect();
            let label = labels[layout.sorted_indices()[row] as usize] as usize;
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f32 = logits.iter().map(|l| (l - top).exp()).sum();
            loss += f64::from(top + sum.ln() - logits[label]);
            correct += u64::from(logits.iter().position(|&l| l == top) == Some(label));
            for k in 0..c.head.outputs() {
                let d = ((logits[k] - top).exp() / sum - f32::from(u8::from(k == label))) / rows as f32;
                d_bias[k] += d;
                for i in 0..features {
                    d_weight[k * features + i] += d * feature[i];
                    let d = d * weight[k * features + i];
                    match c.classes().unwrap().pooling {
                        Pooling::Last => d_hn[((first + i / hidden) * rows + row) * hidden + i % hidden] += d,
                        Pooling::Mean => (0..length).for_each(|t| d_output[at(t) + i] += d / length as f32),
                        Pooling::Max => d_output[at(times[i]) + i] += d,
                        Pooling::Attention => unreachable!("compared with PyTorch's own"),
                    }
                }
            }
        }
        let grads = backward(&pool, &mut saved.unwrap(), Some(&d_output), Some(&d_hn), None).unwrap();
        let mut d_embedding = vec![0.0f32; self.params[0].data.len()];
        for (&word, d) in words.iter().zip(grads.input.chunks_exact(dim)) {
            if c.encoder.padding_idx != Some(word as u32) {
                d_embedding[word * dim..][..dim].iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
            }
        }
        let mut all = vec![d_embedding];
        all.extend(grads.params);
        all.extend([d_weight, d_bias]);
        (loss, correct, all)
    }

    /// Runs one step. Returns the loss (sum over rows) and the number of correct rows.
    pub fn step(&mut self, tokens: &[i32], lengths: &[i32], labels: &[i32], options: &StepOptions<'_>) -> (f64, u64) {
        let (loss, correct, grads) = self.gradients(tokens, lengths, labels);
        let norm = grads.iter().flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
        let scale = if options.clip_norm > 0.0 { (options.clip_norm / (norm + 1e-6)).min(1.0) as f32 } else { 1.0 };
        for ((param, optimizer), grad) in self.params.iter_mut().zip(&mut self.optimizers).zip(&grads) {
            optimizer.step(&mut param.data, grad, options.learning_rates[0], scale).unwrap();
        }
        (loss, correct)
    }
}
