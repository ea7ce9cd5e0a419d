#pragma once

#include <audyn/core/error.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Evaluates the criteria of one step. Where each argument comes from is looked up once:
/// - mapped as estimated: the model's output of that name; mapped as target: the batch's value of that name; a list is
///   one output that has several tensors, or is mapped once for each of its tensors;
/// - a criterion without any mapping: its first argument is the model's first output, each other one the batch's value
///   of the argument's name or, where there is none, the next value of the batch that the model does not take.
class Loss {
public:
    /// The value of criterion i goes to slot `first_slot` + i of the sums.
    explicit Loss(criterion::Criteria criteria, std::size_t first_slot = 1)
        : criteria_(std::move(criteria)), first_slot_(first_slot) {}

    [[nodiscard]] const criterion::Criteria& criteria() const { return criteria_; }

    /// Moves what the criteria have of parameters and buffers.
    void to(const at::Device& device) {
        for (const criterion::WeightedCriterion& entry : criteria_) {
            if (const auto module = entry.criterion->module()) {
                module->to(device);
            }
        }
    }

    /// Names of what a step measures: "total", and each criterion's.
    [[nodiscard]] std::vector<std::string> metric_names() const {
        std::vector<std::string> names{"total"};
        for (const criterion::WeightedCriterion& entry : criteria_) {
            names.push_back(entry.name);
        }
        return names;
    }

    /// The weighted total, a 0-dim tensor. Each criterion's value is added to its slot of `sums`, which was made with
    /// `metric_names`. `taken` tells whether the model takes the value at a position of the batch.
    template <class Taken>
    at::Tensor operator()(const Outputs& outputs, const data::Batch& batch, MetricSums& sums, const Taken& taken) {
        if (!fits(outputs, batch)) {
            resolve(outputs, batch, taken);
        }
        losses_.clear();
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            const criterion::WeightedCriterion& entry = criteria_[i];
            arguments_.clear();
            for (const Source& source : sources_[i]) {
                arguments_.push_back(source.from_batch ? batch.tensor(source.position)
                                                       : outputs.tensor(source.position));
            }
            at::Tensor value = evaluate(entry, arguments_);
            require_scalar(entry.name, value);
            sums.add(first_slot_ + i, value);
            losses_.push_back(std::move(value));
        }
        const at::Tensor total = criteria_.weighted_sum(losses_);
        // Kept tensors would keep the autograd graph.
        arguments_.clear();
        losses_.clear();
        return total;
    }

