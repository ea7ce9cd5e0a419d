#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/logging/progress_bar.hpp>
#include <audyn/trainer/generator.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <span>
#include <system_error>
#include <variant>

namespace audyn::trainer {

AUDYN_INLINE GeneratorOptions& GeneratorOptions::identifiers(std::vector<std::pair<std::string, std::string>> value) {
    return set(identifiers_, std::move(value));
}

AUDYN_INLINE void GeneratorOptions::check() const {
    if (files_.empty()) {
        throw UsageError("nothing would be written: name an output and its file");
    }
    std::string known;
    for (const auto& [name, value] : identifiers_) {
        known += (known.empty() ? "" : ", ") + name;
    }
    known = known.empty() ? "there are none: name them by key_mapping.inference.identifier" : "those are: " + known;
    for (auto file = files_.begin(); file != files_.end(); ++file) {
        const std::string& path = file->path.text();
        const std::vector<std::string> names = file->path.names();
        if (names.empty()) {
            throw UsageError("the file name '" + path +
                             "' has no identifier in braces, so all samples would be written to the same file; " +
                             known);
        }
        for (const std::string& name : names) {
            if (std::none_of(identifiers_.begin(), identifiers_.end(),
                             [&](const auto& identifier) { return identifier.first == name; })) {
                throw UsageError("the file name '" + path + "' has '" + name + "', which is no identifier; " + known);
            }
        }
        if (std::any_of(files_.begin(), file, [&](const OutputFile& other) { return other.path.text() == path; })) {
            throw UsageError("two outputs have the same file name '" + path + "'");
        }
    }
}

} // namespace audyn::trainer

namespace audyn::trainer::detail {

AUDYN_INLINE logging::ConsoleOptions generator_console() {
    logging::ConsoleOptions options;
    options.name = "BaseGenerator";
    options.main_process = distributed::is_main_process();
    if (!options.main_process) {
        options.name += ", rank " + std::to_string(distributed::rank());
    }
    return options;
}

inline constexpr const char* same_identifiers =
    "their identifiers are the same, or the loader gives a sample twice; name files by what tells all samples apart";

/// Of an earlier run that died, also in the folders of speakers and the like.
AUDYN_INLINE void remove_all_leftovers(const std::filesystem::path& folder) {
    core::remove_leftovers(folder, "");
    std::error_code none; // there may be no such folder yet
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, none)) {
        if (entry.is_directory()) {
            core::remove_leftovers(entry.path(), "");
        }
    }
}

/// The value of each sample of a batch, as text.
AUDYN_INLINE std::vector<std::string> texts_of(const data::BatchValue& value) {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
        return *texts;
    }
    std::vector<std::string> texts;
    if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) {
        for (const int64_t number : *numbers) {
            texts.push_back(std::to_string(number));
        }
        return texts;
    }
    const auto* tensor = std::get_if<at::Tensor>(&value);
    if (tensor == nullptr || tensor->dim() != 1 || !at::isIntegralType(tensor->scalar_type(), false)) {
        throw UsageError("is no text and no whole number for each sample");
    }
    const at::Tensor numbers = tensor->to(at::kCPU, at::kLong);
    for (int64_t i = 0; i < numbers.size(0); ++i) {
        texts.push_back(std::to_string(numbers[i].item<int64_t>()));
    }
    return texts;
}

/// The identifiers of each sample of a batch.
AUDYN_INLINE std::vector<Identifiers> identifiers_of(const data::Batch& batch, const GeneratorOptions& options) {
    std::vector<Identifiers> samples;
    for (const auto& [name, source] : options.identifiers()) {
        try {
            const auto position = batch.position(source);
            if (!position) {
                throw UsageError("does not exist; the batch has: " + batch.names());
            }
            const std::vector<std::string> values = texts_of(batch.entry(*position).second);
            if (samples.empty()) {
                samples.resize(values.size());
            }
            if (values.size() != samples.size()) {
                throw UsageError("has " + std::to_string(values.size()) + " elements in a batch of " +
                                 std::to_string(samples.size()) + " samples");
            }
            for (std::size_t i = 0; i < values.size(); ++i) {
                samples[i].emplace_back(name, values[i]);
            }
        } catch (const UsageError& error) {
            throw UsageError("the value '" + source + "' of the identifier '" + name + "' " + error.what());
        }
    }
    return samples;
}

/// What a file is made of, all samples in one tensor or in a list.
AUDYN_INLINE std::vector<at::Tensor> values_of(const OutputFile& file, const data::Batch& batch,
                                               const Outputs& outputs) {
    const auto position = file.is_reference ? batch.position(file.name) : outputs.position(file.name);
    if (!position) {
        throw UsageError("the file '" + file.path.text() + "' needs '" + file.name + "', but " +
                         (file.is_reference ? "the batch has: " + batch.names()
                                            : "the outputs of the model are: " + outputs.names()));
    }
    if (file.is_reference) {
        if (const auto* list = std::get_if<std::vector<at::Tensor>>(&batch.entry(*position).second)) {
            return *list;
        }
    }
    const at::Tensor& tensor = file.is_reference ? batch.tensor(*position) : outputs.tensor(*position);
    return tensor.defined() && tensor.dim() > 0 ? tensor.unbind(0) : std::vector<at::Tensor>();
}

