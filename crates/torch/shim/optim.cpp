// libtorch's fused optimizers, which tch does not export.
#include "abi.h"
#include "shim.h"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>

#ifndef _WIN32
#include <dlfcn.h>
#endif

// While it lives, libtorch does not wake its threads: it does so once for each parameter, however small, which for the weights
// of a small network takes much longer than moving them. OpenMP's own number belongs to the calling thread, and setting it
// costs nothing; libtorch's function for it sets up a pool of threads as well. It is looked up because only libtorch knows
// which OpenMP it was built with; without one there is nothing to do.
class Alone {
 public:
  explicit Alone(const std::vector<at::Tensor> &tensors) {
    int64_t elements = 0;
    for (const at::Tensor &tensor : tensors) elements += tensor.numel();
    if (elements > kSmall || !functions().set || !functions().get) return;
    before_ = functions().get();
    if (before_ > 1) functions().set(1);
  }
  ~Alone() {
    if (before_ > 1) functions().set(before_);
  }
  Alone(const Alone &) = delete;
  Alone &operator=(const Alone &) = delete;

 private:
  // About what one thread moves in the time that waking another takes.
  static constexpr int64_t kSmall = 1 << 17;
  struct Functions {
    int (*get)();
    void (*set)(int);
  };
  static const Functions &functions() {
#ifdef _WIN32
    static const Functions found{};
#else
    static const Functions found{reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads")),
                                 reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))};
#endif
    return found;
  }
  int before_ = 0;
};

// Tells graphs that saved the parameters that they were moved, which the fused operators do not: a backward pass through such a
// graph would compute with the new values.
static void moved(const std::vector<at::Tensor> &params) {
  for (const at::Tensor &param : params) param.unsafeGetTensorImpl()->bump_version();
}

extern "C" {

// One step of Adam or (decoupled) AdamW over `count` tensors of one dtype on one device. `max_squares` is read only
// with amsgrad. `steps` are one-element float32 tensors, which on the CPU already count this step; on a GPU it is added.
// Where `bad`, if there is one, is 1, nothing is moved or counted, and the host does not wait.
char *recurra_fused_adam_(const Handle *params, const Handle *grads, const Handle *averages, const Handle *squares,
                          const Handle *max_squares, const Handle *steps, size_t count, Handle bad,
                          const AdamArguments *a) {
  return guarded([&] {
    auto p = gather(params, count), g = gather(grads, count), m = gather(averages, count), v = gather(squares, count);
    auto x = a->amsgrad ? gather(max_squares, count) : std::vector<at::Tensor>();
    auto s = gather(steps, count);
    const Alone alone(p);
    const bool amsgrad = a->amsgrad != 0, maximize = a->maximize != 0;
    const auto found = bad ? std::optional<at::Tensor>(*bad) : std::nullopt;
    // On the CPU the caller has counted: an operator for one number costs more than that.
    const bool counts = !s[0].is_cpu();
    if (counts) at::_foreach_add_(s, 1);
    if (a->decoupled) {
      at::_fused_adamw_(p, g, m, v, x, s, a->lr, a->beta1, a->beta2, a->weight_decay, a->eps, amsgrad, maximize, {}, found);
    } else {
      at::_fused_adam_(p, g, m, v, x, s, a->lr, a->beta1, a->beta2, a->weight_decay, a->eps, amsgrad, maximize, {}, found);
    }
    if (found && counts) at::_foreach_sub_(s, std::vector<at::Tensor>(count, *found));
    moved(p);
  });
}

// Sets `bad` to 1 where the one element of `value` is not finite, in one operator. `one` is 1; both are float32 of one element.
char *recurra_note_non_finite(Handle value, Handle bad, Handle one) {
  return guarded([&] {
    // Of its own version: the operator multiplies in place, by 1, which no graph need know of.
    at::Tensor looked = value->variable_data();
    if (looked.device() != bad->device()) looked = looked.to(bad->device());
    if (!at::isFloatingType(looked.scalar_type())) looked = looked.to(at::kFloat);
    at::Tensor found = *bad;
    at::_amp_foreach_non_finite_check_and_unscale_(looked, found, *one);
  });
}

// The p-norm of each tensor. All are on one device, where a GPU needs few launches for all of them.
char *recurra_norms(const Handle *tensors, size_t count, double p, Handle *out) {
  return guarded([&] {
    auto norms = at::_foreach_norm(gather(tensors, count), p);
    std::vector<std::unique_ptr<at::Tensor>> made;
    for (at::Tensor &norm : norms) made.push_back(std::make_unique<at::Tensor>(std::move(norm)));
    for (size_t i = 0; i < count; ++i) out[i] = made[i].release();
  });
}

// Multiplies all tensors by the one element of `factor`, in place.
char *recurra_scale_(const Handle *tensors, size_t count, Handle factor) {
  return guarded([&] { at::_foreach_mul_(gather(tensors, count), *factor); });
}

// One step of SGD. `buffers` are read only with momentum; on the first step they are written, not read. `bad` as above.
char *recurra_fused_sgd_(const Handle *params, const Handle *grads, const Handle *buffers, size_t count,
                         Handle bad, const SgdArguments *a) {
  return guarded([&] {
    auto p = gather(params, count), g = gather(grads, count);
    auto b = a->momentum != 0.0 ? gather(buffers, count) : std::vector<at::Tensor>();
    const Alone alone(p);
    at::_fused_sgd_(p, g, b, a->weight_decay, a->momentum, a->lr, a->dampening, a->nesterov != 0, a->maximize != 0,
                    a->first_step != 0, {}, bad ? std::optional<at::Tensor>(*bad) : std::nullopt);
    moved(p);
  });
}
}
