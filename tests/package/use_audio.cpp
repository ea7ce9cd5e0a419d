#include <audyn/core/version.hpp>

#include <sndfile.h>

#include <cstdio>

int main() {
    std::printf("audyn %s, %s\n", audyn::version, sf_version_string());
}
