//! Measures memory bandwidth for reads and writes at each cache level and in main memory, sequentially and for rows in
//! random order.

use recurra_core::random::SplitMix64;
use std::hint::black_box;

use pulp::Simd;
use recurra_kernels::simd::{Buf, Isa};
use serde_json::{Value, json};

use super::simd::{Loop, run};
use super::team;

/// A level of the memory hierarchy: its name, size, and the size of a thread's buffer in it.
pub struct Level {
    pub name: &'static str,
    pub size: usize,
    buffer: usize,
}

/// The levels of this machine: on Linux as the system reports them, elsewhere those of a typical processor. The third
/// level is shared by `threads`.
pub fn levels(threads: usize) -> Vec<Level> {
    let cache = |index: usize, usual: usize| {
        let file = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let unit = if text.contains('M') { 1 << 20 } else { 1 << 10 };
        digits.parse::<usize>().map_or(usual, |size| size * unit)
    };
    let sizes = [cache(0, 32 << 10), cache(2, 1 << 20), cache(3, 16 << 20)];
    let level = |name, size, buffer| Level { name, size, buffer };
    vec![
        level("L1", sizes[0], sizes[0] / 2),
        level("L2", sizes[1], sizes[1] / 2),
        level("L3", sizes[2] / threads, (sizes[2] / threads / 2).max(sizes[1] * 2)),
        level("memory", usize::MAX, (4 * sizes[2]).max(256 << 20)),
    ]
}

/// Sums all values.
struct Read<'a>(&'a [f32]);

impl Loop for Read<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (vectors, _) = S::as_simd_f32s(self.0);
        let mut sums = [s.splat_f32s(0.0); 8];
        for block in vectors.as_chunks::<8>().0 {
            for (sum, &value) in sums.iter_mut().zip(block) {
                *sum = s.add_f32s(*sum, value);
            }
        }
        let all = sums.into_iter().fold(s.splat_f32s(0.0), |x, y| s.add_f32s(x, y));
        black_box(s.reduce_sum_f32s(all));
    }
}

/// Writes all values with ordinary stores, as the kernels do.
struct Write<'a>(&'a mut [f32], f32);

impl Loop for Write<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let value = s.splat_f32s(self.1);
        let (vectors, _) = S::as_mut_simd_f32s(self.0);
        for vector in vectors {
            *vector = value;
        }
    }
}

/// Sums rows of `width` values in random order. As in the kernels, each row is prefetched some rows ahead.
struct Rows<'a> {
    values: &'a [f32],
    width: usize,
    numbers: &'a [u32],
}

/// Number of rows to prefetch ahead.
const AHEAD: usize = 16;

impl Loop for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut sum = s.splat_f32s(0.0);
        for (at, &number) in self.numbers.iter().enumerate() {
            if let Some(&next) = self.numbers.get(at + AHEAD) {
                prefetch(&self.values[next as usize * self.width..][..self.width]);
            }
            let (vectors, _) = S::as_simd_f32s(&self.values[number as usize * self.width..][..self.width]);
            for &value in vectors {
                sum = s.add_f32s(sum, value);
            }
        }
        black_box(s.reduce_sum_f32s(sum));
    }
}

#[inline(always)]
fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(16) {
        // SAFETY: every x86-64 processor has the instruction, and it does not fault for any address.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Row numbers below `rows`.
fn numbers(rows: usize, count: usize, seed: u64) -> Vec<u32> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| (((random.draw() >> 32) * rows as u64) >> 32) as u32).collect()
}

/// Bytes per second of one thread: sequential reads and writes, and reads of rows of 512 and 64 bytes in random order.
fn rates(isa: Isa, level: &Level, thread: usize, seconds: f64) -> [f64; 4] {
    let len = level.buffer / 4 / 128 * 128;
    let mut buffer = Buf::zeros(len);
    // Enough turns for the resolution of the clock.
    let turns = ((1 << 20) / level.buffer).max(1);
    let bytes = (turns * len * 4) as f64;
    let read = team::best(seconds, || {
        (0..turns).for_each(|_| run(isa, Read(black_box(&buffer))));
        bytes
    });
    let write = team::best(seconds, || {
        (0..turns).for_each(|turn| run(isa, Write(black_box(&mut buffer), turn as f32)));
        bytes
    });
    let rows = |width: usize| {
        // As many as there are rows, so that the start of the list is not still in a nearer level at its end.
        let list = numbers(len / width, (len / width).max(512), 977 * thread as u64 + 5);
        let turns = ((1 << 15) / list.len()).max(1);
        team::best(seconds, || {
            (0..turns).for_each(|_| run(isa, Rows { values: black_box(&buffer), width, numbers: &list }));
            (turns * list.len() * width * 4) as f64
        })
    };
    [read, write, rows(128), rows(16)]
}

/// The rates of all levels on several threads at once, each with its own buffer.
pub fn measure(isa: Isa, threads: usize, seconds: f64) -> Vec<Value> {
    let rate = |level: Level| {
        let all = team::on(threads, |thread| rates(isa, &level, thread, seconds));
        let [read, write, rows512, rows64] =
            std::array::from_fn(|kind| all.iter().map(|rates| rates[kind]).sum::<f64>());
        let size = (level.name != "memory").then_some(level.size);
        json!({
            "isa": isa.name(), "threads": threads, "level": level.name, "size": size, "read": read, "write": write,
            "rows512": rows512, "rows64": rows64,
        })
    };
    levels(threads).into_iter().map(rate).collect()
}
