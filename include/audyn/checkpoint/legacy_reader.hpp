#pragma once

#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/mapped_file.hpp>
#include <audyn/state/state_dict.hpp>

#include <c10/core/Device.h>
#include <c10/core/Storage.h>

#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

namespace audyn::checkpoint {

/// Reads the format in which PyTorch saved before 1.6, and still does by `_use_new_zipfile_serialization=False`: a
/// magic number, a version, facts about the machine, the value and the storages' keys, each a pickle, and behind them
/// the storages. It has no checksums; what can be checked are the sizes.
class LegacyReader {
public:
    /// True when a file that begins with `head` has this format.
    [[nodiscard]] static bool recognizes(std::string_view head) { return head.starts_with(magic); }

    /// \throws CheckpointError that names the file.
    LegacyReader(const std::filesystem::path& path, at::Device device);

    /// \throws CheckpointError that names the file, and where known the storage, and what is wrong.
    [[nodiscard]] state::Value read();

private:
    static constexpr std::string_view magic{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15};
    static constexpr int64_t protocol_version = 1001;

    struct LegacyStorage {
        c10::Storage storage;
        uint64_t size = 0;
    };

    [[noreturn]] void fail(const std::string& reason) const;

    state::Value read_pickle(const char* what);

    void check_machine(const state::Value& value) const;

    /// The storage `key`, still without its content, which comes behind the value.
    c10::Storage storage(const std::string& key, uint64_t size);

    void read_storages(const state::Value& keys);

    /// Eight bytes that count elements, of a size that stands elsewhere, and the content.
    void read_storage(const std::string& key, LegacyStorage& storage);

    void copy_content(uint64_t offset, LegacyStorage& storage) const;

    static constexpr uint64_t max_element_size = 16; // complex128

    core::File file_;
    core::MappedFile mapping_;
    at::Device device_;
    std::size_t position_ = 0;
    uint64_t total_ = 0;
    std::unordered_map<std::string, LegacyStorage> storages_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/legacy_reader.ipp>
#endif
