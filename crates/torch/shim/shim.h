// What libtorch offers and tch 0.24 does not. Every function returns nullptr on success, otherwise a message that the
// caller frees with recurra_free: no C++ exception leaves this library.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

using Handle = at::Tensor *;

template <typename F>
char *guarded(F &&work) {
  try {
    work();
    return nullptr;
  } catch (const c10::Error &e) {
    return strdup(e.what_without_backtrace());
  } catch (const std::exception &e) {
    return strdup(e.what());
  } catch (...) {
    return strdup("libtorch threw something that is no std::exception");
  }
}

inline std::vector<at::Tensor> gather(const Handle *handles, size_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (size_t i = 0; i < count; ++i) tensors.push_back(*handles[i]);
  return tensors;
}
