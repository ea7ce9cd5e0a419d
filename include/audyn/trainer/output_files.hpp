#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Writes one sample's value to a file that appears whole or not at all. It can be made again, so it need not be
/// durable.
using WriteTensor = std::function<void(const std::filesystem::path& path, const at::Tensor& value)>;

/// What becomes of a sample's value before it is written, for example a spectrogram of a waveform.
using OutputTransform = std::function<at::Tensor(const at::Tensor& value)>;

/// (name, value) of each identifier of one sample.
using Identifiers = std::vector<std::pair<std::string, std::string>>;

/// `{speaker}/{utterance}.wav`: a path in which names in braces stand for identifiers of a sample. As in Python's
/// `str.format` a doubled brace is a brace; there are no format specifications.
class FileNamePattern {
public:
    /// \throws UsageError when a brace stands alone, or no name is between two.
    explicit FileNamePattern(std::string pattern);

    [[nodiscard]] const std::string& text() const { return text_; }
    /// The names between braces.
    [[nodiscard]] std::vector<std::string> names() const;
    /// The path of a sample, below the folder of the outputs.
    /// \throws DataError when an identifier would lead out of that folder.
    [[nodiscard]] std::filesystem::path operator()(const Identifiers& identifiers) const;

private:
    struct Part {
        bool is_name;
        std::string text;
    };

    std::string text_;
    std::vector<Part> parts_;
};

/// One file for each sample: of an output of the model or, as a reference, of a value of the batch.
struct OutputFile {
    std::string name;
    FileNamePattern path;
    WriteTensor write;
    bool is_reference = false;
    OutputTransform transform = {};
};

/// `torch.save(value, path)`; `torch.load(path, weights_only=True)` gives the tensor. Audyn's `torch_dump`.
AUDYN_INLINE void write_tensor(const std::filesystem::path& path, const at::Tensor& value);

/// A picture (PNG) of (bins, frames) or (1, bins, frames): one pixel for each value, the least dark and the greatest
/// bright, the first bin at the bottom. \throws DataError for another shape, or a value that is not finite.
AUDYN_INLINE void write_spectrogram(const std::filesystem::path& path, const at::Tensor& value);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/output_files.ipp>
#endif
