//! Which gradients travel together.

use crate::Result;
use crate::error::IntoResult;
use tch::{Kind, Tensor};

/// Parameters whose gradients are one message.
pub(super) struct Bucket {
    /// Their positions.
    pub params: Vec<usize>,
    /// Their element type.
    pub kind: Kind,
}

/// Fills buckets in the opposite order of the parameters, which is about the order in which a backward pass reaches them. A bucket is full
/// at `cap` bytes, the first at no more than a megabyte, so that the exchange begins early, as in PyTorch.
pub(super) fn fill(params: &[Tensor], chosen: impl Fn(usize) -> bool, cap: usize) -> Result<Vec<Bucket>> {
    const FIRST: usize = 1 << 20;
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut bytes = 0;
    for at in (0..params.len()).rev().filter(|&at| chosen(at)) {
        let kind = params[at].f_kind().torch()?;
        let limit = if buckets.len() <= 1 { cap.min(FIRST) } else { cap };
        match buckets.last_mut() {
            Some(bucket) if bucket.kind == kind && bytes < limit => bucket.params.push(at),
            _ => {
                buckets.push(Bucket { params: vec![at], kind });
                bytes = 0;
            }
        }
        bytes += params[at].numel() * kind.elt_size_in_bytes();
    }
    Ok(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn buckets_are_filled_from_the_end_and_hold_one_element_type() {
        let zeros = |n: i64, kind| Tensor::zeros([n], (kind, Device::Cpu));
        let params = [
            zeros(300_000, Kind::Float),
            zeros(300_000, Kind::Float),
            zeros(10, Kind::Double),
            zeros(200_000, Kind::Float),
            zeros(200_000, Kind::Float),
            zeros(5, Kind::Float),
        ];
        let buckets = fill(&params, |at| at != 5, 1 << 21).unwrap();
        let places: Vec<&[usize]> = buckets.iter().map(|bucket| bucket.params.as_slice()).collect();
        assert_eq!(places, [&[4, 3][..], &[2], &[1, 0]]);
        assert_eq!(fill(&params[..2], |_| true, 1).unwrap().len(), 2);
    }
}
