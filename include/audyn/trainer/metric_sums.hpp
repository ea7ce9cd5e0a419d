#pragma once

#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// A named number that was averaged over batches.
struct Metric {
    std::string name;
    double value;
};

/// Sums of named scalars over an epoch and over the current iteration. They stay on the device of the values and are
/// read only when asked, so that a step never waits for a GPU; values on the CPU are added at once, without an
/// operator. It remembers which batch was the first to bring a value that is not finite: a sum that has met one stays
/// so.
class MetricSums {
public:
    /// Where a scalar is added; get it once by `slot`.
    using Slot = std::size_t;

    /// With slots 0, 1, ... for `names`.
    explicit MetricSums(std::vector<std::string> names = {}) : names_(std::move(names)), cells_(names_.size()) {}

    /// The slot of `name`, made when it does not exist.
    Slot slot(std::string_view name) {
        for (Slot i = 0; i < names_.size(); ++i) {
            if (names_[i] == name) {
                return i;
            }
        }
        names_.emplace_back(name);
        cells_.emplace_back();
        return names_.size() - 1;
    }

    /// Adds a 0-dim tensor.
    void add(Slot slot, const at::Tensor& value) {
        Cell& cell = cells_[slot];
        if (value.device().is_cpu()) {
            add_number(cell, value.scalar_type() == at::kFloat ? static_cast<double>(*value.const_data_ptr<float>())
                                                               : value.item().toDouble());
        } else {
            add_on_device(cell, value.detach());
        }
    }
    /// Adds a number.
    void add(Slot slot, double value) { add_number(cells_[slot], value); }

    /// Starts a new iteration: `iteration_means` covers the batches from here on.
    void start_iteration() {
        for (Cell& cell : cells_) {
            cell.iteration_sum = 0.0;
            cell.iteration_count = 0;
            cell.device_iteration_sum = at::Tensor();
        }
    }

    /// Forgets all sums; slots stay.
    void reset() {
        for (Cell& cell : cells_) {
            cell = Cell{};
        }
    }

    /// Means over the epoch so far. Reads from the device.
    [[nodiscard]] std::vector<Metric> means() const {
        std::vector<Metric> result;
        for (Slot i = 0; i < names_.size(); ++i) {
            const Cell& cell = cells_[i];
            if (cell.count > 0) {
                result.push_back({names_[i], (cell.sum + read(cell.device_sum)) / static_cast<double>(cell.count)});
            }
        }
        return result;
    }

    /// Means over the current iteration. Reads from the device.
    [[nodiscard]] std::vector<Metric> iteration_means() const { return iteration_means_of(iteration_sums()); }

    /// The current iteration's sums and counts, what ranks add up for `iteration_means_of`. (2, number of slots),
    /// float64, CPU. Reads from the device.
    [[nodiscard]] at::Tensor iteration_sums() const {
        at::Tensor sums = at::zeros({2, static_cast<int64_t>(cells_.size())}, at::kDouble);
        double* const values = sums.mutable_data_ptr<double>();
        for (Slot i = 0; i < cells_.size(); ++i) {
            values[i] = cells_[i].iteration_sum + read(cells_[i].device_iteration_sum);
            values[cells_.size() + i] = static_cast<double>(cells_[i].iteration_count);
        }
        return sums;
    }
    [[nodiscard]] std::vector<Metric> iteration_means_of(const at::Tensor& sums) const {
        const double* const values = sums.const_data_ptr<double>();
        std::vector<Metric> result;
        for (Slot i = 0; i < names_.size(); ++i) {
            if (const double count = values[cells_.size() + i]; count > 0) {
                result.push_back({names_[i], values[i] / count});
            }
        }
        return result;
    }

    struct NonFinite {
        std::string name;
        /// 0-based among the values added since `reset`: the batch, where each batch adds one.
        int64_t batch;
    };

    /// The first value that was not finite, if there was one. Reads from the device.
    [[nodiscard]] std::optional<NonFinite> first_non_finite() const {
        std::optional<NonFinite> first;
        for (Slot i = 0; i < names_.size(); ++i) {
            const Cell& cell = cells_[i];
            const int64_t finite =
                cell.finite_count + (cell.device_finite_count.defined() ? cell.device_finite_count.item<int64_t>() : 0);
            if (finite < cell.count && (!first || finite < first->batch)) {
                first = NonFinite{names_[i], finite};
            }
        }
        return first;
    }

    /// The epoch's sums, so that an interrupted epoch can be continued. What was summed on a device stays apart, since
    /// it goes on there: another order of additions would round differently. Reads from the device.
    [[nodiscard]] StateDict state_dict() const {
        StateDict cells;
        for (Slot i = 0; i < names_.size(); ++i) {
            const Cell& cell = cells_[i];
            StateDict state{{"sum", cell.sum}, {"count", cell.count}};
            if (cell.device_sum.defined()) {
                state.set("device_sum", read(cell.device_sum));
            }
            cells.set(names_[i], std::move(state));
        }
        return cells;
    }

    /// \throws StateError when `state` is not from `state_dict`.
    void load_state_dict(const StateDict& state) {
        reset();
        for (const auto& [name, cell_state] : state) {
            const StateDict& saved = cell_state.as_dict();
            Cell& cell = cells_[slot(name.string())];
            cell.sum = saved.at("sum").as_float();
            cell.count = saved.at("count").as_int();
            cell.finite_count = cell.count;
            if (const state::Value* device_sum = saved.find("device_sum")) {
                cell.device_sum = at::full({}, device_sum->as_float(), at::kDouble);
            }
        }
    }

private:
    struct Cell {
        double sum = 0.0;
        double iteration_sum = 0.0;
        int64_t count = 0;
        int64_t iteration_count = 0;
        int64_t finite_count = 0;
        at::Tensor device_sum;
        at::Tensor device_iteration_sum;
        at::Tensor device_finite_count;
    };

    static void add_number(Cell& cell, double value) {
        cell.sum += value;
        cell.iteration_sum += value;
        cell.finite_count += std::isfinite(cell.sum) ? 1 : 0;
        ++cell.count;
        ++cell.iteration_count;
    }

    static void add_on_device(Cell& cell, const at::Tensor& value) {
        // MPS has no float64.
        const auto options = value.options().dtype(value.device().is_mps() ? at::kFloat : at::kDouble);
        if (!cell.device_sum.defined()) {
            cell.device_sum = at::zeros({}, options);
        }
        if (!cell.device_finite_count.defined()) {
            cell.device_sum = cell.device_sum.to(options); // A resumed sum comes from the host.
            cell.device_finite_count = at::zeros({}, value.options().dtype(at::kLong));
        }
        cell.device_sum.add_(value);
        cell.device_iteration_sum = cell.device_iteration_sum.defined() ? cell.device_iteration_sum.add(value) : value;
        cell.device_finite_count.add_(at::isfinite(cell.device_sum));
        ++cell.count;
        ++cell.iteration_count;
    }

    static double read(const at::Tensor& sum) { return sum.defined() ? sum.item().toDouble() : 0.0; }

    std::vector<std::string> names_;
    std::vector<Cell> cells_;
};

} // namespace audyn::trainer
