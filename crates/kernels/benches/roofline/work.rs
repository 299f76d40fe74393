//! How much work there is, by formula, whatever else an implementation does.

use std::collections::HashSet;

use serde_json::{Value, json};

/// The least that has to be done.
#[derive(Clone, Copy, Default)]
pub struct Work {
    /// Multiplications, and the additions that are fused with them: two for each multiply-add. Others have their own units.
    pub flops: f64,
    /// Divisions and roots.
    pub divisions: f64,
    /// Bytes read and written one after the other.
    pub reads: f64,
    pub writes: f64,
    /// Bytes of rows that are read in no order.
    pub rows: f64,
    /// Bytes that all of this comes back to: where they fit is where it is read from and written to.
    pub set: f64,
}

/// A row of the result: a part of a kernel's work, and the seconds that it took.
pub fn row(kernel: &str, shape: &str, part: &str, threads: usize, seconds: f64, work: Option<Work>) -> Value {
    let work = work.map(|Work { flops, divisions, reads, writes, rows, set }| {
        json!({ "flops": flops, "divisions": divisions, "reads": reads, "writes": writes, "rows": rows, "set": set })
    });
    json!({ "kernel": kernel, "shape": shape, "part": part, "threads": threads, "seconds": seconds, "work": work })
}

/// What the formulas need to know about a batch.
pub struct Batch {
    pub rows: f64,
    pub tokens: f64,
    /// Different words.
    pub words: f64,
    /// Time steps: the longest text's tokens.
    pub steps: f64,
}

/// The batches of some texts.
pub fn batches(tokens: &[i32], lengths: &[i32], size: usize) -> Vec<Batch> {
    let mut rest = tokens;
    let batch = |lengths: &[i32]| {
        let (own, others) = rest.split_at(lengths.iter().sum::<i32>() as usize);
        rest = others;
        let words = own.iter().collect::<HashSet<_>>().len();
        Batch {
            rows: lengths.len() as f64,
            tokens: own.len() as f64,
            words: words as f64,
            steps: lengths.iter().copied().max().unwrap_or(0).into(),
        }
    };
    lengths.chunks(size).map(batch).collect()
}

/// Multiplications of `exp`, and so of `sigmoid` and `tanh`, whose additions alone are left out: three to reduce the argument, four of the
/// polynomial, its square, its end, and the scale.
const EXP: f64 = 10.0;

/// Layers of an LSTM with a head that pools the last states, by the parts of a training step.
pub struct Lstm {
    pub embedding: f64,
    pub hidden: f64,
    pub layers: f64,
    pub directions: f64,
    pub vocabulary: f64,
    pub classes: f64,
}

impl Lstm {
    fn gates(&self) -> f64 {
        4.0 * self.hidden
    }

    /// Numbers of a layer's output.
    fn output(&self) -> f64 {
        self.directions * self.hidden
    }

    /// Layers times directions.
    fn parts(&self) -> f64 {
        self.layers * self.directions
    }

    /// Weights of all layers and the head.
    fn weights(&self) -> f64 {
        let inputs = self.embedding + (self.layers - 1.0) * self.output();
        let recurrent = self.parts() * (self.hidden + 2.0) + self.directions * inputs;
        self.gates() * recurrent + self.classes * (self.output() + 1.0)
    }

    /// Multiply-adds of the inputs of all layers with their weights: the first reads each different word, the others each position.
    fn inputs(&self, batch: &Batch) -> f64 {
        let others = (self.layers - 1.0) * batch.tokens * self.output();
        self.directions * self.gates() * (batch.words * self.embedding + others)
    }

    /// The recurrent product of all steps: its weights are read once a step.
    pub fn product(&self, batch: &Batch) -> Work {
        let weights = self.gates() * self.hidden;
        Work {
            flops: 2.0 * self.parts() * batch.tokens * weights,
            reads: 4.0 * self.parts() * batch.steps * weights,
            set: 4.0 * weights,
            ..Work::default()
        }
    }

    /// The product of the inputs with the input's weights.
    pub fn projection(&self, batch: &Batch) -> Work {
        Work { flops: 2.0 * self.inputs(batch), ..Work::default() }
    }

