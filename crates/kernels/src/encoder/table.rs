//! Projections of all words, kept for inference.

use super::made::MadeOnce;
use super::words::WordRows;
use crate::recurrent::packs::DirPacks;
use crate::recurrent::shape::Shape;
use crate::recurrent::stack::Net;
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use crate::threads::{Member, Pool};
use recurra_core::layout::PackedLayout;

/// Number of words projected together.
const TOGETHER: usize = 256;

/// Input projection of every word for each direction, once computed.
#[derive(Default)]
pub(crate) struct WordTable {
    pub table: MadeOnce<Vec<Buf>>,
}

impl WordTable {
    /// The table, if it exists. Another thread may add it at any time.
    pub fn get(&self) -> Option<&[Buf]> {
        self.table.get().map(Vec::as_slice)
    }

    /// Whether the projections of all words are small enough to keep.
    pub fn fits(shape: &Shape, words: WordRows<'_>) -> bool {
        words.rows * shape.gp * shape.dirs * 4 <= words.most_bytes()
    }

    /// Computes the table if `tokens` predicted tokens make it worthwhile and it is small enough, unless another thread
    /// is already doing so.
    pub fn make(&self, shape: &Shape, packs: &[DirPacks], words: WordRows<'_>, pool: &Pool, tokens: usize) {
        if tokens < words.rows || !Self::fits(shape, words) || self.table.get().is_some() {
            return;
        }
        self.table.make(|| project(shape, packs, words, words.rows, |row| row, pool));
    }
}

/// Projects `count` words, selected by `word`, for each direction.
pub(super) fn project(
    shape: &Shape,
    packs: &[DirPacks],
    words: WordRows<'_>,
    count: usize,
    word: impl Fn(usize) -> usize + Sync,
    pool: &Pool,
) -> Vec<Buf> {
    let mut table: Vec<Buf> = (0..shape.dirs).map(|_| Buf::zeros(count * shape.gp)).collect();
    let to: Vec<Mat> = table.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
    let width = shape.input(0).private();
    let layout = PackedLayout::default();
    let net = Net { shape, packs, layout: &layout, slices: &[], aside: None };
    pool.run(|member| {
        let mut x = Buf::zeros(TOGETHER * width);
        let share = member.share(count, TOGETHER);
        for start in share.clone().step_by(TOGETHER) {
            let n = TOGETHER.min(share.end - start);
            for row in 0..n {
                words.row_into(word(start + row), &mut x[row * width..][..words.dims]);
            }
            // SAFETY: the rows are this member's and inside the table.
            unsafe {
                let to: Vec<Mat> = to.iter().map(|mat| mat.at(start, 0)).collect();
                net.project(&Member::alone(), 0, Mat::of(&x, width), n, &to);
            }
        }
    });
    table
}
