// Structs and numbers that cross between Rust and C++: the twins of src/shim/abi.rs. The build script writes abi_checks.h from that
// file, so a field that differs in name, order, type or place stops the build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

extern "C" {

struct AdamArguments {
  double lr, beta1, beta2, weight_decay, eps;
  int amsgrad, maximize, decoupled;
};

struct SgdArguments {
  double lr, momentum, dampening, weight_decay;
  int nesterov, maximize, first_step;
};

// A number beside a tensor: an integer, or a float.
struct Number {
  double value;
  int integral;
};

// Everything in it was checked before.
struct FusedOptions {
  int32_t cell, states, bidirectional, bias, keep;
  int64_t input, hidden, projection, layers, rows;
  double dropout;
  uint64_t seed;
  const int32_t *batch_sizes;
  size_t steps;
  const int32_t *order;
  int64_t total;
  const void *words;
  const int64_t *ids;
  int64_t distinct, padding;
};

// Both passes return nullptr, or a message from malloc. `saved` is freed by `release`, and only where it is not null.
struct FusedFunctions {
  char *(*forward)(const FusedOptions *, const float *x, const float *h0, const float *c0, const float *const *params,
                   size_t count, float *output, float *hn, float *cn, void **saved);
  char *(*backward)(void *saved, const float *output, const float *hn, const float *cn, float *x, float *h0, float *c0,
                    float *const *params, size_t count, int32_t last);
  void (*release)(void *saved);
  // Whether a test wants this place to throw.
  int (*fault)(int32_t place);
};
}

enum class Operation : int {
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
};

enum class FaultPlace : int { Forward, Backward, Other };

#include "abi_checks.h"
