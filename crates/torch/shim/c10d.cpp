// libtorch's c10d: stores, where processes find each other, and Gloo's process group. What is here is all that this project knows
// of c10d's and gloo's classes.
#include "shim.h"

#include <torch/version.h>

// The declarations of gloo beside this file are those of this libtorch. Another one needs a look at gloo's headers first.
#if TORCH_VERSION_MAJOR != 2 || TORCH_VERSION_MINOR != 11
#error "shim/gloo has the declarations of gloo in libtorch 2.11: compare them with those of this libtorch"
#endif

// How a collective ends: with null, or a message that the receiver frees. It is called once, from a thread of c10d.
using Done = void (*)(void *context, char *message);

enum class Collective : int { AllReduce, Broadcast, AllGather, ReduceScatter, Barrier };

#ifdef __linux__
#define USE_C10D_GLOO 1

#include <ATen/ops/empty.h>
#include <c10/util/Flags.h>
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace {

using StorePtr = c10::intrusive_ptr<c10d::Store>;

// Gloo matches what two ranks send by a number that counts their calls. Here the number also has what the call is, so that a rank that
// makes another call than the others waits in vain, until the timeout: gloo ends the process where sizes differ.
struct Group final : c10d::ProcessGroupGloo {
  using ProcessGroupGloo::ProcessGroupGloo;

  void number(uint32_t tag) { collectiveCounter_ = tag; }

  void close() {
    for (auto &context : contexts_) context->closeConnections();
  }
};

using GroupPtr = c10::intrusive_ptr<Group>;

// c10d writes lines about lost connections to standard error, which belongs to the program; errors say the same.
void quiet() {
  if (getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_ERROR;
}

StorePtr &store_of(void *store) { return *static_cast<StorePtr *>(store); }
GroupPtr &group_of(void *group) { return *static_cast<GroupPtr *>(group); }

std::chrono::milliseconds milliseconds(int64_t count) { return std::chrono::milliseconds(count); }

char *message_of(const std::exception_ptr &error) {
  return guarded([&] { std::rethrow_exception(error); });
}

}  // namespace

extern "C" {

int recurra_c10d_available() { return 1; }

// A client of the store at `host`; with `listen_fd` of 0 or more also its server, which takes that socket over.
char *recurra_c10d_tcp_store(const char *host, uint16_t port, int listen_fd, int64_t timeout, void **out) {
  return guarded([&] {
    quiet();
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = listen_fd >= 0;
    options.waitWorkers = false;
    options.timeout = milliseconds(timeout);
    if (listen_fd >= 0) options.masterListenFd = listen_fd;
    *out = new StorePtr(c10::make_intrusive<c10d::TCPStore>(host, options));
  });
}

// A store in a file that all processes see. Nobody removes it: `size` of -1 tells c10d so.
char *recurra_c10d_file_store(const char *path, int64_t timeout, void **out) {
  return guarded([&] {
    quiet();
    StorePtr store = c10::make_intrusive<c10d::FileStore>(path, -1);
    store->setTimeout(milliseconds(timeout));
    *out = new StorePtr(std::move(store));
  });
}

// The part of a store whose keys begin with `prefix`.
char *recurra_c10d_prefix_store(void *store, const char *prefix, void **out) {
  return guarded([&] { *out = new StorePtr(c10::make_intrusive<c10d::PrefixStore>(prefix, store_of(store))); });
}

void recurra_c10d_store_free(void *store) { delete static_cast<StorePtr *>(store); }

char *recurra_c10d_store_set(void *store, const char *key, const uint8_t *value, size_t length) {
  return guarded([&] { store_of(store)->set(key, std::vector<uint8_t>(value, value + length)); });
}

// The value of a key that is there, from malloc.
char *recurra_c10d_store_get(void *store, const char *key, uint8_t **value, size_t *length) {
  return guarded([&] {
    const std::vector<uint8_t> bytes = store_of(store)->get(key);
    *value = static_cast<uint8_t *>(malloc(bytes.size() + 1));
    if (*value == nullptr) throw std::bad_alloc();
    if (!bytes.empty()) memcpy(*value, bytes.data(), bytes.size());
    *length = bytes.size();
  });
}

char *recurra_c10d_store_check(void *store, const char *key, int *there) {
  return guarded([&] { *there = store_of(store)->check({key}) ? 1 : 0; });
}

char *recurra_c10d_store_add(void *store, const char *key, int64_t amount, int64_t *sum) {
  return guarded([&] { *sum = store_of(store)->add(key, amount); });
}

// Connects all ranks with each other. `places` are addresses to bind to, or with `interfaces` names of interfaces.
char *recurra_c10d_group_new(void *store, int rank, int size, int64_t timeout, const char *const *places, size_t count,
                             int interfaces, void **out) {
  return guarded([&] {
    auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(timeout));
    for (size_t i = 0; i < count; ++i) {
      options->devices.push_back(interfaces ? c10d::ProcessGroupGloo::createDeviceForInterface(places[i])
                                            : c10d::ProcessGroupGloo::createDeviceForHostname(places[i]));
    }
    *out = new GroupPtr(c10::make_intrusive<Group>(store_of(store), rank, size, std::move(options)));
  });
}

// Waits for c10d's threads, so not to be called by one of them.
void recurra_c10d_group_free(void *group) { delete static_cast<GroupPtr *>(group); }

char *recurra_c10d_group_close(void *group) {
  return guarded([&] { group_of(group)->close(); });
}

// Whether the connection to a rank is broken. Only after an error, since what it sends is never received.
char *recurra_c10d_group_probe(void *group, int rank, int *broken) {
  return guarded([&] {
    *broken = 0;
    std::vector<at::Tensor> nothing{at::empty({1}, at::kByte)};
    char *message = guarded([&] { group_of(group)->send(nothing, rank, 0); });
    if (message != nullptr) *broken = 1;
    free(message);
  });
}

// Starts a collective; the tensors are contiguous and on the CPU. `inputs` are the one tensor of an all-reduce or broadcast (in
// place), the one of an all-gather, or those of a reduce-scatter, one for each rank; `outputs` are those of an all-gather, one for
// each rank, or the one of a reduce-scatter. Without an error `done` will be called, or has been.
char *recurra_c10d_start(void *group, int collective, const Handle *inputs, size_t input_count, const Handle *outputs,
                         size_t output_count, int reduce, int root, uint32_t tag, Done done, void *context) {
  return guarded([&] {
    Group &ranks = *group_of(group);
    std::vector<at::Tensor> in = gather(inputs, input_count), out = gather(outputs, output_count);
    const c10d::ReduceOp op(static_cast<c10d::ReduceOp::RedOpType>(reduce));
    ranks.number(tag);
    c10::intrusive_ptr<c10d::Work> work;
    switch (static_cast<Collective>(collective)) {
      case Collective::AllReduce: {
        c10d::AllreduceOptions options;
        options.reduceOp = op;
        work = ranks.allreduce(in, options);
        break;
      }
      case Collective::Broadcast: {
        c10d::BroadcastOptions options;
        options.rootRank = root;
        work = ranks.broadcast(in, options);
        break;
      }
      case Collective::AllGather: {
        std::vector<std::vector<at::Tensor>> lists{std::move(out)};
        work = ranks.allgather(lists, in);
        break;
      }
      case Collective::ReduceScatter: {
        c10d::ReduceScatterOptions options;
        options.reduceOp = op;
        std::vector<std::vector<at::Tensor>> lists{std::move(in)};
        work = ranks.reduce_scatter(out, lists, options);
        break;
      }
      case Collective::Barrier:
        work = ranks.barrier();
        break;
    }
    work->getFuture()->addCallback([done, context](c10::ivalue::Future &future) {
      done(context, future.hasError() ? message_of(future.exception_ptr()) : nullptr);
    });
  });
}
}

