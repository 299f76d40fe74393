// The fused recurrent kernels as one node of libtorch's graph. The kernels are Rust: they register their functions
// here, so that neither side needs the other's symbols when the libraries are linked.
#include "abi.h"
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_sparse_coo_tensor_unsafe.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/csrc/autograd/graph_task.h>

#include <array>
#include <mutex>
#include <stdexcept>

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static FusedFunctions functions;

static void raise(char *message) {
  if (!message) return;
  std::string text(message);
  free(message);
  throw std::runtime_error(text);
}

static const float *values(const at::Tensor &tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

// Exceptions on purpose, for tests: of libtorch's kind, of the standard library's, and of no kind at all.
static void fault_point(FaultPlace place) {
  if (!functions.fault(static_cast<int32_t>(place))) return;
  if (place == FaultPlace::Forward) TORCH_CHECK(false, "fault on purpose in the forward pass");
  if (place == FaultPlace::Backward) throw std::runtime_error("fault on purpose in the backward pass");
  throw place;
}

// The first tensor is the input, or, with `words`, the weight of the embedding that they are rows of; then come the
// initial states, then the parameters.
struct Results {
  at::Tensor output, hn, cn, saved;
};

// Tensors of the initial state that are given.
static size_t given_states(const FusedOptions &o, bool has_states) {
  return has_states ? static_cast<size_t>(o.states) : 0;
}

static Results compute(const FusedOptions &o, at::TensorList given, bool has_states) {
  std::vector<at::Tensor> dense;
  dense.reserve(given.size());
  for (const at::Tensor &tensor : given) dense.push_back(tensor.contiguous());
  const bool two = o.states > 1;
  const size_t states = given_states(o, has_states);
  std::vector<const float *> params;
  for (size_t i = 1 + states; i < dense.size(); ++i) params.push_back(values(dense[i]));

  const int64_t directions = o.bidirectional ? 2 : 1, state = o.projection > 0 ? o.projection : o.hidden;
  const auto options = given[0].options().requires_grad(false);
  Results r;
  r.output = at::empty({o.total, directions * state}, options);
  r.hn = at::empty({o.layers * directions, o.rows, state}, options);
  if (two) r.cn = at::empty({o.layers * directions, o.rows, o.hidden}, options);
  void *saved = nullptr;
  fault_point(FaultPlace::Forward);
  raise(functions.forward(&o, values(dense[0]), states > 0 ? values(dense[1]) : nullptr,
                          states > 1 ? values(dense[2]) : nullptr, params.data(), params.size(),
                          r.output.mutable_data_ptr<float>(), r.hn.mutable_data_ptr<float>(),
                          two ? r.cn.mutable_data_ptr<float>() : nullptr, &saved));
  if (saved) {
    // What the backward pass needs travels as a tensor: the graph then releases it exactly when it releases what any other operator
    // saved, and reports a second backward pass. Its element is never read.
    r.saved = at::from_blob(saved, {1}, [](void *p) { functions.release(p); }, at::TensorOptions().dtype(at::kByte));
  }
  return r;
}

struct FusedRnn : torch::autograd::Function<FusedRnn> {
  static variable_list forward(AutogradContext *context, at::TensorList given, const FusedOptions &o, bool has_states) {
    Results r = compute(o, given, has_states);
    // The weights are saved so that a change of them before the backward pass is noticed, as by libtorch's own layers.
    variable_list saved{r.saved};
    const size_t first = 1 + given_states(o, has_states);
    for (size_t i = first; i < given.size(); ++i) saved.push_back(given[i]);
    context->save_for_backward(std::move(saved));
    context->set_materialize_grads(false);
    std::vector<int64_t> shapes;
    for (const at::Tensor &tensor : given) {
      shapes.push_back(tensor.dim());
      for (int64_t size : tensor.sizes()) shapes.push_back(size);
    }
    context->saved_data["shapes"] = std::move(shapes);
    context->saved_data["first"] = static_cast<int64_t>(first);
    if (o.words) {
      at::Tensor ids = at::empty({1, o.distinct}, at::TensorOptions().dtype(at::kLong));
      memcpy(ids.mutable_data_ptr<int64_t>(), o.ids, static_cast<size_t>(o.distinct) * sizeof(int64_t));
      context->saved_data["ids"] = std::move(ids);
      context->saved_data["padding"] = o.padding;
    }
    if (!r.cn.defined()) return {r.output, r.hn};
    return {r.output, r.hn, r.cn};
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const auto saved = context->get_saved_variables();
    const auto first = static_cast<size_t>(context->saved_data["first"].toInt());
    const auto shapes = context->saved_data["shapes"].toIntVector();
    std::vector<at::Tensor> dense;
    for (const at::Tensor &grad : grads) dense.push_back(grad.defined() ? grad.contiguous() : grad);

    const bool words = context->saved_data.count("ids") > 0;
    variable_list results;
    const auto options = at::TensorOptions().dtype(at::kFloat);
    std::vector<int64_t> weight;
    for (size_t at = 0, i = 0; at < shapes.size(); at += shapes[at] + 1, ++i) {
      std::vector<int64_t> shape(shapes.begin() + at + 1, shapes.begin() + at + 1 + shapes[at]);
      if (words && i == 0) {
        weight = shape;
        shape[0] = context->saved_data["ids"].toTensor().size(1);
      }
      results.push_back(context->needs_input_grad(i) ? at::empty(shape, options) : at::Tensor());
    }
    const auto place = [&](size_t i) { return results[i].defined() ? results[i].mutable_data_ptr<float>() : nullptr; };
    std::vector<float *> params;
    for (size_t i = first; i < results.size(); ++i) params.push_back(place(i));
    fault_point(FaultPlace::Backward);
    fault_point(FaultPlace::Other);
    raise(functions.backward(saved[0].data_ptr(), values(dense[0]), values(dense[1]),
                             dense.size() > 2 ? values(dense[2]) : nullptr, place(0), first > 1 ? place(1) : nullptr,
                             first > 2 ? place(2) : nullptr, params.data(), params.size(),
                             torch::autograd::get_current_graph_task_keep_graph() ? 0 : 1));
    if (words && results[0].defined()) {
      // As the gradient of an embedding, it names its rows.
      const int64_t padding = context->saved_data["padding"].toInt(), width = weight[1];
      if (padding >= 0) memset(results[0].mutable_data_ptr<float>() + padding * width, 0, width * sizeof(float));
      results[0] = at::_sparse_coo_tensor_unsafe(context->saved_data["ids"].toTensor(), results[0], weight, options, false);
    }
    if (at::GradMode::is_enabled()) {
      // The gradients were asked for with a graph of their own; the kernels have none.
      auto once = std::make_shared<torch::autograd::DelayedError>(
          "RECURRA:INVALID_ARGUMENT:second derivatives of a recurrent layer in float32 on the CPU are not available; use "
          "float64, whose layers have them",
          static_cast<int64_t>(results.size()));
      variable_list defined;
      for (auto &result : results) {
        if (result.defined()) defined.push_back(result.requires_grad_(true));
      }
      auto marked = (*once)(variable_list(defined));
      for (size_t i = 0, next = 0; i < results.size(); ++i) {
        if (results[i].defined()) results[i] = marked[next++];
      }
    }
    results.emplace_back();  // the options
    results.emplace_back();  // whether there are states
    return results;
  }
};

extern "C" {

void recurra_fused_register(const FusedFunctions *f) { functions = *f; }

// A number from libtorch's generator of the CPU, which manual_seed seeds.
char *recurra_draw_seed(uint64_t *seed) {
  return guarded([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    auto *impl = at::check_generator<at::CPUGeneratorImpl>(generator);
    std::lock_guard<std::mutex> lock(impl->mutex_);
    *seed = impl->random64();
  });
}

// One recurrent network over packed rows; `count` tensors: the input, the initial states if any, the parameters.
// `out` takes the output, h and, for cells that have one, c.
char *recurra_fused_rnn(const FusedOptions *options, const Handle *tensors, size_t count, int has_states, Handle *out) {
  return guarded([&] {
    auto given = gather(tensors, count);
    FusedOptions o = *options;
    bool records = false;
    if (at::GradMode::is_enabled()) {
      for (const auto &tensor : given) records = records || tensor.requires_grad();
    }
    o.keep = records ? 1 : 0;
    variable_list results;
    if (records) {
      results = FusedRnn::apply(at::TensorList(given), o, has_states != 0);
    } else {
      Results r = compute(o, given, has_states != 0);
      results = {r.output, r.hn};
      if (r.cn.defined()) results.push_back(r.cn);
    }
    std::array<std::unique_ptr<at::Tensor>, 3> made;
    for (size_t i = 0; i < results.size(); ++i) made[i] = std::make_unique<at::Tensor>(results[i]);
    for (size_t i = 0; i < results.size(); ++i) out[i] = made[i].release();
  });
}
}
