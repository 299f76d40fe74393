// CUDA, as far as it can be reached without its headers: through the hooks that libtorch_cuda.so enters when it is opened.
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/_cudnn_rnn_flatten_weight.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace {

// Keeps what libtorch warns of, instead of printing it.
struct Collected final : c10::WarningHandler {
  std::string text;
  void process(const c10::Warning &warning) override { text = warning.msg(); }
};

void set_seed(const at::Generator &generator, uint64_t seed) {
  at::Generator copy = generator;
  std::lock_guard<std::mutex> lock(copy.mutex());
  copy.set_current_seed(seed);
}

}  // namespace

extern "C" {

// Whether libtorch_cuda.so has entered itself. It is too late once libtorch has asked for CUDA, as its first backward pass does:
// it remembers that there is none, and starts the threads for devices in that pass or never.
char *recurra_cuda_begin(int *entered) {
  return guarded([&] { *entered = at::detail::getCUDAHooks().hasCUDART() ? 1 : 0; });
}

// To be called only after recurra_cuda_begin: libtorch remembers the first answer. Why there is none is only a warning to
// libtorch; it goes to `why`, from malloc, or null.
char *recurra_cuda_device_count(int64_t *count, char **why) {
  return guarded([&] {
    Collected collected;
    *why = nullptr;
    {
      c10::WarningUtils::WarningHandlerGuard guard(&collected);
      *count = at::detail::getCUDAHooks().deviceCount();
    }
    if (!collected.text.empty()) *why = strdup(collected.text.c_str());
  });
}

// Waits until everything that was started on a device is done.
char *recurra_cuda_synchronize(int64_t index) {
  return guarded([&] {
    c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).synchronizeDevice(static_cast<c10::DeviceIndex>(index));
  });
}

// As torch.manual_seed, but does not ask for CUDA: `devices` is 0 before it is in use.
char *recurra_manual_seed(uint64_t seed, int64_t devices) {
  return guarded([&] {
    set_seed(at::detail::getDefaultCPUGenerator(), seed);
    for (int64_t i = 0; i < devices; ++i) {
      const at::Device device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(i));
      set_seed(at::globalContext().defaultGenerator(device), seed);
    }
  });
}

// "highest", "high" or "medium" for products of matrices, as torch.set_float32_matmul_precision; cuDNN's recurrent layers, which
// PyTorch has an option of their own for, go with it.
char *recurra_set_float32_matmul_precision(const char *precision) {
  return guarded([&] {
    auto &context = at::globalContext();
    context.setFloat32MatmulPrecision(precision);
    const bool exact = std::string(precision) == "highest";
    context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::RNN,
                                exact ? at::Float32Precision::IEEE : at::Float32Precision::TF32);
  });
}

// 0 to 2 as above, and whether cuDNN's recurrent layers round to TF32.
char *recurra_float32_matmul_precision(int *precision, int *recurrent) {
  return guarded([&] {
    const auto &context = at::globalContext();
    *precision = static_cast<int>(context.float32MatmulPrecision());
    *recurrent = context.float32Precision(at::Float32Backend::CUDA, at::Float32Op::RNN) == at::Float32Precision::TF32;
  });
}

// A copy on CUDA device `index` without waiting: through memory that is locked in place, which libtorch keeps until the
// copy is done.
char *recurra_copy_to_cuda(Handle self, int64_t index, Handle *out) {
  return guarded([&] {
    const at::Device device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
    *out = new at::Tensor(self->pin_memory().to(device, self->scalar_type(), /*non_blocking=*/true));
  });
}

// Puts the weights of a recurrent network behind each other in one memory, as cuDNN wants them; the tensors stay the same.
char *recurra_flatten_rnn(const Handle *weights, size_t count, int64_t per_layer, int64_t input, int64_t mode, int64_t hidden,
                          int64_t projection, int64_t layers, int batch_first, int bidirectional) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    at::_cudnn_rnn_flatten_weight(gather(weights, count), per_layer, input, mode, hidden, projection, layers, batch_first != 0,
                                  bidirectional != 0);
  });
}
}