/// The same for each sample.
AUDYN_INLINE std::vector<at::Tensor> sample_values(const OutputFile& file, const data::Batch& batch,
                                                   const Outputs& outputs, std::size_t samples) {
    std::vector<at::Tensor> values = values_of(file, batch, outputs);
    if (values.size() != samples) {
        throw UsageError("the file '" + file.path.text() + "' needs '" + file.name + "', which has " +
                         std::to_string(values.size()) + " elements along its first dimension in a batch of " +
                         std::to_string(samples) + " samples");
    }
    return values;
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE GeneratorBase::GeneratorBase(GeneratorOptions options)
    : options_(std::move(options)), console_(detail::generator_console()) {
    options_.check();
}

AUDYN_INLINE int64_t GeneratorBase::run(data::Loader& loader) {
    const detail::EvaluationScope scope(module());
    logging::ProgressBar bar(console_, options_.progress_bar());
    written_.clear();
    if (distributed::is_main_process()) {
        detail::remove_all_leftovers(options_.folder());
    }
    distributed::barrier(); // before another process writes there
    loader.start_epoch(0);
    bar.start_pass("Inference", loader.size());
    int64_t samples = 0;
    while (std::optional<data::Batch> batch = loader.next()) {
        batch->to(options_.device());
        const int64_t size = write(*batch, infer(*batch));
        samples += size;
        bar.advance(size);
    }
    bar.finish();
    const int64_t all = compare_ranks(samples);
    if (all == 0) {
        throw DataError("there is nothing to infer: the loader (test.dataset.test) gives no sample");
    }
    return all;
}

AUDYN_INLINE int64_t GeneratorBase::write(const data::Batch& batch, const Outputs& outputs) {
    const std::vector<Identifiers> samples = detail::identifiers_of(batch, options_);
    for (const OutputFile& file : options_.files()) {
        const std::vector<at::Tensor> values = detail::sample_values(file, batch, outputs, samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            write(file, values[i], samples[i]);
        }
    }
    return static_cast<int64_t>(samples.size());
}

AUDYN_INLINE void GeneratorBase::write(const OutputFile& file, const at::Tensor& value,
                                       const Identifiers& identifiers) {
    const std::filesystem::path path = new_path(file, identifiers);
    try {
        // A copy of its own: a view of the batch would be saved with the whole batch.
        const at::Tensor own = value.detach().to(at::kCPU, value.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
        const at::Tensor transformed = file.transform ? file.transform(own) : own;
        const bool is_view = transformed.has_storage() && transformed.storage().nbytes() != transformed.nbytes();
        file.write(path, is_view ? transformed.clone(at::MemoryFormat::Contiguous) : transformed);
    } catch (const DataError& error) {
        throw DataError("'" + file.name + "' for " + path.string() + ": " + error.what());
    }
}

AUDYN_INLINE std::filesystem::path GeneratorBase::new_path(const OutputFile& file, const Identifiers& identifiers) {
    std::filesystem::path path = options_.folder() / file.path(identifiers);
    const auto hash = static_cast<int64_t>(std::hash<std::string>()(path.string()));
    if (!written_.emplace(hash, path.string()).second) {
        throw UsageError("two samples have the file " + path.string() + ": " + detail::same_identifiers);
    }
    return path;
}

AUDYN_INLINE int64_t GeneratorBase::compare_ranks(int64_t samples) const {
    if (distributed::world_size() == 1) {
        return samples;
    }
    at::Tensor all = at::full({1}, samples, at::kLong);
    at::Tensor most = at::full({1}, static_cast<int64_t>(written_.size()), at::kLong);
    distributed::all_reduce(all);
    distributed::all_reduce(most, distributed::ReduceOp::max);
    at::Tensor own = at::zeros({std::max<int64_t>(1, most.item<int64_t>())}, at::kLong); // 0 stands for no file
    std::transform(written_.begin(), written_.end(), own.mutable_data_ptr<int64_t>(),
                   [](const auto& file) { return file.first; });
    const std::vector<at::Tensor> ranks = distributed::all_gather(own);
    for (int64_t rank = 0; rank < distributed::world_size(); ++rank) {
        const at::Tensor& hashes = ranks[static_cast<std::size_t>(rank)];
        for (const int64_t hash : std::span(hashes.const_data_ptr<int64_t>(), static_cast<std::size_t>(own.numel()))) {
            const auto file = written_.find(hash);
            if (rank != distributed::rank() && file != written_.end()) {
                throw UsageError("ranks " + std::to_string(distributed::rank()) + " and " + std::to_string(rank) +
                                 " both have a sample for the file " + file->second + ": " + detail::same_identifiers);
            }
        }
    }
    return all.item<int64_t>();
}

} // namespace audyn::trainer
