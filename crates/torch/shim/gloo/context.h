// gloo, as far as it crosses the border: libtorch's ProcessGroupGloo.hpp includes gloo's headers, which its packages lack. These are
// the declarations that the header and c10d.cpp call, as gloo has them in libtorch 2.11; everything else of a class stays behind
// pointers that libtorch makes and frees. c10d.cpp refuses to compile against another libtorch.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
  // Breaks the connections to all other ranks: what waits on one of them ends with an exception.
  void closeConnections();
};

const std::chrono::milliseconds kNoTimeout{0};

}  // namespace gloo
