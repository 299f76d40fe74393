//! Distributed training: threads act as the ranks, and an in-memory group connects them.
#![cfg(feature = "training")]

mod common;

#[path = "common/ranks.rs"]
mod ranks;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{difference, weights};
use ranks::{Rank, group, on_ranks};
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, Decoder, Dropouts, ErrorCode, Forms, HeadConfig, Initial, LossOptions,
    NamedArray, NetworkConfig, Pooling, Seq2SeqConfig, SgdOptions, Stats, StepOptions, SubwordsConfig, TagsConfig,
    Targets,
};
use recurra_kernels::network::Network;
use recurra_kernels::seq2seq::Seq2Seq;

/// The targets of a row.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Class,
    Set,
    Tags,
}

#[derive(Clone)]
struct Row {
    tokens: Vec<i32>,
    answers: Vec<i32>,
}

/// Batches of rows.
type Batches = Vec<Vec<Row>>;

struct Flat {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    outputs: Vec<i32>,
    starts: Vec<u32>,
    batch_sizes: Vec<i32>,
    kind: Kind,
}

impl Flat {
    fn new(batches: &[Vec<Row>], kind: Kind) -> Self {
        let mut flat =
            Self { tokens: vec![], lengths: vec![], outputs: vec![], starts: vec![0], batch_sizes: vec![], kind };
        for batch in batches {
            flat.batch_sizes.push(batch.len() as i32);
            for row in batch {
                flat.tokens.extend(&row.tokens);
                flat.lengths.push(row.tokens.len() as i32);
                flat.outputs.extend(&row.answers);
                flat.starts.push(flat.outputs.len() as u32);
            }
        }
        flat
    }

    fn chunk<'a>(&'a self, forms: Option<&'a Forms>) -> Chunk<'a> {
        let targets = match self.kind {
            Kind::Class => Targets::Rows(&self.outputs),
            Kind::Set => Targets::Sets { outputs: &self.outputs, starts: &self.starts },
            Kind::Tags => Targets::Tokens(&self.outputs),
        };
        Chunk { tokens: &self.tokens, lengths: &self.lengths, targets, batch_sizes: &self.batch_sizes, forms }
    }
}

struct Case {
    name: &'static str,
    kind: Kind,
    config: NetworkConfig,
    algorithm: Algorithm,
    clip: f64,
    adversarial: f64,
    freeze: bool,
    initial: Initial,
    forms: Option<Forms>,
    loss: Vec<f32>,
}

const WORDS: usize = 50;
const OUTPUTS: usize = 5;

fn case(name: &'static str, kind: Kind, change: impl FnOnce(&mut NetworkConfig)) -> Case {
    let config = NetworkConfig::classifier(Cell::Lstm, WORDS, 12, 10, OUTPUTS).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 7;
        if kind == Kind::Set {
            c.classes_mut().multi_label = true;
        }
        if kind == Kind::Tags {
            c.head = HeadConfig::Tags(TagsConfig { tags: OUTPUTS, decoder: Decoder::Softmax, forbidden: None });
        }
        change(c);
    });
    Case {
        name,
        kind,
        config,
        algorithm: Algorithm::Adam(AdamOptions::default()),
        clip: 0.0,
        adversarial: 0.0,
        freeze: false,
        initial: Initial::Zeros,
        forms: None,
        loss: vec![],
    }
}

fn tags(decoder: Decoder) -> HeadConfig {
    HeadConfig::Tags(TagsConfig { tags: OUTPUTS, decoder, forbidden: None })
}

