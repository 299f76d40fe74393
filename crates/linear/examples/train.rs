//! Trains a linear model on a CSV or JSONL file and prints how good, fast and large it is.
//!
//! ```sh
//! cargo run --release -p recurra-linear --example train -- TRAIN TEST [--rows N] [--costs 5,20,-1] [--bytes N] [--threads N]
//! ```
//!
//! CSV: `text,label` below a line of titles, or AG News' `label,title,text` without one. JSONL: `text` and `intent` or `label`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::time::Instant;

use recurra_linear::{
    Candidate, Counter, FeatureOptions, HeldOut, Labels, LinearModel, Loss, TrainOptions, calibration_error, quality,
};

type Row = (String, String);

/// Fields of a CSV file.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            _ => field.push(character),
        }
    }
    rows
}

fn read(path: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    if path.ends_with(".jsonl") {
        let rows = text.lines().map(|line| {
            let row: serde_json::Value = serde_json::from_str(line)?;
            let label = row.get("intent").or_else(|| row.get("label")).ok_or("no label")?;
            let label = label.as_str().map_or_else(|| label.to_string(), str::to_owned);
            Ok((row["text"].as_str().ok_or("no text")?.to_owned(), label))
        });
        return rows.collect();
    }
    let rows = csv(&text).into_iter().enumerate().filter_map(|(at, row)| match <[String; 3]>::try_from(row) {
        Ok([label, title, text]) => Some((format!("{title} {text}"), label)),
        Err(row) if at > 0 && row.len() == 2 => Some((row[0].clone(), row[1].clone())),
        Err(_) => None,
    });
    Ok(rows.collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (train, test) = (arguments.next().ok_or("no file to train on")?, arguments.next().ok_or("no file to test on")?);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = TrainOptions { threads, ..TrainOptions::default() };
    let mut features = FeatureOptions::default();
    let (mut most, mut candidates, mut json) = (usize::MAX, Vec::new(), false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("a flag without a value")?;
        match name.as_str() {
            "--rows" => most = value.parse()?,
            // Costs of the squared hinge are below 0.
            "--costs" => {
                let costs: Vec<f32> = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                let loss = |cost: f32| if cost < 0.0 { Loss::SquaredHinge } else { Loss::Logistic };
                candidates = costs.iter().map(|&cost| Candidate { loss: loss(cost), cost: cost.abs() }).collect();
            }
            "--bytes" => options.max_bytes = Some(value.parse()?),
            "--threads" => options.threads = value.parse()?,
            "--tolerance" => options.tolerance = value.parse()?,
            "--epochs" => options.max_epochs = value.parse()?,
            "--held-out" if value == "no" => options.held_out = HeldOut::Nothing,
            "--min-rows" => features.min_rows = value.parse()?,
            "--min-word" => features.min_word = value.parse()?,
            "--json" => json = value == "1",
            "--words" => features.words = value.parse()?,
            _ => return Err(format!("unknown flag {name}").into()),
        }
    }
    if !candidates.is_empty() {
        options.candidates = &candidates;
    }
    let (mut train, test) = (read(&train)?, read(&test)?);
    train.truncate(most);
    let mut numbers = BTreeMap::new();
    for (_, label) in &train {
        numbers.insert(label.clone(), 0u32);
    }
    numbers.values_mut().enumerate().for_each(|(number, to)| *to = number as u32);
    let classes = numbers.len();
    let labels: Vec<u32> = train.iter().map(|(_, label)| numbers[label]).collect();
    let expected: Vec<u32> = test.iter().map(|(_, label)| numbers.get(label).copied().unwrap_or(0)).collect();
    let texts: Vec<&str> = train.iter().map(|(text, _)| text.as_str()).collect();
    let tests: Vec<&str> = test.iter().map(|(text, _)| text.as_str()).collect();

    let begun = Instant::now();
    let mut counter = Counter::new(features, options.threads)?;
    for part in texts.chunks(10_000) {
        counter.add(part)?;
    }
    let read_in = begun.elapsed();
    let (featurizer, rows) = counter.finish()?;
    let counted = begun.elapsed();
    let (model, report) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), classes, &options)?;
    let trained = begun.elapsed();
    println!(
        "{} rows, {classes} labels, {} features of {}, {:.0} a row",
        train.len(),
        model.featurizer().len(),
        report.features,
        rows.entries() as f64 / rows.len() as f64
    );
    println!(
        "seconds: {:.2} to read, {:.2} to count, {:.2} to train; {:.2} in all",
        read_in.as_secs_f64(),
        (counted - read_in).as_secs_f64(),
        (trained - counted).as_secs_f64(),
        trained.as_secs_f64()
    );
    for trial in &report.trials {
        println!(
            "{:?} {}: held out accuracy {:.2} %, log loss {:.4} at sharpness {:.2}",
            trial.candidate.loss,
            trial.candidate.cost,
            100.0 * trial.quality.accuracy,
            trial.quality.log_loss,
            trial.sharpness
        );
    }
    println!("{:?}, {} epochs, converged: {}", report.candidate, report.epochs, report.converged);
    let begun = Instant::now();
    let logs = model.predict(&tests, options.threads);
    let bulk = begun.elapsed().as_secs_f64();
    let mut predictor = model.predictor();
    let mut one = vec![0.0; classes];
    // The quickest of all parts: other programs disturb the rest.
    let single = tests.chunks_exact(100).map(|texts| {
        let begun = Instant::now();
        texts.iter().for_each(|text| predictor.predict(text, &mut one));
        begun.elapsed().as_secs_f64() / 100.0
    });
    let single = single.fold(f64::INFINITY, f64::min);
    let again = LinearModel::from_arrays(&model.to_arrays())?.predict(&tests, options.threads);
    if again != logs {
        return Err("the model that was saved predicts something else".into());
    }
    let found = quality(&logs, classes, Labels::One(&expected));
    println!(
        "test: accuracy {:.2} %, log loss {:.4}, calibration error {:.4}",
        100.0 * found.accuracy,
        found.log_loss,
        calibration_error(&logs, classes, &expected, 15)
    );
    println!(
        "{} bytes; microseconds a text: {:.2} alone at best, {:.2} in bulk",
        model.bytes(),
        single * 1e6,
        bulk / test.len() as f64 * 1e6
    );
    if json {
        let given: Vec<u32> = logs.chunks_exact(classes).map(|row| best(row) as u32).collect();
        let line = serde_json::json!({
            "accuracy": 100.0 * found.accuracy,
            "macroF1": 100.0 * macro_f1(&given, &expected, classes),
            "logLoss": found.log_loss,
            "seconds": trained.as_secs_f64(),
            "megabytes": model.bytes() as f64 / 1e6,
        });
        println!("{line}");
    }
    Ok(())
}

fn best(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

/// Mean over labels of the harmonic mean of precision and recall.
fn macro_f1(given: &[u32], expected: &[u32], classes: usize) -> f64 {
    let (mut right, mut named) = (vec![0.0; classes], vec![0.0; classes]);
    for (&given, &expected) in given.iter().zip(expected) {
        named[given as usize] += 1.0;
        named[expected as usize] += 1.0;
        right[given as usize] += if given == expected { 2.0 } else { 0.0 };
    }
    right.iter().zip(&named).map(|(right, named)| if *named > 0.0 { right / named } else { 0.0 }).sum::<f64>()
        / classes as f64
}
