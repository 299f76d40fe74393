// Preloaded into Node, it makes Node-API refuse buffers on memory of an addon, as in Electron, whose V8 keeps all of them in one
// "sandbox". A program's own functions cannot be overlaid by a preloaded library, but the addon looks them up by `dlsym`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { NO_EXTERNAL_BUFFERS_ALLOWED = 22 };

static int refused;

// The arguments of napi_create_external_arraybuffer and napi_create_external_buffer differ in their order alone, and are not read.
static int refuse(void) {
  __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
  return NO_EXTERNAL_BUFFERS_ALLOWED;
}

__attribute__((destructor)) static void report(void) { fprintf(stderr, "refused %d buffers\n", refused); }

void *dlsym(void *handle, const char *name) {
  static void *(*real)(void *, const char *);
  if (!real) {
    // The version differs between C libraries, and between processors.
    const char *versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (int i = 0; i < 3 && !real; i++) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
  }
  if (strncmp(name, "napi_create_external_", 21) == 0 && strstr(name, "buffer")) return (void *)refuse;
  return real(handle, name);
}