fn cases() -> Vec<Case> {
    let sgd = |momentum, weight_decay| Algorithm::Sgd(SgdOptions { momentum, weight_decay, ..SgdOptions::default() });
    let forms = Forms::new(
        &[2, 3, 0, 4, 5, 6, 0, 7],
        &[0, 2, 3, 6, 6, 8, 9, 12, 14],
        &[1, 2, 3, 1, 4, 5, 6, 6, 7, 8, 9, 1, 2, 0],
    );
    vec![
        case("classes", Kind::Class, |_| {}),
        Case { clip: 0.2, ..case("clip", Kind::Class, |c| c.encoder.bidirectional = true) },
        Case {
            algorithm: sgd(0.9, 0.01),
            loss: vec![1.0, 2.0, 0.5, 3.0, 0.25],
            ..case("dense sgd, weights", Kind::Class, |c| c.classes_mut().pooling = Pooling::Attention)
        },
        Case {
            algorithm: Algorithm::Adam(AdamOptions { weight_decay: 0.1, ..AdamOptions::default() }),
            clip: 1.0,
            ..case("sets", Kind::Set, |c| c.classes_mut().pooling = Pooling::Max)
        },
        Case { adversarial: 0.3, ..case("adversarial", Kind::Class, |c| c.encoder.cell = Cell::Gru) },
        Case { freeze: true, clip: 0.5, ..case("frozen", Kind::Class, |_| {}) },
        Case { algorithm: sgd(0.9, 0.0), ..case("tags", Kind::Tags, |c| c.encoder.num_layers = 2) },
        Case { clip: 0.5, ..case("crf", Kind::Tags, |c| c.head = tags(Decoder::Crf)) },
        Case { initial: Initial::Begin, clip: 0.3, ..case("streams", Kind::Tags, |_| {}) },
        Case {
            initial: Initial::Begin,
            ..case("tied", Kind::Tags, |c| {
                (c.encoder.vocab_size, c.encoder.embedding_dim, c.encoder.tied) = (OUTPUTS, 10, true);
                c.encoder.padding_idx = None;
            })
        },
        Case {
            forms: forms.ok(),
            clip: 0.5,
            ..case("subwords", Kind::Class, |c| c.encoder.subwords = Some(SubwordsConfig { buckets: 10, dim: 6 }))
        },
    ]
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

impl Case {
    fn batches(&self, count: usize) -> Batches {
        let mut random = Random(11);
        let words = self.forms.as_ref().map_or(self.config.encoder.vocab_size, Forms::len);
        let streams = self.initial != Initial::Zeros;
        let mut batch = |_| {
            let (rows, common) = (if streams { 6 } else { 4 + random.below(5) }, 1 + random.below(6));
            let mut row = |_| {
                let length = if streams { common } else { 1 + random.below(9) };
                let tokens = (0..length).map(|_| random.below(words) as i32).collect();
                let answers = match self.kind {
                    Kind::Class => vec![random.below(OUTPUTS) as i32],
                    Kind::Set => (0..OUTPUTS as i32).filter(|_| random.below(3) == 0).collect(),
                    Kind::Tags => (0..length).map(|_| random.below(OUTPUTS) as i32).collect(),
                };
                Row { tokens, answers }
            };
            (0..rows).map(&mut row).collect()
        };
        (0..count).map(&mut batch).collect()
    }

    /// The rows of a rank. Some batches have rows on one rank only.
    fn share(&self, batches: &Batches, rank: usize, size: usize) -> Batches {
        let streams = self.initial != Initial::Zeros;
        let own = |(number, batch): (usize, &Vec<Row>)| {
            let mine = |row: usize| if number % 4 == 3 && !streams { number / 4 % size } else { row % size } == rank;
            batch.iter().enumerate().filter(|(row, _)| mine(*row)).map(|(_, row)| row.clone()).collect()
        };
        batches.iter().enumerate().map(own).collect()
    }

    fn options(&self) -> StepOptions<'_> {
        let rate: &[f64] = if matches!(self.algorithm, Algorithm::Sgd(_)) { &[0.2] } else { &[0.01] };
        StepOptions {
            learning_rates: rate,
            clip_norm: self.clip,
            algorithm: self.algorithm,
            loss: LossOptions { weights: &self.loss, smoothing: 0.0 },
            freeze_embedding: self.freeze,
            adversarial: self.adversarial,
            initial: self.initial,
            ..StepOptions::default()
        }
    }

    /// Trains in two chunks.
    fn train(&self, network: &Network, batches: &Batches) -> (Vec<NamedArray<Vec<f32>>>, Stats) {
        let mut all = Stats::default();
        for (number, part) in batches.chunks(batches.len().div_ceil(2)).enumerate() {
            let mut options = self.options();
            if number > 0 && options.initial != Initial::Zeros {
                options.initial = Initial::Continue;
            }
            let flat = Flat::new(part, self.kind);
            let stats = network.train_batches(&flat.chunk(self.forms.as_ref()), &options).unwrap();
            all.loss += stats.loss;
            (all.correct, all.answers, all.rows) =
                (all.correct + stats.correct, all.answers + stats.answers, all.rows + stats.rows);
        }
        (weights(network), all)
    }
}

