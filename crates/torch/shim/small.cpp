// Linear and cross entropy of few values as one node each. In libtorch both are several operators forward and backward, most of
// which wake its threads, whatever the size: for a batch of a small classifier that costs many times the arithmetic. Second
// derivatives go through libtorch's own operators.
#include "shim.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_log_softmax_backward_data.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/nll_loss_backward.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/t.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static bool records(std::initializer_list<const at::Tensor *> tensors) {
  return at::GradMode::is_enabled() &&
         std::any_of(tensors.begin(), tensors.end(), [](const at::Tensor *t) { return t->defined() && t->requires_grad(); });
}

static at::Tensor fresh(at::IntArrayRef sizes) { return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)); }

static const float *values(const at::Tensor &tensor) { return tensor.const_data_ptr<float>(); }

// Sums that do not wait for each other, so that they become vectors.
static float dot(const float *a, const float *b, int64_t n) {
  float sums[16] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int j = 0; j < 16; ++j) sums[j] += a[i + j] * b[i + j];
  }
  float rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) sums[j] += sums[j + width];
  }
  return sums[0] + rest;
}

static void add_scaled(float *to, const float *from, float scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += scale * from[i];
}

static at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) {
  const int64_t rows = x.size(0), inputs = x.size(1), outputs = weight.size(0);
  at::Tensor result = fresh({rows, outputs});
  float *to = result.mutable_data_ptr<float>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t j = 0; j < outputs; ++j) {
      const float product = dot(values(x) + row * inputs, values(weight) + j * inputs, inputs);
      *to++ = bias.defined() ? product + values(bias)[j] : product;
    }
  }
  return result;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias) {
    // The bias is not needed. As in libtorch, neither is what only an unwanted gradient would need.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), x.requires_grad() ? weight : at::Tensor()});
    context->saved_data["inputs"] = weight.size(1);
    context->saved_data["bias"] = bias.has_value();
    return linear(x, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    at::Tensor dx, dweight, dbias;
    const bool wants_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (at::GradMode::is_enabled()) {
      const at::Tensor &g = grads[0];
      if (context->needs_input_grad(0)) dx = g.mm(weight);
      if (context->needs_input_grad(1)) dweight = g.t().mm(x);
      if (wants_bias) dbias = g.sum(0);
      return {dx, dweight, dbias};
    }
    const at::Tensor g = grads[0].contiguous();
    const int64_t rows = g.size(0), outputs = g.size(1), inputs = context->saved_data["inputs"].toInt();
    const auto zeroed = [](at::IntArrayRef sizes) {
      at::Tensor result = fresh(sizes);
      memset(result.mutable_data_ptr(), 0, result.nbytes());
      return result;
    };
    if (context->needs_input_grad(0)) dx = zeroed({rows, inputs});
    if (context->needs_input_grad(1)) dweight = zeroed({outputs, inputs});
    if (wants_bias) dbias = zeroed({outputs});
    for (int64_t row = 0; row < rows; ++row) {
      const float *from = values(g) + row * outputs;
      for (int64_t j = 0; j < outputs; ++j) {
        if (dx.defined()) add_scaled(dx.mutable_data_ptr<float>() + row * inputs, values(weight) + j * inputs, from[j], inputs);
        if (dweight.defined()) {
          add_scaled(dweight.mutable_data_ptr<float>() + j * inputs, values(x) + row * inputs, from[j], inputs);
        }
      }
      if (dbias.defined()) add_scaled(dbias.mutable_data_ptr<float>(), from, 1.0F, outputs);
    }
    return {dx, dweight, dbias};
  }
};

