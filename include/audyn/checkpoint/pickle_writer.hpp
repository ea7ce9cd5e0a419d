#pragma once

#include <audyn/checkpoint/dtypes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace audyn::checkpoint {

namespace detail {

/// True when `text` is well-formed UTF-8, which Python's strings are.
[[nodiscard]] AUDYN_INLINE bool is_utf8(std::string_view text);

} // namespace detail

/// Writes a state dictionary as the pickle (protocol 2) that is the record `data.pkl` of a checkpoint, by the opcodes
/// and names that Python's `torch.load(weights_only=True)` accepts. The content of tensors is not in it: each storage
/// gets a number, under which `storages` lists it, once however many tensors share it.
class PickleWriter {
public:
    /// The content of one record `data/<number>`.
    struct StorageRecord {
        c10::Storage storage;
        at::ScalarType dtype;
        std::size_t size; // bytes
    };

    /// \throws CheckpointError that names the value which cannot be written.
    explicit PickleWriter(const StateDict& state);
    /// The same for any value, for example a tensor alone.
    explicit PickleWriter(const state::Value& value);

    [[nodiscard]] const std::string& pickle() const { return text_; }
    [[nodiscard]] const std::vector<StorageRecord>& storages() const { return storages_; }

private:
    static constexpr int max_depth = 200;
    static constexpr std::size_t max_memoized = 256; // bytes; longer texts hardly come twice

    [[noreturn]] void fail(const std::string& reason) const;

    void write_value(const state::Value& value);

    void write(std::monostate) { text_ += 'N'; }
    void write(bool value) { text_ += value ? '\x88' : '\x89'; }
    void write(double value);

    void write(int64_t value);

    void write(const std::string& value);

    /// Protocol 2 has no bytes: Python writes the call `_codecs.encode(text, 'latin1')`.
    void write(const state::Bytes& value);

    void write(const state::List& list);

    void write(const state::Tuple& tuple);

    void write(const StateDict& dict);

    void write(const at::Tensor& tensor);

    void check_tensor(const at::Tensor& tensor) const;

    /// BINPERSID ('storage', class, number, device, elements). The device is always the CPU, so that the file loads
    /// on a machine without the device on which it was trained.
    void write_storage(const at::Tensor& tensor, const detail::StorageType* type);

    [[nodiscard]] std::size_t storage_index(const at::Tensor& tensor);

    void write_integers(at::IntArrayRef values);

    void write_dict(const StateDict& dict);

    void write_items(const std::vector<state::Value>& items);

    void enter();

    /// GLOBAL, the first time; later the number under which it was kept.
    void write_global(std::string_view module, std::string_view name);

    void write_text(std::string_view value);

    void write_memoized(const std::string& code);

    void put(int64_t value, int size);

    std::string text_;
    std::string path_;
    int depth_ = 0;
    std::vector<StorageRecord> storages_;
    std::unordered_map<const c10::StorageImpl*, std::size_t> storage_indices_;
    std::unordered_map<std::string, std::size_t> memo_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/pickle_writer.ipp>
#endif
