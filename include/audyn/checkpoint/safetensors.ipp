#pragma once

#include <audyn/checkpoint/safetensors.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace audyn::checkpoint::detail {

AUDYN_INLINE std::string_view safetensors_name(at::ScalarType dtype) {
    const auto found = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                    [=](const SafetensorsDtype& entry) { return entry.dtype == dtype; });
    return found == safetensors_dtypes.end() ? std::string_view() : found->name;
}

AUDYN_INLINE std::optional<at::ScalarType> safetensors_dtype(std::string_view name) {
    const auto found = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                    [=](const SafetensorsDtype& entry) { return entry.name == name; });
    return found == safetensors_dtypes.end() ? std::nullopt : std::optional(found->dtype);
}

AUDYN_INLINE std::vector<std::pair<std::string, at::Tensor>> safetensors_entries(const StateDict& state) {
    std::vector<std::pair<std::string, at::Tensor>> entries;
    for (const auto& [key, value] : state) {
        const std::string name = key.to_string();
        if (!value.is<at::Tensor>()) {
            throw CheckpointError("the value '" + name + "' is of kind " + value.kind() +
                                  "; safetensors holds tensors");
        }
        const at::Tensor& tensor = value.as_tensor();
        if (!tensor.defined() || tensor.layout() != at::kStrided || tensor.is_quantized() || tensor.is_meta() ||
            tensor.is_nested()) {
            throw CheckpointError("the tensor '" + name +
                                  "' is undefined, sparse, quantized, nested or without content");
        }
        if (safetensors_name(tensor.scalar_type()).empty()) {
            throw CheckpointError("the tensor '" + name + "' has the dtype " + c10::toString(tensor.scalar_type()) +
                                  ", which safetensors has no name for");
        }
        if (name == "__metadata__") {
            throw CheckpointError("safetensors keeps the name '__metadata__' for itself");
        }
        entries.emplace_back(name, tensor);
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        const auto width = [](const auto& entry) { return entry.second.element_size(); };
        return width(a) != width(b) ? width(a) > width(b) : a.first < b.first;
    });
    return entries;
}

