#pragma once

#include <audyn/criterion/criterion.hpp>

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::criterion {

/// A criterion as part of the training's loss; an entry of Audyn's `criterion` group.
struct WeightedCriterion {
    std::string name;
    std::shared_ptr<Criterion> criterion;
    double weight = 1.0;
    /// (argument of the criterion, name of the model's output). An argument that takes a list is mapped once for each
    /// tensor of it, in order.
    std::vector<std::pair<std::string, std::string>> estimated = {};
    /// (argument of the criterion, name in the batch).
    std::vector<std::pair<std::string, std::string>> target = {};
};

/// Criteria and the weighted sum of their losses. Sorted by name, as in Audyn.
class Criteria {
public:
    Criteria() = default;
    Criteria(std::initializer_list<WeightedCriterion> criteria);

    /// Whether Audyn passes over an entry of this name: it begins or ends with an underscore.
    [[nodiscard]] static bool is_ignored(const std::string& name);

    /// Adds a criterion unless its name is_ignored().
    /// \throws UsageError for a name that exists, no criterion, and a mapping of an argument that the criterion does
    /// not have, or of one twice that takes no list.
    void add(WeightedCriterion criterion);

    [[nodiscard]] std::size_t size() const { return criteria_.size(); }
    [[nodiscard]] bool empty() const { return criteria_.empty(); }
    [[nodiscard]] const WeightedCriterion& operator[](std::size_t index) const { return criteria_[index]; }
    [[nodiscard]] auto begin() const { return criteria_.begin(); }
    [[nodiscard]] auto end() const { return criteria_.end(); }

    /// The sum of `losses`, one for each criterion, times the weights. A single loss of weight 1 is returned as it is.
    [[nodiscard]] at::Tensor weighted_sum(std::span<const at::Tensor> losses) const;

private:
    static at::Tensor weighted(const at::Tensor& loss, double weight);
    static void check_mapping(const WeightedCriterion& criterion);

    std::vector<WeightedCriterion> criteria_;
};

/// `loss` as Criteria: a Criteria as it is; one criterion, a holder of a loss module, or anything that can be called
/// with (input, target) under the name "loss".
template <class Loss>
[[nodiscard]] Criteria make_criteria(Loss loss) {
    if constexpr (std::is_same_v<Loss, Criteria>) {
        return loss;
    } else if constexpr (std::convertible_to<Loss, std::shared_ptr<Criterion>>) {
        return {{.name = "loss", .criterion = std::move(loss)}};
    } else {
        return {{.name = "loss", .criterion = make(std::move(loss))}};
    }
}

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/criteria.ipp>
#endif