#else

namespace {
char *missing() { return strdup("c10d is bound on Linux alone"); }
}  // namespace

extern "C" {
int recurra_c10d_available() { return 0; }
char *recurra_c10d_tcp_store(const char *, uint16_t, int, int64_t, void **) { return missing(); }
char *recurra_c10d_file_store(const char *, int64_t, void **) { return missing(); }
char *recurra_c10d_prefix_store(void *, const char *, void **) { return missing(); }
void recurra_c10d_store_free(void *) {}
char *recurra_c10d_store_set(void *, const char *, const uint8_t *, size_t) { return missing(); }
char *recurra_c10d_store_get(void *, const char *, uint8_t **, size_t *) { return missing(); }
char *recurra_c10d_store_check(void *, const char *, int *) { return missing(); }
char *recurra_c10d_store_add(void *, const char *, int64_t, int64_t *) { return missing(); }
char *recurra_c10d_group_new(void *, int, int, int64_t, const char *const *, size_t, int, void **) { return missing(); }
void recurra_c10d_group_free(void *) {}
char *recurra_c10d_group_close(void *) { return missing(); }
char *recurra_c10d_group_probe(void *, int, int *) { return missing(); }
char *recurra_c10d_start(void *, int, const Handle *, size_t, const Handle *, size_t, int, int, uint32_t, Done, void *) {
  return missing();
}
}
#endif
