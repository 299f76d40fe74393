// Which operators libtorch runs: on a GPU each is at least one launch, and small networks take as long as their launches do.
#include "shim.h"

#include <ATen/record_function.h>

#include <map>
#include <mutex>
#include <string>
#include <unordered_set>

namespace {

std::mutex mutex;
std::map<std::string, int64_t> counts;

// Operators that launch nothing: views, memory without contents, numbers that only the CPU's kernels read.
const std::unordered_set<std::string> idle{
    "aten::_local_scalar_dense", "aten::_reshape_alias", "aten::_unsafe_view", "aten::alias", "aten::as_strided",
    "aten::as_strided_", "aten::chunk", "aten::cudnn_is_acceptable", "aten::detach", "aten::detach_", "aten::empty",
    "aten::empty_like", "aten::empty_strided", "aten::expand", "aten::item", "aten::lift_fresh", "aten::narrow", "aten::permute",
    "aten::reshape", "aten::resize_", "aten::resolve_conj", "aten::resolve_neg", "aten::result_type", "aten::select", "aten::slice",
    "aten::split", "aten::squeeze", "aten::squeeze_", "aten::t", "aten::to", "aten::transpose", "aten::transpose_", "aten::unbind",
    "aten::unsafe_chunk", "aten::unsafe_split", "aten::unsqueeze", "aten::unsqueeze_", "aten::view", "aten::view_as", "detach",
    "detach_"};

// For each operator that runs in this thread now, whether it has run one that counts.
thread_local std::vector<bool> running;

std::unique_ptr<at::ObserverContext> started(const at::RecordFunction &) {
  running.push_back(false);
  return nullptr;
}

void ended(const at::RecordFunction &function, at::ObserverContext *) {
  if (running.empty()) return;
  const bool composed = running.back();
  running.pop_back();
  if (!composed) {
    const std::string name = function.name();
    // The engine itself launches nothing either: what a node runs counts for itself.
    if (idle.count(name) > 0 || name.rfind("autograd::engine", 0) == 0) return;
    const std::lock_guard<std::mutex> lock(mutex);
    ++counts[name];
  }
  if (!running.empty()) running.back() = true;
}

}  // namespace

extern "C" {

// Counts, in all threads, the innermost operators that compute or copy something, until recurra_count_operators_end takes the `handle`.
char *recurra_count_operators_begin(uint64_t *handle) {
  return guarded([&] {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      counts.clear();
    }
    *handle = at::addGlobalCallback(at::RecordFunctionCallback(started, ended).scopes({at::RecordScope::FUNCTION}));
  });
}

// Their names and counts, one pair a line, from malloc.
char *recurra_count_operators_end(uint64_t handle, char **lines) {
  return guarded([&] {
    at::removeCallback(handle);
    std::string text;
    const std::lock_guard<std::mutex> lock(mutex);
    for (const auto &[name, count] : counts) text += name + " " + std::to_string(count) + "\n";
    *lines = strdup(text.c_str());
  });
}
}