#[test]
fn the_result_is_that_of_one_process_with_the_rows_of_all_ranks() {
    for case in cases() {
        let batches = case.batches(10);
        let (alone, expected) = case.train(&Network::new(case.config.clone()).unwrap(), &batches);
        for size in [1, 2, 3] {
            let run = || {
                let group = group(size, usize::MAX);
                on_ranks(&case.config, &group, size, |rank, network| {
                    case.train(network, &case.share(&batches, rank, size))
                })
            };
            let (ranks, what) = (run(), format!("{}, {size} ranks", case.name));
            for (own, stats) in &ranks {
                assert!(*own == ranks[0].0 && *stats == ranks[0].1, "{what}: the ranks differ");
                assert!((stats.loss / expected.loss - 1.0).abs() < 1e-5, "{what}: {} {}", stats.loss, expected.loss);
                let counts = |stats: &Stats| (stats.correct, stats.answers, stats.rows);
                assert_eq!(counts(stats), counts(&expected), "{what}");
                for (ours, theirs) in own.iter().zip(&alone) {
                    let worst = difference(&ours.data, &theirs.data);
                    assert!(worst < 1e-5, "{what}: {} differs by {worst:e}", ours.name);
                }
            }
            assert!(run()[0] == ranks[0], "{what}: the bits differ from run to run");
        }
    }
}

#[test]
fn only_rows_that_a_rank_reads_travel() {
    let config = NetworkConfig::classifier(Cell::Lstm, 90_000, 32, 16, 4);
    let texts = common::Texts::random(3, 0..40);
    let group = group(2, usize::MAX);
    on_ranks(&config, &group, 2, |_, network| {
        network.train_batches(&texts.chunk(&[12, 12]), &StepOptions::default()).unwrap();
    });
    let dense = 2 * 90_000 * 32;
    let sent = group.sent.load(Ordering::SeqCst);
    assert!(sent > 2 * 16 * 32 && sent < dense / 50, "{sent} of {dense}");
}

#[test]
fn ranks_have_dropout_masks_of_their_own_and_rank_0_those_of_one_process() {
    let case = Case {
        name: "dropout",
        ..case("dropout", Kind::Class, |c| {
            c.encoder.unknown_idx = Some(0);
            c.encoder.dropouts =
                Dropouts { words: 0.2, embedding: 0.3, recurrent: 0.2, outputs: Some(0.4), ..Dropouts::default() };
        })
    };
    let batches = case.batches(6);
    let (alone, _) = case.train(&Network::new(case.config.clone()).unwrap(), &batches);
    // All rows on rank 0: rank 1 has none, and its masks do not matter.
    let rows = |rank: usize| if rank == 0 { batches.clone() } else { vec![vec![]; batches.len()] };
    let ranks = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| case.train(network, &rows(rank)));
    for (ours, theirs) in ranks[1].0.iter().zip(&alone) {
        assert!(difference(&ours.data, &theirs.data) < 1e-6, "{}", ours.name);
    }
    // All rows on rank 1, which has other masks.
    let ranks = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| case.train(network, &rows(1 - rank)));
    assert!(ranks[0].0 == ranks[1].0);
    assert!(ranks[0].0.iter().zip(&alone).any(|(ours, theirs)| difference(&ours.data, &theirs.data) > 1e-3));
}

#[test]
fn what_is_not_finite_on_one_rank_stops_all_at_the_same_step() {
    let case = case("not finite", Kind::Class, |_| {});
    let mut batches = case.batches(5);
    // A word that only rank 1 reads, in batch 3.
    batches.iter_mut().flatten().flat_map(|row| &mut row.tokens).for_each(|token| *token %= 40);
    let before = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| {
        network.set_word_vectors(&[45], &[f32::NAN; 12]).unwrap();
        case.train(network, &case.share(&batches[..3].to_vec(), rank, 2))
    });
    let after = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| {
        network.set_word_vectors(&[45], &[f32::NAN; 12]).unwrap();
        let mut own = case.share(&batches, rank, 2);
        own[3] = vec![Row { tokens: vec![45], answers: vec![0] }; rank];
        let flat = Flat::new(&own, case.kind);
        let stats = network.train_batches(&flat.chunk(None), &case.options()).unwrap();
        (stats.non_finite_batch, stats.rows, weights(network))
    });
    for (batch, rows, own) in after {
        assert_eq!((batch, rows), (Some(3), before[0].1.rows));
        for (ours, theirs) in own.iter().zip(&before[0].0) {
            let same = ours.data.iter().zip(&theirs.data).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same || ours.name == "embedding.weight", "{}", ours.name);
        }
    }
}

