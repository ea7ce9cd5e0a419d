// The toolkit's half of checkpoint.py: holds a state of MEGABYTES (argument), and for each line `ACTION PATH` of its
// input prints the seconds that it took. Actions: save (into the page cache), save_durably, load, map.

#include "paired.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ops/rand.h>

#include <cstdint>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <string>

namespace {

using audyn::StateDict;

constexpr int64_t tensor_megabytes = 16;

void act(const std::string& action, const std::string& path, const StateDict& state) {
    if (action == "save") {
        audyn::core::File file(path, O_RDWR | O_CREAT | O_TRUNC);
        audyn::checkpoint::write(file, state);
    } else if (action == "save_durably") {
        audyn::checkpoint::save(path, state);
    } else if (audyn::checkpoint::load(path, {.mmap = action == "map", .verify = action == "load"}).size() !=
               state.size()) {
        throw audyn::Error("the file holds something else");
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        StateDict state;
        for (int64_t i = 0; i < std::stoll(argc > 1 ? argv[1] : "1024") / tensor_megabytes; ++i) {
            state.set("weight" + std::to_string(i), at::rand({tensor_megabytes << 18}));
        }
        for (std::string action, path; std::cin >> action >> path;) {
            std::cout << benchmark::seconds([&] { act(action, path, state); }) << std::endl;
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