private:
    struct Source {
        bool from_batch;
        std::size_t position;
        std::string name;
    };

    bool fits(const Outputs& outputs, const data::Batch& batch) const {
        for (const std::vector<Source>& sources : sources_) {
            for (const Source& source : sources) {
                const bool same =
                    source.from_batch
                        ? source.position < batch.size() && batch.entry(source.position).first == source.name
                        : source.position < outputs.size() && outputs.name(source.position) == source.name;
                if (!same) {
                    return false;
                }
            }
        }
        return !sources_.empty();
    }

    template <class Taken>
    void resolve(const Outputs& outputs, const data::Batch& batch, const Taken& taken) {
        if (criteria_.empty()) {
            throw UsageError("the trainer has no criterion; give one, or a step that computes the loss itself");
        }
        sources_.clear();
        for (const criterion::WeightedCriterion& entry : criteria_) {
            sources_.push_back(entry.estimated.empty() && entry.target.empty()
                                   ? by_position(entry, outputs, batch, taken)
                                   : by_name(entry, outputs, batch));
        }
    }

    static std::vector<Source> by_name(const criterion::WeightedCriterion& entry, const Outputs& outputs,
                                       const data::Batch& batch) {
        std::vector<Source> sources;
        std::size_t length = 0; // of the lists; 1 where arguments are single tensors
        for (const std::string& argument : entry.criterion->arguments()) {
            const std::vector<Source> own = sources_of(entry, argument, outputs, batch);
            if (own.empty()) {
                throw UsageError("criterion '" + entry.name + "': its argument '" + argument +
                                 "' is mapped neither as estimated nor as target");
            }
            if (length != 0 && own.size() != length) {
                throw UsageError("criterion '" + entry.name + "': its argument '" + argument + "' is a list of " +
                                 std::to_string(own.size()) + " tensors, those before it have " +
                                 std::to_string(length));
            }
            length = own.size();
            sources.insert(sources.end(), own.begin(), own.end());
        }
        return sources;
    }

    /// Where an argument's tensors come from: several where it is a list, none where it is not mapped.
    static std::vector<Source> sources_of(const criterion::WeightedCriterion& entry, const std::string& argument,
                                          const Outputs& outputs, const data::Batch& batch) {
        std::vector<Source> sources;
        for (const auto& [key, name] : entry.estimated) {
            if (key == argument) {
                const auto position = outputs.position(name);
                if (!position) {
                    throw UsageError("criterion '" + entry.name + "': argument '" + argument + "' takes the output '" +
                                     name + "', but the model's outputs are: " + outputs.names());
                }
                append_output(entry, argument, outputs, *position, sources);
            }
        }
        for (const auto& [key, name] : entry.target) {
            if (key == argument) {
                const auto position = batch.position(name);
                if (!position) {
                    throw UsageError("criterion '" + entry.name + "': argument '" + argument + "' takes the value '" +
                                     name + "', but the batch has: " + batch.names());
                }
                sources.push_back({true, *position, name});
            }
        }
        return sources;
    }

    /// All tensors of the output at `position`.
    static void append_output(const criterion::WeightedCriterion& entry, const std::string& argument,
                              const Outputs& outputs, std::size_t position, std::vector<Source>& sources) {
        const std::string& name = outputs.name(position);
        const std::size_t count = outputs.count(name);
        if (count > 1 && !entry.criterion->takes_lists()) {
            throw UsageError("criterion '" + entry.name + "': its argument '" + argument +
                             "' is one tensor, but the output '" + name + "' is a list of " + std::to_string(count) +
                             "; give each a name: key_mapping output: [" + name + "_0, " + name + "_1, ...]");
        }
        for (std::size_t i = 0; i < count; ++i) {
            sources.push_back({false, position + i, name});
        }
    }

    template <class Taken>
    static std::vector<Source> by_position(const criterion::WeightedCriterion& entry, const Outputs& outputs,
                                           const data::Batch& batch, const Taken& taken) {
        const auto arguments = entry.criterion->arguments();
        std::vector<Source> sources;
        append_output(entry, arguments[0], outputs, 0, sources);
        std::size_t next = 0;
        for (std::size_t i = 1; i < arguments.size(); ++i) {
            std::optional<std::size_t> position = batch.position(arguments[i]);
            while (!position && next < batch.size()) {
                if (!taken(next) && std::holds_alternative<at::Tensor>(batch.entry(next).second)) {
                    position = next;
                }
                ++next;
            }
            if (!position) {
                throw UsageError("criterion '" + entry.name + "': nothing in the batch fits its argument '" +
                                 std::string(arguments[i]) + "'; the batch has: " + batch.names());
            }
            sources.push_back({true, *position, batch.entry(*position).first});
        }
        return sources;
    }

    /// Says which criterion fails.
    static at::Tensor evaluate(const criterion::WeightedCriterion& entry, const std::vector<at::Tensor>& arguments) {
        try {
            return entry.criterion->forward(arguments);
        } catch (const UsageError& error) {
            throw UsageError("criterion '" + entry.name + "': " + error.what());
        } catch (const DataError& error) {
            throw DataError("criterion '" + entry.name + "': " + error.what());
        } catch (c10::Error& error) {
            error.add_context("in criterion '" + entry.name + "'");
            throw;
        }
    }

    static void require_scalar(const std::string& name, const at::Tensor& value) {
        if (value.dim() != 0) {
            throw UsageError("criterion '" + name + "' gives a tensor of " + std::to_string(value.dim()) +
                             " dimensions; a loss must be a scalar (is its reduction 'none'?)");
        }
    }

    criterion::Criteria criteria_;
    std::size_t first_slot_;
    std::vector<std::vector<Source>> sources_;
    std::vector<at::Tensor> arguments_;
    std::vector<at::Tensor> losses_;
};

} // namespace audyn::trainer