    /// Three sigmoids, two tanh and three products for each unit; the four gates, both states and tanh of the cell are saved.
    pub fn gates_forward(&self, batch: &Batch) -> Work {
        let units = self.parts() * batch.tokens * self.hidden;
        Work {
            flops: 2.0 * units * (5.0 * EXP + 3.0),
            divisions: 5.0 * units,
            reads: 4.0 * 5.0 * units,
            writes: 4.0 * 7.0 * units,
            set: 4.0 * 7.0 * units,
            ..Work::default()
        }
    }

    /// Sixteen products for each unit; reads what was saved and the gradients of both states, writes those of four gates and the cell.
    pub fn gates_backward(&self, batch: &Batch) -> Work {
        let units = self.parts() * batch.tokens * self.hidden;
        Work {
            flops: 2.0 * units * 16.0,
            reads: 4.0 * 8.0 * units,
            writes: 4.0 * 5.0 * units,
            set: 4.0 * 7.0 * units,
            ..Work::default()
        }
    }

    /// Gradients of both weight matrices: a product over all positions, and one over the inputs.
    pub fn weight_grads(&self, batch: &Batch) -> Work {
        let set = 4.0 * batch.tokens * (self.gates() + self.hidden);
        let flops = 2.0 * (self.parts() * self.gates() * batch.tokens * self.hidden + self.inputs(batch));
        Work { flops, reads: self.parts() * set, set, ..Work::default() }
    }

    /// Gradients of the inputs: sums over the positions of each different word, and products.
    pub fn input_grads(&self, batch: &Batch) -> Work {
        let set = 4.0 * batch.tokens * self.gates();
        Work { flops: 2.0 * self.inputs(batch), reads: self.parts() * set, set, ..Work::default() }
    }

    /// The head of a classifier that pools the last state: scores and both gradients.
    pub fn head(&self, batch: &Batch) -> Work {
        Work { flops: 6.0 * batch.rows * self.output() * self.classes, ..Work::default() }
    }

    /// Rows of the embedding and of Adam's two states, read and written once for each different word.
    pub fn words(&self, batch: &Batch) -> Work {
        let bytes = 3.0 * 4.0 * batch.words * self.embedding;
        Work { rows: bytes, writes: bytes, set: 3.0 * 4.0 * self.vocabulary * self.embedding, ..Work::default() }
    }

    /// Both forms of the weights for the products.
    pub fn pack(&self) -> Work {
        let bytes = 4.0 * self.weights();
        Work { reads: bytes, writes: 2.0 * bytes, set: 3.0 * bytes, ..Work::default() }
    }

    /// Adam: weights, gradients and two states are read, all but the gradients written; a root and a division each.
    pub fn update(&self) -> Work {
        let bytes = 4.0 * self.weights();
        Work {
            divisions: 2.0 * self.weights(),
            reads: 4.0 * bytes,
            writes: 3.0 * bytes,
            set: 4.0 * bytes,
            ..Work::default()
        }
    }

    /// Inference: the recurrent product and the gates, whose quotients are three for each unit; each position reads its word's row
    /// of `words` projected ones, or with `inputs` projects its word.
    pub fn inference(&self, tokens: f64, words: f64, inputs: bool) -> Work {
        let own = if inputs { self.embedding } else { 0.0 };
        let units = tokens * self.hidden;
        let row = 4.0 * if inputs { self.embedding } else { self.gates() };
        Work {
            flops: 2.0 * (tokens * self.gates() * (self.hidden + own) + units * (5.0 * EXP + 6.0)),
            divisions: 3.0 * units,
            rows: tokens * row,
            set: words * row,
            ..Work::default()
        }
    }
}

/// The sum over batches; they come back to the same bytes.
pub fn sum(all: impl Iterator<Item = Work>) -> Work {
    all.fold(Work::default(), |a, b| Work {
        flops: a.flops + b.flops,
        divisions: a.divisions + b.divisions,
        reads: a.reads + b.reads,
        writes: a.writes + b.writes,
        rows: a.rows + b.rows,
        set: a.set.max(b.set),
    })
}
