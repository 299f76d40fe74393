// Rows of a tensor on the CPU in another order, as one copy: packing and padding. libtorch's operators for that copy and
// allocate once for every time step. Each function is the other's derivative, so there are derivatives of any order.
#include "shim.h"

#include <ATen/ops/embedding_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <torch/csrc/autograd/custom_function.h>

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where row i of the packed side lies on the padded side, and the first dimensions of that side.
struct Places {
  std::vector<int64_t> index, leading;
};

static at::Tensor collect(const at::Tensor &padded, const Places &places) {
  const at::Tensor from = padded.contiguous();
  std::vector<int64_t> sizes{static_cast<int64_t>(places.index.size())};
  for (int64_t d = static_cast<int64_t>(places.leading.size()); d < from.dim(); ++d) sizes.push_back(from.size(d));
  at::Tensor to = at::empty(sizes, from.options().requires_grad(false));
  const size_t bytes = to.nbytes() / places.index.size();
  const char *source = static_cast<const char *>(from.const_data_ptr());
  char *target = static_cast<char *>(to.mutable_data_ptr());
  for (size_t i = 0; i < places.index.size(); ++i) memcpy(target + i * bytes, source + places.index[i] * bytes, bytes);
  return to;
}

static at::Tensor spread(const at::Tensor &packed, const Places &places, double padding) {
  const at::Tensor from = packed.contiguous();
  std::vector<int64_t> sizes = places.leading;
  for (int64_t d = 1; d < from.dim(); ++d) sizes.push_back(from.size(d));
  at::Tensor to = at::full(sizes, padding, from.options().requires_grad(false));
  const size_t bytes = from.nbytes() / places.index.size();
  const char *source = static_cast<const char *>(from.const_data_ptr());
  char *target = static_cast<char *>(to.mutable_data_ptr());
  for (size_t i = 0; i < places.index.size(); ++i) memcpy(target + places.index[i] * bytes, source + i * bytes, bytes);
  return to;
}

static void keep(AutogradContext *context, const Places &places) {
  context->saved_data["index"] = places.index;
  context->saved_data["leading"] = places.leading;
}

static Places kept(AutogradContext *context) {
  return {context->saved_data["index"].toIntVector(), context->saved_data["leading"].toIntVector()};
}

struct Collect : torch::autograd::Function<Collect> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &padded, const Places &places) {
    keep(context, places);
    return collect(padded, places);
  }
  static variable_list backward(AutogradContext *context, const variable_list &grads);
};

struct Spread : torch::autograd::Function<Spread> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &packed, const Places &places, double padding) {
    keep(context, places);
    return spread(packed, places, padding);
  }
  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    return {Collect::apply(grads[0], kept(context)), at::Tensor(), at::Tensor()};
  }
};

variable_list Collect::backward(AutogradContext *context, const variable_list &grads) {
  return {Spread::apply(grads[0], kept(context), 0.0), at::Tensor()};
}

// Rows of an embedding's weight that were read before; only the gradient is left to do.
struct EmbeddingRows : torch::autograd::Function<EmbeddingRows> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &weight, const at::Tensor &values,
                            const at::Tensor &ids, int64_t padding) {
    context->save_for_backward({ids});
    context->saved_data["rows"] = weight.size(0);
    context->saved_data["padding"] = padding;
    return values.view_as(values);
  }
  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const int64_t rows = context->saved_data["rows"].toInt(), padding = context->saved_data["padding"].toInt();
    const at::Tensor ids = context->get_saved_variables()[0];
    return {at::embedding_backward(grads[0], ids, rows, padding, false, true), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

extern "C" {

// `values` as the rows `ids` of `weight`.
char *recurra_embedding_rows(Handle weight, Handle values, Handle ids, int64_t padding, Handle *out) {
  return guarded([&] { *out = new at::Tensor(EmbeddingRows::apply(*weight, *values, *ids, padding)); });
}

// Rows of `self`, whose first dimensions count as one: out[i] = self[index[i]].
char *recurra_collect(Handle self, const int64_t *index, size_t count, const int64_t *leading, size_t rank, Handle *out) {
  return guarded([&] {
    const Places places{{index, index + count}, {leading, leading + rank}};
    *out = new at::Tensor(Collect::apply(*self, places));
  });
}

// The reverse: out[index[i]] = self[i], and `padding` in all other rows.
char *recurra_spread(Handle self, const int64_t *index, size_t count, const int64_t *leading, size_t rank, double padding,
                     Handle *out) {
  return guarded([&] {
    const Places places{{index, index + count}, {leading, leading + rank}};
    *out = new at::Tensor(Spread::apply(*self, places, padding));
  });
}
}