#[test]
fn a_lost_rank_is_a_typed_error_and_the_weights_are_those_before_the_step() {
    let case = case("lost", Kind::Class, |_| {});
    let batches = case.batches(6);
    let before = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| {
        let flat = Flat::new(&case.share(&batches, rank, 2)[..4], case.kind);
        network.train_batches(&flat.chunk(None), &case.options()).unwrap();
        weights(network)
    });
    let after = on_ranks(&case.config, &group(2, 4), 2, |rank, network| {
        let flat = Flat::new(&case.share(&batches, rank, 2), case.kind);
        let error = network.train_batches(&flat.chunk(None), &case.options()).unwrap_err();
        (error.code(), error.rank(), weights(network))
    });
    for (code, rank, own) in after {
        assert_eq!((code, rank), (ErrorCode::Distributed, Some(1)));
        assert!(own == before[0]);
    }
}

#[test]
fn ranks_that_are_not_in_step_are_told_apart() {
    let case = case("steps", Kind::Class, |_| {});
    let batches = case.batches(3);
    let errors = on_ranks(&case.config, &group(2, usize::MAX), 2, |rank, network| {
        let flat = Flat::new(&batches[..2 + rank], case.kind);
        network.train_batches(&flat.chunk(None), &case.options()).unwrap_err()
    });
    for error in errors {
        assert_eq!(error.code(), ErrorCode::Distributed);
        let both = ["on rank 0", "on rank 1", "batches"];
        assert!(both.iter().all(|part| error.message().contains(part)), "{}", error.message());
    }
}

#[test]
fn pairs_too_are_learned_as_one_process_learns_them() {
    let sgd = Algorithm::Sgd(SgdOptions { momentum: 0.9, ..SgdOptions::default() });
    for (algorithm, clip, freeze) in
        [(Algorithm::Adam(AdamOptions::default()), 0.5, false), (sgd, 0.0, false), (sgd, 0.3, true)]
    {
        let config = |threads| {
            Seq2SeqConfig::new(Cell::Gru, 20, 15, 6, 8).with(|c| {
                c.encoder.padding_idx = Some(1);
                (c.seed, c.threads) = (5, threads);
            })
        };
        let mut random = Random(17);
        let mut row = |_| {
            let tokens = (0..1 + random.below(6)).map(|_| random.below(20) as i32).collect();
            let mut answers: Vec<i32> = (0..random.below(5)).map(|_| 2 + random.below(13) as i32).collect();
            answers.push(1);
            Row { tokens, answers }
        };
        let batches: Batches = (0..8).map(|_| (0..5).map(&mut row).collect()).collect();
        let rates = [if freeze { 0.2 } else { 0.02 }];
        let options = StepOptions {
            learning_rates: &rates,
            clip_norm: clip,
            algorithm,
            freeze_embedding: freeze,
            ..StepOptions::default()
        };
        let train = |network: &Seq2Seq, own: &Batches| {
            let flat = Flat::new(own, Kind::Set);
            let stats = network.train_batches(&flat.chunk(None), &options).unwrap();
            let state: Vec<(String, Vec<f32>)> =
                network.state().unwrap().iter().map(|array| (array.name.clone(), array.values().unwrap())).collect();
            (stats, state)
        };
        let (expected, alone) = train(&Seq2Seq::new(config(1)).unwrap(), &batches);
        let group = group(3, usize::MAX);
        let ranks: Vec<_> = std::thread::scope(|scope| {
            let start = |rank: usize| {
                let (group, batches, train) = (Arc::clone(&group), &batches, &train);
                scope.spawn(move || {
                    let network = Seq2Seq::new(config(1 + rank % 2)).unwrap();
                    network.distribute(Some(Arc::new(Rank { rank, size: 3, group })));
                    // In the last two batches, only one rank has rows.
                    let own = |(number, batch): (usize, &Vec<Row>)| {
                        let mine = |at: usize| if number < 6 { at % 3 == rank } else { rank == number - 6 };
                        batch.iter().enumerate().filter(|(at, _)| mine(*at)).map(|(_, row)| row.clone()).collect()
                    };
                    train(&network, &batches.iter().enumerate().map(own).collect())
                })
            };
            let ranks: Vec<_> = (0..3).map(start).collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        for (stats, state) in &ranks {
            assert!(*state == ranks[0].1 && *stats == ranks[0].0);
            assert!((stats.loss / expected.loss - 1.0).abs() < 1e-5, "{} {}", stats.loss, expected.loss);
            let counts = |stats: &Stats| (stats.correct, stats.answers, stats.rows);
            assert_eq!(counts(stats), counts(&expected));
            for ((name, ours), (_, theirs)) in state.iter().zip(&alone) {
                let worst = difference(ours, theirs);
                assert!(worst < 1e-5, "{algorithm:?}: {name} differs by {worst:e}");
            }
        }
    }
}
