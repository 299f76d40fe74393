//! Learns vectors of a file of lines: `learn FILE OUT [NAME=VALUE ...]`.
use std::io::Write;
use std::time::Instant;
use recurra_text::{Reading, Room, Tokenizer, Truncation};
use recurra_vectors::{Corpus, Kind, Options, Trainer};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut options = Options::default();
    for arg in &args[3..] {
        let (name, value) = arg.split_once('=').unwrap();
        match name {
            "cbow" => options.kind = Kind::Cbow,
            "dim" => options.dim = value.parse().unwrap(),
            "minn" => options.subwords.0 = value.parse().unwrap(),
            "maxn" => options.subwords.1 = value.parse().unwrap(),
            "threads" => options.threads = value.parse().unwrap(),
            "seed" => options.seed = value.parse().unwrap(),
            "epochs" => options.epochs = value.parse().unwrap(),
            "rate" => options.rate = value.parse().unwrap(),
            _ => panic!("{name}"),
        }
    }
    let start = Instant::now();
    let reading = Reading { tokenizer: Tokenizer::BasicEnglish, ngrams: 1, max_length: usize::MAX, truncation: Truncation::Head, masks_padding: false };
    let mut corpus = Corpus::default();
    let mut room = Room::default();
    for line in std::fs::read_to_string(&args[1]).unwrap().lines() {
        let units: Vec<u16> = line.encode_utf16().collect();
        corpus.read(&reading, &units, &mut room).unwrap();
    }
    let read = start.elapsed();
    let mut trainer = Trainer::new(corpus, &options).unwrap();
    while !trainer.done() {
        trainer.step().unwrap();
    }
    let end = start.elapsed();
    let mut all = trainer.progress();
    let learned = trainer.finish().unwrap();
    let sum: f64 = learned.matrix().iter().map(|&v| f64::from(v.abs())).sum();
    all.words /= 1;
    println!("read {read:?} all {end:?} {all:?} {} words/s sum {sum}", all.words as f64 / (end - read).as_secs_f64());
    let mut out = std::io::BufWriter::new(std::fs::File::create(&args[2]).unwrap());
    writeln!(out, "{} {}", learned.words().len(), learned.dim()).unwrap();
    for (i, row) in learned.matrix().chunks(learned.dim()).enumerate() {
        out.write_all(learned.words().token(i as u32)).unwrap();
        for v in row { write!(out, " {v}").unwrap(); }
        writeln!(out).unwrap();
    }
}
