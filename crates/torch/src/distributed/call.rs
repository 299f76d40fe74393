//! One call of a collective: what it is, as a number that all ranks must agree on and as words.

use crate::Result;
use crate::error::argument;
use crate::shim::c10d::Collective;

/// How the values of all ranks become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReduceOp {
    /// Their sum.
    Sum,
    /// Their sum divided by the number of ranks; of floating point values.
    Avg,
    /// Their product.
    Product,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl ReduceOp {
    /// Reads PyTorch's name in small letters.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "sum" => Ok(Self::Sum),
            "avg" => Ok(Self::Avg),
            "product" => Ok(Self::Product),
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            other => {
                let message = format!("op must be 'sum', 'avg', 'product', 'min' or 'max' but is '{other}'");
                Err(argument(message).about("op"))
            }
        }
    }

    /// c10d's number; Gloo has no average, so its sum is divided.
    pub(super) fn number(self) -> i32 {
        match self {
            Self::Sum | Self::Avg => 0,
            Self::Product => 2,
            Self::Min => 3,
            Self::Max => 4,
        }
    }
}

/// What a call is.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub collective: Collective,
    pub reduce: ReduceOp,
    pub root: u32,
    /// Element type and shape.
    pub what: String,
}

impl Call {
    /// As words: `call 3, allReduce (sum) of float32 [2, 3]`.
    pub fn describe(&self, number: u64) -> String {
        let Self { collective, reduce, root, what } = self;
        let words = match collective {
            Collective::AllReduce => format!("allReduce ({}) of {what}", format!("{reduce:?}").to_lowercase()),
            Collective::Broadcast => format!("broadcast from rank {root} of {what}"),
            Collective::AllGather => format!("allGather of {what}"),
            Collective::ReduceScatter => format!("reduceScatter ({}) of {what}", format!("{reduce:?}").to_lowercase()),
            Collective::Barrier => String::from("barrier"),
        };
        format!("call {number}, {words}")
    }

    /// The number by which Gloo matches calls: the low half counts, so that two calls under way differ; the high half is a hash of
    /// what the call is, so that different calls of two ranks never meet.
    pub fn tag(&self, number: u64) -> u32 {
        // FNV-1a.
        let hash = self
            .describe(number)
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let half = (hash >> 16) ^ (hash & 0xffff);
        (half << 16) | (number & 0xffff) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_words_and_numbers_of_their_own() {
        let call =
            |what: &str| Call { collective: Collective::AllReduce, reduce: ReduceOp::Avg, root: 0, what: what.into() };
        let (a, b) = (call("float32 [2]"), call("float32 [3]"));
        assert_eq!(a.describe(3), "call 3, allReduce (avg) of float32 [2]");
        assert_ne!(a.tag(3), b.tag(3));
        assert_ne!(a.tag(3), a.tag(4));
        assert_eq!(a.tag(70000) & 0xffff, 70000 & 0xffff);
        assert!(ReduceOp::parse("mean").is_err_and(|error| error.option() == Some("op")));
    }
}
