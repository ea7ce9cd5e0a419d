// Feeds the checkpoint reader: what begins like an archive or like a file from before 1.6 is loaded as a file, all else
// is read as the pickle of one. Whatever loads is saved and must load again. Only CheckpointError may come out.
//
// Seeds are files of tests/checkpoint/data; the names and opcodes of pickles are in checkpoint.dict.

#include "../memory_file.hpp"

#include <audyn/checkpoint/legacy_reader.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ops/ones.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>

namespace {

using audyn::CheckpointError;
using audyn::StateDict;

c10::Storage storage_of_ones(const std::string& /*key*/, uint64_t size) {
    if (size > 1024) {
        throw CheckpointError("no storage of that size");
    }
    return at::ones({static_cast<int64_t>(size)}, at::kByte).storage();
}

void check_round_trip(const StateDict& state) {
    static const MemoryFile file;
    try {
        audyn::core::File target(file.path(), O_RDWR | O_TRUNC);
        audyn::checkpoint::write(target, state);
    } catch (const CheckpointError&) {
        return; // text that is not UTF-8, memory shared by two dtypes, nested too deep
    }
    if (audyn::checkpoint::load(file.path()).size() != state.size()) {
        std::abort();
    }
}

void load_file(std::string_view bytes) {
    static const MemoryFile file;
    file.set(bytes);
    for (const bool is_mapped : {false, true}) {
        try {
            check_round_trip(audyn::checkpoint::load(file.path(), {.mmap = is_mapped, .verify = !is_mapped}));
        } catch (const CheckpointError&) {
        }
    }
}

void read_pickle(std::string_view pickle) {
    try {
        audyn::state::Value value = audyn::checkpoint::PickleReader(pickle, storage_of_ones).read();
        check_round_trip(StateDict{{"value", value}});
    } catch (const CheckpointError&) {
    } catch (const c10::Error&) { // the callers of PickleReader turn it into theirs
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.starts_with("PK") || audyn::checkpoint::LegacyReader::recognizes(bytes)) {
        load_file(bytes);
    } else {
        read_pickle(bytes);
    }
    return 0;
}
