// Mixed precision as torch.autocast has it: a state of the calling thread.
#include "shim.h"

#include <ATen/autocast_mode.h>

namespace {

at::DeviceType device_of(int cuda) { return cuda ? at::kCUDA : at::kCPU; }

// What a scope changes, in one number, so that there is no memory to own: device, enabled, cache, and above them the dtype.
uint32_t packed(int cuda) {
  const auto device = device_of(cuda);
  return (cuda ? 1U : 0U) | (at::autocast::is_autocast_enabled(device) ? 2U : 0U) |
         (at::autocast::is_autocast_cache_enabled() ? 4U : 0U) |
         (static_cast<uint32_t>(static_cast<uint8_t>(at::autocast::get_autocast_dtype(device))) << 3U);
}

}  // namespace

extern "C" {

// Enters a scope in which operators of this thread on a kind of device compute in bfloat16 where libtorch's lists have it so, or,
// with `enabled` 0, in the dtypes they are given. `cache` 0 or 1 says whether casts of weights are kept until the outermost scope
// ends, -1 leaves that as it is. `before` is for recurra_autocast_end.
char *recurra_autocast_begin(int cuda, int enabled, int cache, uint32_t *before) {
  return guarded([&] {
    const auto device = device_of(cuda);
    *before = packed(cuda);
    at::autocast::set_autocast_enabled(device, enabled != 0);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    if (cache >= 0) at::autocast::set_autocast_cache_enabled(cache != 0);
    at::autocast::increment_nesting();
  });
}

char *recurra_autocast_end(uint32_t before) {
  return guarded([&] {
    const auto device = device_of(before & 1U);
    at::autocast::set_autocast_enabled(device, (before & 2U) != 0);
    at::autocast::set_autocast_cache_enabled((before & 4U) != 0);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(before >> 3U));
    // Casts of weights are kept for the outermost scope: the optimizer moves them after it.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  });
}

// Whether operators of this thread on a kind of device are in such a scope.
int recurra_autocast_enabled(int cuda) { return at::autocast::is_autocast_enabled(device_of(cuda)) ? 1 : 0; }
}
