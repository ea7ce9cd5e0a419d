// Stands for libtorch's libc10: a function whose name shows which std::string it was compiled with.
#include <string>

namespace c10 {
void error(const std::string&) {}
} // namespace c10
