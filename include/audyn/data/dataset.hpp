#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/data/random.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace audyn::data {

/// A finite set of samples. `get` and `get_batch` are called by several worker threads at once and must not touch
/// libtorch's default generator.
class Dataset {
public:
    Dataset() = default;
    Dataset(const Dataset&) = delete;
    Dataset& operator=(const Dataset&) = delete;
    virtual ~Dataset() = default;

    /// Number of samples.
    [[nodiscard]] virtual int64_t size() const = 0;

    /// Sample `index` in [0, size()). Whatever is drawn at random comes from `random`.
    [[nodiscard]] virtual Sample get(int64_t index, Random& random) const = 0;

    /// The samples of `indices`, collated, where the dataset can read them at once; else nothing, and `get` is called
    /// for each. `random[k]` is the generator that `get` would be given for `indices[k]`.
    [[nodiscard]] AUDYN_INLINE virtual std::optional<Batch> get_batch([[maybe_unused]] std::span<const int64_t> indices,
                                                                      [[maybe_unused]] const BatchRandom& random) const;

    /// What a person calls sample `index`, for example its file: named in errors.
    [[nodiscard]] virtual std::string sample_name(int64_t index) const { return "sample " + std::to_string(index); }
};

} // namespace audyn::data

namespace audyn {
using data::Dataset;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/data/dataset.ipp>
#endif
