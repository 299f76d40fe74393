// Random numbers from a generator of one's own, so that a seeded model neither reads nor moves the global generator.
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>

extern "C" {

// A generator on the CPU (device < 0) or on CUDA device `device`.
char *recurra_generator_new(int device, uint64_t seed, at::Generator **out) {
  return guarded([&] {
    at::Generator generator =
        device < 0 ? at::detail::createCPUGenerator(seed)
                   : at::globalContext()
                         .getAcceleratorHooksInterface(at::DeviceType::CUDA)
                         .getNewGenerator(static_cast<at::DeviceIndex>(device));
    generator.set_current_seed(seed);
    *out = new at::Generator(generator);
  });
}

char *recurra_generator_seed(at::Generator *generator, uint64_t seed) {
  return guarded([&] {
    std::lock_guard<std::mutex> lock(generator->mutex());
    generator->set_current_seed(seed);
  });
}

void recurra_generator_free(at::Generator *generator) { delete generator; }

char *recurra_normal_(Handle self, double mean, double std, at::Generator *generator) {
  return guarded([&] { self->normal_(mean, std, *generator); });
}

char *recurra_uniform_(Handle self, double from, double to, at::Generator *generator) {
  return guarded([&] { self->uniform_(from, to, *generator); });
}

char *recurra_bernoulli_(Handle self, double p, at::Generator *generator) {
  return guarded([&] { self->bernoulli_(p, *generator); });
}
}
