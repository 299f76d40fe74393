// What is called in a backward pass: when a parameter has its gradient, and when all have.
#include "shim.h"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace {

using Ready = char *(*)(void *context, size_t index);
using Release = void (*)(void *context);

// Throws what a function of Rust said.
void check(char *message) {
  if (message == nullptr) return;
  const std::string text(message);
  free(message);
  throw std::runtime_error(text);
}

struct Hook final : torch::autograd::PostAccumulateGradHook {
  Ready ready;
  Release release;
  void *context;
  size_t index;

  Hook(Ready ready, Release release, void *context, size_t index)
      : ready(ready), release(release), context(context), index(index) {}
  ~Hook() override { release(context); }

  void operator()(const torch::autograd::Variable &) override { check(ready(context, index)); }
};

}  // namespace

extern "C" {

// Calls `ready` whenever a backward pass has added to the gradient of a leaf; a hook that was there is replaced. `release` gets the
// context once, also after an error.
char *recurra_on_gradient(Handle self, Ready ready, Release release, void *context, size_t index) {
  std::unique_ptr<torch::autograd::PostAccumulateGradHook> hook(new Hook(ready, release, context, index));
  return guarded([&] { torch::autograd::impl::set_post_acc_grad_hooks(*self, std::move(hook)); });
}

// Calls `last` at the end of the backward pass that runs on this thread. The pass fails with what it says. `release` as above.
char *recurra_after_backward(Ready last, Release release, void *context) {
  std::shared_ptr<void> owner(context, release);
  return guarded([&] {
    torch::autograd::Engine::get_default_engine().queue_callback([last, owner] { check(last(owner.get(), 0)); });
  });
}
}
