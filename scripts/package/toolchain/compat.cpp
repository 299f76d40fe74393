// What GCC 12's headers take from a newer C++ or C library than the published addon may ask for. Linked into the torch
// addon of the npm package only; none of it is exported.

#include <new>
#include <sstream>

// In libstdc++.so since GCC 11 (GLIBCXX_3.4.29).
namespace std {
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std

// Its default constructor is in libstdc++.so since GCC 9 only (GLIBCXX_3.4.26).
template class std::basic_ostringstream<char>;

// In glibc since 2.32: true while there is one thread, when shared pointers may count without atomics. False is always right.
extern "C" {
char __libc_single_threaded = 0;
}
