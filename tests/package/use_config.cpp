// Needs audyn::config only: neither libtorch nor its headers.
#include <audyn/core/names.hpp>
#include <audyn/core/version.hpp>

#include <nlohmann/json.hpp>
#include <yaml-cpp/parser.h>

#include <cstdio>
#include <sstream>

#if __has_include(<ATen/core/Tensor.h>)
#    error "audyn::config brings libtorch's headers"
#endif

int main() {
    int unused = 1; // a warning of -Wall, which audyn's targets must not switch on
    std::istringstream text("a: 1");
    YAML::Parser parser(text);
    std::printf("audyn %s\n", audyn::version);
}