// The loss, and the logarithms of the softmax.
static std::pair<at::Tensor, at::Tensor> cross_entropy(const at::Tensor &logits, const at::Tensor &target, bool mean,
                                                       int64_t ignored) {
  const int64_t rows = logits.size(0), classes = logits.size(1);
  at::Tensor logs = fresh({rows, classes}), loss = fresh({});
  const int64_t *labels = target.const_data_ptr<int64_t>();
  double total = 0;
  int64_t counted = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float *from = values(logits) + row * classes;
    float *to = logs.mutable_data_ptr<float>() + row * classes;
    float most = from[0], sum = 0;
    // A NaN must not be passed over.
    for (int64_t j = 1; j < classes; ++j) most = from[j] > most || std::isnan(from[j]) ? from[j] : most;
    for (int64_t j = 0; j < classes; ++j) sum += std::exp(from[j] - most);
    // First the difference from the largest: a large logit would swallow the logarithm.
    const float log_sum = std::log(sum);
    for (int64_t j = 0; j < classes; ++j) to[j] = (from[j] - most) - log_sum;
    if (labels[row] == ignored) continue;
    ++counted;
    total -= to[labels[row]];
  }
  *loss.mutable_data_ptr<float>() = static_cast<float>(mean ? total / static_cast<double>(counted) : total);
  return {loss, logs};
}

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static variable_list forward(AutogradContext *context, const at::Tensor &logits, const at::Tensor &target, bool mean,
                               int64_t ignored) {
    auto [loss, logs] = cross_entropy(logits, target, mean, ignored);
    context->save_for_backward({logs, target});
    context->set_materialize_grads(false);
    context->saved_data["mean"] = mean;
    context->saved_data["ignored"] = ignored;
    return {loss, logs};
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &logs = saved[0], &target = saved[1];
    const bool mean = context->saved_data["mean"].toBool();
    const int64_t ignored = context->saved_data["ignored"].toInt(), rows = logs.size(0), classes = logs.size(1);
    const int64_t *labels = target.const_data_ptr<int64_t>();
    const int64_t counted = rows - std::count(labels, labels + rows, ignored);
    if (at::GradMode::is_enabled() || grads[1].defined()) {
      at::Tensor dlogs = grads[1];
      if (grads[0].defined()) {
        const at::Tensor weight = at::scalar_tensor(static_cast<double>(counted), logs.options().requires_grad(false));
        const at::Tensor through =
            at::nll_loss_backward(grads[0], logs, target, std::nullopt, mean ? at::Reduction::Mean : at::Reduction::Sum, ignored, weight);
        dlogs = dlogs.defined() ? dlogs.add(through) : through;
      }
      return {at::_log_softmax_backward_data(dlogs, logs, 1, at::kFloat), at::Tensor(), at::Tensor(), at::Tensor()};
    }
    at::Tensor dlogits = fresh({rows, classes});
    const float scale = *values(grads[0]) / (mean ? static_cast<float>(counted) : 1.0F);
    for (int64_t row = 0; row < rows; ++row) {
      const float *from = values(logs) + row * classes;
      float *to = dlogits.mutable_data_ptr<float>() + row * classes;
      if (labels[row] == ignored) {
        memset(to, 0, static_cast<size_t>(classes) * sizeof(float));
        continue;
      }
      for (int64_t j = 0; j < classes; ++j) to[j] = scale * (std::exp(from[j]) - (j == labels[row] ? 1.0F : 0.0F));
    }
    return {dlogits, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

extern "C" {

// x W^T + b of contiguous float32 matrices on the CPU; `bias` may be null.
char *recurra_small_linear(Handle x, Handle weight, Handle bias, Handle *out) {
  return guarded([&] {
    const at::Tensor b = bias ? *bias : at::Tensor();
    const auto maybe = bias ? std::optional<at::Tensor>(b) : std::nullopt;
    *out = new at::Tensor(records({x, weight, &b}) ? Linear::apply(*x, *weight, maybe) : linear(*x, *weight, b));
  });
}

// Cross entropy of contiguous float32 logits on the CPU and int64 targets that are classes or `ignored`.
char *recurra_small_cross_entropy(Handle logits, Handle target, int mean, int64_t ignored, Handle *out) {
  return guarded([&] {
    *out = new at::Tensor(records({logits}) ? CrossEntropy::apply(*logits, *target, mean != 0, ignored)[0]
                                            : cross_entropy(*logits, *target, mean != 0, ignored).first);
  });
}
}