AUDYN_INLINE std::string safetensors_header(const std::vector<std::pair<std::string, at::Tensor>>& entries,
                                            const std::map<std::string, std::string>& metadata) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    header["__metadata__"] = metadata;
    uint64_t begin = 0;
    for (const auto& [name, tensor] : entries) {
        const uint64_t end = begin + tensor.nbytes();
        header[name] = {{"dtype", safetensors_name(tensor.scalar_type())},
                        {"shape", tensor.sizes().vec()},
                        {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const nlohmann::json::exception& error) {
        throw CheckpointError(std::string("a name is not UTF-8: ") + error.what());
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    if (text.size() > max_safetensors_header) {
        throw CheckpointError("the names are longer than safetensors allows");
    }
    return text;
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE void save_safetensors(const std::filesystem::path& path, const StateDict& state,
                                   const std::map<std::string, std::string>& metadata) {
    static_assert(std::endian::native == std::endian::little, "checkpoints are written on little-endian machines");
    try {
        const auto entries = detail::safetensors_entries(state);
        const std::string header = detail::safetensors_header(entries, metadata);
        core::AtomicFile file(path);
        const uint64_t header_size = header.size();
        file.file().write(&header_size, sizeof header_size);
        file.file().write(header.data(), header.size());
        for (const auto& [name, tensor] : entries) {
            const at::Tensor content = tensor.resolve_conj().resolve_neg().to(at::kCPU).contiguous();
            file.file().write(content.const_data_ptr(), content.nbytes());
        }
        file.commit();
    } catch (const Error& error) {
        throw CheckpointError("cannot save " + path.string() + ": " + error.what());
    }
}

} // namespace audyn::checkpoint

namespace audyn::checkpoint::detail {

AUDYN_INLINE StateDict SafetensorsReader::read() {
    const nlohmann::ordered_json header = read_header();
    std::vector<StateDict::Entry> entries;
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const auto& [name, description] : header.items()) {
        if (name != "__metadata__") {
            entries.emplace_back(name, read_tensor(name, description, ranges));
        }
    }
    check_ranges(std::move(ranges));
    return StateDict(std::move(entries));
}

AUDYN_INLINE void SafetensorsReader::fail(const std::string& reason) const {
    throw CheckpointError(file_.path().string() + ": " + reason);
}

AUDYN_INLINE nlohmann::ordered_json SafetensorsReader::read_header() {
    uint64_t header_size = 0;
    if (size_ < sizeof header_size) {
        fail("it is no safetensors file: it is too short");
    }
    file_.read_at(&header_size, sizeof header_size, 0);
    if (header_size > max_safetensors_header || header_size > size_ - sizeof header_size) {
        fail("it is truncated or no safetensors file: its header would be longer than the file");
    }
    std::string text(static_cast<std::size_t>(header_size), '\0');
    file_.read_at(text.data(), text.size(), sizeof header_size);
    content_begin_ = sizeof header_size + header_size;
    nlohmann::ordered_json header = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!header.is_object()) {
        fail("it is damaged or no safetensors file: its header is not a JSON object");
    }
    return header;
}

AUDYN_INLINE at::Tensor SafetensorsReader::read_tensor(const std::string& name,
                                                       const nlohmann::ordered_json& description,
                                                       std::vector<std::pair<uint64_t, uint64_t>>& ranges) {
    const auto field = [&](const char* key) -> const nlohmann::ordered_json& {
        static const nlohmann::ordered_json none;
        return description.is_object() && description.contains(key) ? description[key] : none;
    };
    const nlohmann::ordered_json& dtype_name = field("dtype");
    const auto dtype =
        dtype_name.is_string() ? safetensors_dtype(dtype_name.get_ref<const std::string&>()) : std::nullopt;
    if (!dtype) {
        fail("the tensor '" + name + "' has an unknown dtype");
    }
    const std::vector<int64_t> shape = numbers(name, field("shape"));
    const std::vector<int64_t> offsets = numbers(name, field("data_offsets"));
    uint64_t size = c10::elementSize(*dtype);
    for (const int64_t length : shape) {
        if (__builtin_mul_overflow(size, static_cast<uint64_t>(length), &size)) {
            fail("the tensor '" + name + "' has an impossible shape");
        }
    }
    if (offsets.size() != 2 || offsets[0] > offsets[1] || static_cast<uint64_t>(offsets[1]) > size_ - content_begin_ ||
        static_cast<uint64_t>(offsets[1] - offsets[0]) != size) {
        fail("the tensor '" + name + "' does not lie in the file as its dtype and shape say");
    }
    ranges.emplace_back(offsets[0], offsets[1]);
    at::Tensor tensor = at::empty(shape, at::TensorOptions(*dtype));
    file_.read_at(tensor.mutable_data_ptr(), static_cast<std::size_t>(size),
                  content_begin_ + static_cast<uint64_t>(offsets[0]));
    return tensor;
}

AUDYN_INLINE std::vector<int64_t> SafetensorsReader::numbers(const std::string& name,
                                                             const nlohmann::ordered_json& list) const {
    constexpr std::size_t max_dimensions = 64; // as in torch
    std::vector<int64_t> values;
    bool is_good = list.is_array() && list.size() <= max_dimensions;
    for (std::size_t i = 0; is_good && i < list.size(); ++i) {
        is_good = list[i].is_number_unsigned() && list[i].get<uint64_t>() <= uint64_t{1} << 62;
        values.push_back(is_good ? list[i].get<int64_t>() : 0);
    }
    if (!is_good) {
        fail("the tensor '" + name + "' has a shape or place that is no list of numbers");
    }
    return values;
}

AUDYN_INLINE void SafetensorsReader::check_ranges(std::vector<std::pair<uint64_t, uint64_t>> ranges) const {
    std::sort(ranges.begin(), ranges.end());
    uint64_t end = 0;
    for (const auto& [begin, next] : ranges) {
        if (begin != end) {
            fail("it is damaged: tensors overlap, or there are holes between them");
        }
        end = next;
    }
    if (end != size_ - content_begin_) {
        fail("it is damaged: it is longer than its tensors");
    }
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE StateDict load_safetensors(const std::filesystem::path& path) {
    try {
        return detail::SafetensorsReader(path).read();
    } catch (const Error& error) {
        throw CheckpointError(std::string("cannot load the safetensors file: ") + error.what());
    }
}

} // namespace audyn::checkpoint
