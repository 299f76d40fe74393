// Gradients, grad mode, storage and version.
#include "shim.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <torch/csrc/autograd/function.h>
#include <torch/version.h>

// Suppresses a message of libtorch on standard error about a choice of its own that users cannot change.
struct WithoutProjections final : c10::WarningHandler {
  void process(const c10::Warning &warning) override {
    if (warning.msg().find("projections is not supported with oneDNN") == std::string::npos) WarningHandler::process(warning);
  }
};

extern "C" {

// Sets the handler of this thread's warnings, null for the one above, and returns the one that was set.
void *recurra_warning_handler(void *handler) {
  static WithoutProjections without;
  c10::WarningHandler *before = c10::WarningUtils::get_warning_handler();
  c10::WarningUtils::set_warning_handler(handler ? static_cast<c10::WarningHandler *>(handler) : &without);
  return before;
}

void recurra_free(char *message) { free(message); }

// Memory for a message that crosses the other way.
void *recurra_allocate(size_t bytes) { return malloc(bytes); }

const char *recurra_torch_version() { return TORCH_VERSION; }

// Runs backward from `self`; `gradient` may be null for a one-element tensor.
char *recurra_backward(Handle self, Handle gradient, int retain_graph) {
  return guarded([&] {
    at::AutoGradMode enable(true);
    self->backward(gradient ? *gradient : at::Tensor(), static_cast<bool>(retain_graph));
  });
}

// Sets `.grad`; null makes it undefined, as PyTorch's zero_grad(set_to_none=True) does.
char *recurra_set_grad(Handle self, Handle gradient) {
  return guarded([&] { self->mutable_grad() = gradient ? *gradient : at::Tensor(); });
}

// Name of the function that computed the tensor, from malloc; null where none was recorded.
char *recurra_grad_name(Handle self, char **name) {
  return guarded([&] {
    *name = nullptr;
    if (const auto &function = self->grad_fn()) *name = strdup(function->name().c_str());
  });
}

int recurra_grad_enabled() { return at::GradMode::is_enabled() ? 1 : 0; }

// Sets grad mode of this thread and returns what it was.
int recurra_set_grad_enabled(int enabled) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled != 0);
  // Autocast keeps casts of weights. One that was made without gradients would have none in the other mode, and nothing would say so.
  if (before != (enabled != 0) && (at::autocast::is_autocast_enabled(at::kCPU) || at::autocast::is_autocast_enabled(at::kCUDA))) {
    at::autocast::clear_cache();
  }
  return before ? 1 : 0;
}

// Tells graphs that saved the tensor that its elements were changed without an operator.
char *recurra_bump_version(Handle self) {
  return guarded([&] { self->unsafeGetTensorImpl()->bump_version(); });
}

// The factor of `other` where `self` gets a multiple of it: an integer for integers, which take no other.
static at::Scalar factor(const at::Tensor &self, double alpha) {
  const auto whole = static_cast<int64_t>(alpha);
  const bool integral = at::isIntegralType(self.scalar_type(), true) && alpha == static_cast<double>(whole);
  return integral ? at::Scalar(whole) : at::Scalar(alpha);
}

// self += alpha * other.
char *recurra_add_(Handle self, Handle other, double alpha) {
  return guarded([&] {
    if (alpha == 1.0) {
      self->add_(*other);
    } else {
      self->add_(*other, factor(*self, alpha));
    }
  });
}

// self -= alpha * other.
char *recurra_sub_(Handle self, Handle other, double alpha) {
  return guarded([&] {
    if (alpha == 1.0) {
      self->sub_(*other);
    } else {
      self->sub_(*other, factor(*self, alpha));
    }
  });
}

// Identity and size of the memory behind a tensor: views of one tensor share it.
char *recurra_storage(Handle self, size_t *identity, size_t *bytes) {
  return guarded([&] {
    const auto &storage = self->storage();
    *identity = reinterpret_cast<size_t>(storage.unsafeGetStorageImpl());
    *bytes = storage.nbytes();
  });
}
}
