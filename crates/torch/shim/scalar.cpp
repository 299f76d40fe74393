// Operations with a number. tch has them too, but there an exception of libtorch becomes a panic: the temporary scalar's
// destructor finds the pending error first.
#include "abi.h"
#include "shim.h"

#include <ATen/ScalarOps.h>
#include <ATen/ops/_pad_packed_sequence.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/masked_fill.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rsub.h>

#include <stdexcept>

extern "C" {

static at::Scalar scalar(const Number *n) {
  return n->integral ? at::Scalar(static_cast<int64_t>(n->value)) : at::Scalar(n->value);
}

// A number as Python passes it to arithmetic: C++'s own overloads for numbers round some results otherwise (mul_ of bfloat16).
static at::Tensor wrapped(const Number *n) { return at::native::wrapped_scalar_tensor(scalar(n)); }

char *recurra_with_number(int operation, Handle self, const Number *number, Handle *out) {
  return guarded([&] {
    const at::Tensor &x = *self;
    const at::Scalar s = scalar(number);
    const auto apply = [&]() -> at::Tensor {
      switch (static_cast<Operation>(operation)) {
        case Operation::Add: return x.add(wrapped(number));
        case Operation::Sub: return x.sub(wrapped(number));
        case Operation::Mul: return x.mul(wrapped(number));
        case Operation::Div: return x.div(wrapped(number));
        case Operation::Pow: return x.pow(s);
        case Operation::ReverseSub: return at::rsub(x, s);
        case Operation::ReverseDiv: return x.reciprocal().mul(s);
        case Operation::Eq: return x.eq(s);
        case Operation::Ne: return x.ne(s);
        case Operation::Lt: return x.lt(s);
        case Operation::Le: return x.le(s);
        case Operation::Gt: return x.gt(s);
        case Operation::Ge: return x.ge(s);
        case Operation::Fill: return x.fill_(s);
        case Operation::MulInPlace: return x.mul_(wrapped(number));
        case Operation::DivInPlace: return x.div_(wrapped(number));
        default: throw std::invalid_argument("unknown operation with a number");
      }
    };
    *out = new at::Tensor(apply());
  });
}

// self += alpha * other, or self -= alpha * other.
char *recurra_add_number_(Handle self, const Number *other, const Number *alpha, int subtract) {
  return guarded([&] {
    if (subtract) {
      self->sub_(wrapped(other), scalar(alpha));
    } else {
      self->add_(wrapped(other), scalar(alpha));
    }
  });
}

// Either bound may be null.
char *recurra_clamp(Handle self, const Number *min, const Number *max, Handle *out) {
  return guarded([&] {
    std::optional<at::Scalar> low, high;
    if (min) low = scalar(min);
    if (max) high = scalar(max);
    *out = new at::Tensor(self->clamp(low, high));
  });
}

char *recurra_clamp_(Handle self, const Number *min, const Number *max) {
  return guarded([&] {
    std::optional<at::Scalar> low, high;
    if (min) low = scalar(min);
    if (max) high = scalar(max);
    self->clamp_(low, high);
  });
}

char *recurra_masked_fill_(Handle self, Handle mask, const Number *value) {
  return guarded([&] { self->masked_fill_(*mask, scalar(value)); });
}

char *recurra_masked_fill(Handle self, Handle mask, const Number *value, Handle *out) {
  return guarded([&] { *out = new at::Tensor(self->masked_fill(*mask, scalar(value))); });
}

// `like` says dtype and device.
char *recurra_full(const int64_t *dims, size_t rank, const Number *value, Handle like, Handle *out) {
  return guarded([&] { *out = new at::Tensor(at::full(at::IntArrayRef(dims, rank), scalar(value), like->options())); });
}

char *recurra_arange(const Number *start, const Number *end, const Number *step, Handle like, Handle *out) {
  return guarded([&] { *out = new at::Tensor(at::arange(scalar(start), scalar(end), scalar(step), like->options())); });
}

char *recurra_pad_packed(Handle data, Handle batch_sizes, int batch_first, const Number *padding, int64_t total_length,
                         Handle *output, Handle *lengths) {
  return guarded([&] {
    auto padded = at::_pad_packed_sequence(*data, *batch_sizes, batch_first != 0, scalar(padding), total_length);
    auto first = std::make_unique<at::Tensor>(std::get<0>(padded));
    *lengths = new at::Tensor(std::get<1>(padded));
    *output = first.release();
  });
}
}
