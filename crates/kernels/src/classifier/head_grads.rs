//! Who computes and moves which weights, and the gradients of those behind the recurrent layers.

use std::ops::Range;

use super::attention::AttentionSegments;
use super::step::Step;
use crate::recurrent::segments::Segment;
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::simd::outer::{ColumnSums, Outer};
use crate::threads::Member;

impl Step<'_> {
    /// The parameters whose gradients this member computes, so that it can move them without a meeting: the shares of
    /// [`Net::weight_grads`] and [`Step::head_grads`].
    pub(super) fn own_parameters(&self, member: &Member<'_>) -> Vec<Range<usize>> {
        let attention = self.model.attention.iter().flat_map(AttentionSegments::all);
        let head = attention.chain([&self.model.fc_weight, &self.model.fc_bias]).map(|segment| (segment, 16));
        let rnn =
            self.model.shape.segments.iter().map(|segment| (segment, if segment.shape.len() > 1 { 8 } else { 16 }));
        let range = |(segment, unit): (&Segment, usize)| {
            let wide = if segment.shape.len() > 1 { segment.stride() } else { 1 };
            let share = member.share(segment.size() / wide, unit);
            segment.offset + share.start * wide..segment.offset + share.end * wide
        };
        rnn.chain(head).map(range).collect()
    }

    /// Gradients of the linear layer and of the attention.
    pub(super) unsafe fn head_grads(&self, member: &Member<'_>, rows: usize, total: usize) {
        let (head, weight, bias) = (&self.mats.head, &self.model.fc_weight, &self.model.fc_bias);
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = Mat { ptr: self.mats.flat_grads.add(weight.offset), stride: weight.stride() };
            let (a, b, i) = (head.logits, head.features, member.share(weight.rows.private(), 16));
            dispatch(ColumnSums { a, n: rows, columns: i.clone(), sums: self.mats.flat_grads.add(bias.offset) });
            dispatch(Outer { a, b, n: rows, i, columns: weight.stride(), c, fresh: true });
            if let Some(attention) = &self.model.attention {
                attention.weight_grads(member, &head.attention, head.y, total, self.mats.flat_grads);
            }
        }
    }
}
