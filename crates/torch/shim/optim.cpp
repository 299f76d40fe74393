// libtorch's fused optimizers, which tch does not export.
#include "shim.h"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>

extern "C" {

struct AdamArguments {
  double lr, beta1, beta2, weight_decay, eps;
  int amsgrad, maximize, decoupled;
};

// One step of Adam or (decoupled) AdamW over `count` tensors of one dtype on one device. `max_squares` is read only
// with amsgrad. `steps` are one-element float32 tensors that already count this step.
char *recurra_fused_adam_(const Handle *params, const Handle *grads, const Handle *averages, const Handle *squares,
                          const Handle *max_squares, const Handle *steps, size_t count, const AdamArguments *a) {
  return guarded([&] {
    auto p = gather(params, count), g = gather(grads, count), m = gather(averages, count), v = gather(squares, count);
    auto x = a->amsgrad ? gather(max_squares, count) : std::vector<at::Tensor>();
    auto s = gather(steps, count);
    const bool amsgrad = a->amsgrad != 0, maximize = a->maximize != 0;
    if (a->decoupled) {
      at::_fused_adamw_(p, g, m, v, x, s, a->lr, a->beta1, a->beta2, a->weight_decay, a->eps, amsgrad, maximize);
    } else {
      at::_fused_adam_(p, g, m, v, x, s, a->lr, a->beta1, a->beta2, a->weight_decay, a->eps, amsgrad, maximize);
    }
  });
}

struct SgdArguments {
  double lr, momentum, dampening, weight_decay;
  int nesterov, maximize, first_step;
};

// One step of SGD. `buffers` are read only with momentum; on the first step they are written, not read.
char *recurra_fused_sgd_(const Handle *params, const Handle *grads, const Handle *buffers, size_t count,
                         const SgdArguments *a) {
  return guarded([&] {
    auto p = gather(params, count), g = gather(grads, count);
    auto b = a->momentum != 0.0 ? gather(buffers, count) : std::vector<at::Tensor>();
    at::_fused_sgd_(p, g, b, a->weight_decay, a->momentum, a->lr, a->dampening, a->nesterov != 0, a->maximize != 0,
                    a->first_step != 0);
  });
}
}
