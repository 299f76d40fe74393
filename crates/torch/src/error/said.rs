//! What libtorch says of mistakes that only it can see, in this project's words: what was given, and what to do.
//!
//! Everything that can be checked before libtorch is called is checked there. These are the mistakes that depend on the graph,
//! on how tensors share memory, and on which operators exist for a dtype.

use crate::{Error, ErrorCode};

/// The error for a message that is known; `None` for any other.
pub(super) fn explain(line: &str) -> Option<Error> {
    [graph, in_place, elements, memory].into_iter().find_map(|about| about(line))
}

/// Backward passes.
fn graph(line: &str) -> Option<Error> {
    if line.contains("Trying to backward through the graph a second time") {
        return Some(Error::new(
            ErrorCode::InvalidArgument,
            "backward was called twice through one graph, whose values the first call has freed. For several calls, pass \
             { retainGraph: true } to all but the last, or compute the result again before each; of several losses, call \
             backward once on their sum. A state that goes from one batch to the next needs detach()",
        ));
    }
    let changed = line.split_once("has been modified by an inplace operation: ")?.1;
    let shape = between(changed, " [", "]").unwrap_or_default();
    let result = between(changed, "output 0 of ", "Backward").map_or_else(String::new, |name| {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        format!(", a result of {},", first.into_iter().chain(letters).collect::<String>())
    });
    Some(Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "backward needs a tensor of shape [{shape}]{result} as it was when it was used, but optimizer.step() or a method with an \
             underscore has changed it since. Call backward before the step; write x.add(y) for x.add_(y), or change x.clone()"
        ),
    ))
}

/// Changes in place.
fn in_place(line: &str) -> Option<Error> {
    if line.contains("leaf Variable that requires grad is being used in an in-place operation") {
        let what = if line.contains("a view of a leaf") { "a view of a tensor" } else { "a tensor" };
        return Some(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "The change in place would change {what} that requires gradients; do it inside noGrad(() => ...), or change a clone()"
            ),
        ));
    }
    if line.contains("more than one element of the written-to tensor refers to a single memory location") {
        return Some(Error::new(
            ErrorCode::InvalidArgument,
            "The tensor to change in place shows some elements several times, as expand() makes it; change its clone()",
        ));
    }
    let (from, to) = line.strip_prefix("result type ")?.split_once(" can't be cast to the desired output type ")?;
    Some(Error::new(
        ErrorCode::InvalidDtype,
        format!(
            "The result of the change in place is {}, which a tensor of {} cannot hold; use the method without an underscore, such as \
             x.mul(y) for x.mul_(y), or convert the tensor first with to('{}')",
            dtype(from),
            dtype(to),
            dtype(from)
        ),
    ))
}

/// Element types without an operator.
fn elements(line: &str) -> Option<Error> {
    let of_dtype = |message: String| Some(Error::new(ErrorCode::InvalidDtype, message));
    for (said, what) in [("Subtraction, the `-` operator, with", "sub"), ("Negation, the `-` operator, on", "neg")] {
        if line.contains(said) && line.contains("bool tensor") {
            return of_dtype(format!(
                "{what} does not take bool tensors; logicalNot() inverts a mask, to('int64') converts to 0 and 1"
            ));
        }
    }
    if line.contains("Integers to negative integer powers are not allowed") {
        return of_dtype(
            "pow of a tensor of integers takes no negative exponent; convert the tensor first with to('float32')"
                .to_owned(),
        );
    }
    for said in ["does not support bool input", "Boolean inputs not supported for"] {
        if line.contains(said) {
            let name = line.replace(said, "").replace(['(', ')', ':', ' '], "");
            return of_dtype(format!("{name} does not take bool tensors; convert the tensor first with to('int64')"));
        }
    }
    if let Some(kind) = between(line, "cannot be converted to type ", " without overflow") {
        let kind = dtype(kind);
        return Some(Error::new(
            ErrorCode::OutOfRange,
            format!(
                "A number does not fit into a tensor of {kind}; use another number, or another dtype, such as float64"
            ),
        ));
    }
    let (name, kind) = line.strip_prefix('"')?.split_once("\" not implemented for '")?;
    let given = dtype(kind.trim_end_matches('\''));
    let wanted = if given == "bool" { "int64" } else { "float32" };
    of_dtype(format!(
        "The operation does not take a tensor of {given}; convert the tensor first with to('{wanted}') (libtorch's {name})"
    ))
}

/// Memory that the system refuses to a tensor on the CPU.
fn memory(line: &str) -> Option<Error> {
    if !line.contains("DefaultCPUAllocator") {
        return None;
    }
    let bytes: u64 = between(line, "you tried to allocate ", " bytes")?.parse().ok()?;
    Some(Error::new(
        ErrorCode::OutOfMemory,
        format!(
            "A tensor needs {bytes} bytes, which the system refused; take smaller batches or shorter texts, or give back what is not \
             needed with tidy(() => ...) or dispose()"
        ),
    ))
}

/// What stands between two texts.
fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    line.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// A dtype by the name that users write.
fn dtype(said: &str) -> &str {
    match said {
        "Float" => "float32",
        "Double" => "float64",
        "BFloat16" => "bfloat16",
        "Long" => "int64",
        "Int" => "int32",
        "Bool" => "bool",
        // C++'s names, in the message about a number.
        "int" | "int32_t" => "int32",
        "int64_t" => "int64",
        "float" => "float32",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        explain(line).map_or_else(|| format!("unknown: {line}"), |error| error.to_string())
    }

    #[test]
    fn what_was_changed_in_place_is_named() {
        let line = "one of the variables needed for gradient computation has been modified by an inplace operation: \
                    [CPUFloatType [2, 3]], which is output 0 of ExpBackward0, is at version 1; expected version 0 instead. Hint: ...";
        assert!(said(line).contains("a tensor of shape [2, 3], a result of exp, as it was"), "{}", said(line));
        let leaf = "one of the variables needed for gradient computation has been modified by an inplace operation: \
                    [CPUFloatType []] is at version 1; expected version 0 instead.";
        assert!(said(leaf).contains("a tensor of shape [] as it was"), "{}", said(leaf));
    }

    #[test]
    fn operators_and_dtypes_are_named() {
        assert!(
            said("\"abs_cpu\" not implemented for 'Bool'")
                .contains("a tensor of bool; convert the tensor first with to('int64')")
        );
        assert!(said("argmax(): does not support bool input").starts_with("argmax does not take bool"));
        assert!(said("Boolean inputs not supported for relu").starts_with("relu does not take bool"));
        assert!(
            said("result type Float can't be cast to the desired output type Long")
                .contains("is float32, which a tensor of int64 cannot hold")
        );
    }

    #[test]
    fn other_messages_are_left_alone() {
        assert!(explain("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)").is_none());
        assert!(explain("").is_none());
    }
}
