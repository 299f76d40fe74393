//! Structs and numbers that cross between Rust and C++. `shim/abi.h` has their counterparts, and the build compares the
//! two.
//!
//! The build script reads this very file, so it must not name anything else of this crate.

use std::ffi::{c_char, c_int, c_void};

/// One struct, for the build script's assertions.
#[allow(dead_code, reason = "the build script reads it")]
pub struct Layout {
    pub name: &'static str,
    pub size: usize,
    pub fields: &'static [Field],
}

/// One field of it: its name, Rust type and offset.
#[allow(dead_code, reason = "the build script reads it")]
pub struct Field {
    pub name: &'static str,
    pub kind: &'static str,
    pub offset: usize,
}

/// Defines structs with C's layout, and lists those layouts.
macro_rules! mirrored {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy)]
            #[repr(C)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $kind,)*
            }
        )*

        #[allow(dead_code, reason = "the build script reads it")]
        pub const LAYOUTS: &[Layout] = &[$(Layout {
            name: stringify!($name),
            size: size_of::<$name>(),
            fields: &[$(Field {
                name: stringify!($field),
                kind: stringify!($kind),
                offset: std::mem::offset_of!($name, $field),
            }),*],
        }),*];
    };
}

/// Runs a recurrent network forward; see `recurrent/fused/callbacks.rs`. Null, or a message from `malloc`.
pub type Forward = unsafe extern "C" fn(
    *const FusedOptions,
    *const f32,
    *const f32,
    *const f32,
    *const *const f32,
    usize,
    *mut f32,
    *mut f32,
    *mut f32,
    *mut *mut c_void,
) -> *mut c_char;

/// Runs it backward, with what the forward pass saved; the last number says whether no other backward pass can follow.
pub type Backward = unsafe extern "C" fn(
    *mut c_void,
    *const f32,
    *const f32,
    *const f32,
    *mut f32,
    *mut f32,
    *mut f32,
    *const *mut f32,
    usize,
    i32,
) -> *mut c_char;

/// Frees what the forward pass saved.
pub type Release = unsafe extern "C" fn(*mut c_void);

/// Whether a test wants the shim to throw at a place; see `recurra_core::fault`.
pub type Fault = unsafe extern "C" fn(i32) -> i32;

mirrored! {
    /// Options of one step of Adam.
    AdamArguments {
        lr: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        amsgrad: c_int,
        maximize: c_int,
        decoupled: c_int,
    }

    /// Options of one step of SGD.
    SgdArguments {
        lr: f64,
        momentum: f64,
        dampening: f64,
        weight_decay: f64,
        nesterov: c_int,
        maximize: c_int,
        first_step: c_int,
    }

    /// A number combined with a tensor.
    Number {
        value: f64,
        integral: c_int,
    }

    /// One call of the fused recurrent network.
    FusedOptions {
        /// The cell; the shim hands it through.
        cell: i32,
        /// Tensors of a state: 1 for h, 2 for h and c.
        states: i32,
        bidirectional: i32,
        bias: i32,
        /// Whether a backward pass may follow; the shim sets it.
        keep: i32,
        input: i64,
        hidden: i64,
        /// Size of the projection, 0 for none.
        projection: i64,
        layers: i64,
        rows: i64,
        dropout: f64,
        seed: u64,
        /// Rows per step, `steps` numbers.
        batch_sizes: *const i32,
        steps: usize,
        /// Rows of the states in the packed order, or null.
        order: *const i32,
        /// Packed rows.
        total: i64,
        /// `recurrent::fused::callbacks::Words` where the first tensor is an embedding's weight instead of rows, or null.
        words: *const c_void,
        /// Rows of that weight that are looked up, each once.
        ids: *const i64,
        distinct: i64,
        /// Which of them gets no gradient; -1 for none.
        padding: i64,
    }

    /// The kernels' functions, as the shim calls them.
    FusedFunctions {
        forward: Forward,
        backward: Backward,
        release: Release,
        fault: Fault,
    }
}

/// Defines an enum whose numbers cross, and lists them.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $list:ident { $($variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        pub enum $name {
            $($variant,)*
        }

        #[allow(dead_code, reason = "the build script reads it")]
        pub const $list: &[(&str, c_int)] = &[$((stringify!($variant), $name::$variant as c_int)),*];
    };
}

numbered! {
    /// What an operation of a tensor and a number does.
    Operation, OPERATIONS {
        Add,
        Sub,
        Mul,
        Div,
        Pow,
        ReverseSub,
        ReverseDiv,
        Eq,
        Ne,
        Lt,
        Le,
        Gt,
        Ge,
        Fill,
        MulInPlace,
        DivInPlace,
    }
}

numbered! {
    /// Where a test may have the shim throw.
    FaultPlace, FAULT_PLACES {
        Forward,
        Backward,
        Other,
    }
}
