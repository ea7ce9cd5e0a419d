#pragma once

#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/png.hpp>
#include <audyn/trainer/output_files.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace audyn::trainer {

AUDYN_INLINE FileNamePattern::FileNamePattern(std::string pattern) : text_(std::move(pattern)) {
    std::string literal;
    for (std::size_t i = 0; i < text_.size(); ++i) {
        const char character = text_[i];
        if (character != '{' && character != '}') {
            literal += character;
            continue;
        }
        if (i + 1 < text_.size() && text_[i + 1] == character) {
            literal += character;
            ++i;
            continue;
        }
        const std::size_t end = text_.find_first_of("{}", i + 1);
        if (character == '}' || end == std::string::npos || text_[end] == '{' || end == i + 1) {
            throw UsageError("the file name '" + text_ +
                             "' needs the name of an identifier between braces, as in "
                             "'{filename}.pth'; a brace itself is written twice");
        }
        parts_.push_back({false, std::exchange(literal, {})});
        parts_.push_back({true, text_.substr(i + 1, end - i - 1)});
        i = end;
    }
    parts_.push_back({false, std::move(literal)});
}

AUDYN_INLINE std::vector<std::string> FileNamePattern::names() const {
    std::vector<std::string> names;
    for (const Part& part : parts_) {
        if (part.is_name) {
            names.push_back(part.text);
        }
    }
    return names;
}

AUDYN_INLINE std::filesystem::path FileNamePattern::operator()(const Identifiers& identifiers) const {
    std::string path;
    for (const Part& part : parts_) {
        if (!part.is_name) {
            path += part.text;
            continue;
        }
        const auto found = std::find_if(identifiers.begin(), identifiers.end(),
                                        [&](const auto& identifier) { return identifier.first == part.text; });
        if (found == identifiers.end()) {
            throw UsageError("the file name '" + text_ + "' has '" + part.text + "', which is no identifier");
        }
        path += found->second;
    }
    std::filesystem::path result = std::filesystem::path(path).lexically_normal();
    if (result.is_absolute() || *result.begin() == ".." || !result.has_filename()) {
        throw DataError("the file name '" + text_ + "' becomes '" + path +
                        "', which is no file below the folder of the outputs");
    }
    return result;
}

AUDYN_INLINE void write_tensor(const std::filesystem::path& path, const at::Tensor& value) {
    checkpoint::save_value(path, value, /*durable=*/false);
}

AUDYN_INLINE void write_spectrogram(const std::filesystem::path& path, const at::Tensor& value) {
    const at::Tensor bins = value.dim() == 3 && value.size(0) == 1 ? value.squeeze(0) : value;
    if (bins.dim() != 2 || bins.numel() == 0 || bins.is_complex() || !at::isfinite(bins).all().item<bool>()) {
        throw DataError("a picture of a spectrogram needs finite real values, (bins, frames) or (1, bins, frames)");
    }
    const at::Tensor values = bins.to(at::kCPU, at::kDouble);
    const double least = values.min().item<double>();
    const double range = values.max().item<double>() - least;
    const at::Tensor shades = ((values - least) * (range > 0 ? 255.0 / range : 0.0)).round();
    const at::Tensor pixels = shades.flip(0).to(at::kByte).contiguous();
    const std::string png =
        logging::encode_png({pixels.const_data_ptr<uint8_t>(), static_cast<std::size_t>(pixels.numel())},
                            static_cast<std::size_t>(pixels.size(1)), logging::heat_palette());
    core::AtomicFile file(path, /*durable=*/false);
    file.file().write(png.data(), png.size());
    file.commit();
}

} // namespace audyn::trainer
