#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/trainer_base.hpp>
#include <audyn/trainer/validation_metrics.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <set>
#include <sstream>

namespace audyn::trainer::detail {

/// What `argument` is mapped to, or nothing.
AUDYN_INLINE const std::string* mapped_to(const std::vector<std::pair<std::string, std::string>>& mapping,
                                          const std::string& argument) {
    const auto found =
        std::find_if(mapping.begin(), mapping.end(), [&](const auto& entry) { return entry.first == argument; });
    return found == mapping.end() ? nullptr : &found->second;
}

AUDYN_INLINE void check_mapping(const MappedMetric& entry) {
    std::multiset<std::string> mapped;
    for (const auto* const mapping : {&entry.estimated, &entry.target}) {
        for (const auto& [argument, source] : *mapping) {
            mapped.insert(argument);
        }
    }
    std::string names;
    bool is_complete = mapped.size() == entry.metric->arguments().size();
    for (const std::string& argument : entry.metric->arguments()) {
        names += (names.empty() ? "" : ", ") + argument;
        is_complete = is_complete && mapped.count(argument) == 1;
    }
    if (!is_complete) {
        throw UsageError("metric '" + entry.name + "': each of its arguments (" + names +
                         ") must be mapped once, as estimated or as target, and nothing else");
    }
}

/// Rows of numbers under their columns.
AUDYN_INLINE std::string table(const at::Tensor& matrix) {
    std::vector<std::string> cells;
    std::size_t width = 0;
    for (int64_t row = 0; row < matrix.size(0); ++row) {
        for (int64_t column = 0; column < matrix.size(1); ++column) {
            cells.push_back(format_number(matrix[row][column].item().toDouble()));
            width = std::max(width, cells.back().size());
        }
    }
    std::ostringstream text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        text << (i % static_cast<std::size_t>(matrix.size(1)) == 0 ? "\n" : "")
             << std::setw(static_cast<int>(width) + 2) << cells[i];
    }
    return text.str();
}

AUDYN_INLINE void log_value(TrainerBase& trainer, const std::string& name, const at::Tensor& value) {
    if (value.dim() == 2) {
        trainer.console().info(name + ", a row for each true class:" + table(value));
    } else if (value.dim() == 0) {
        trainer.log(name, value.item().toDouble());
    } else {
        for (int64_t i = 0; i < value.numel(); ++i) {
            trainer.log(name + "_" + std::to_string(i), value[i].item().toDouble());
        }
    }
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE ValidationMetrics::ValidationMetrics(std::vector<MappedMetric> metrics) : metrics_(std::move(metrics)) {
    std::set<std::string> names;
    for (const MappedMetric& entry : metrics_) {
        if (!entry.metric) {
            throw UsageError("metric '" + entry.name + "' is null");
        }
        if (!names.insert(entry.name).second) {
            throw UsageError("there are two metrics of the name '" + entry.name + "'");
        }
        detail::check_mapping(entry);
    }
}

AUDYN_INLINE void ValidationMetrics::on_validation_start(TrainerBase& trainer) {
    for (const MappedMetric& entry : metrics_) {
        entry.metric->reset();
        entry.metric->to(trainer.options().device()); // Where ranks without a batch add up too.
    }
}

AUDYN_INLINE void ValidationMetrics::on_validation_batch_end(TrainerBase&, const data::Batch& batch,
                                                             const Outputs& outputs) {
    std::vector<at::Tensor> arguments;
    for (const MappedMetric& entry : metrics_) {
        arguments.clear();
        try {
            for (const std::string& argument : entry.metric->arguments()) {
                const std::string* const output = detail::mapped_to(entry.estimated, argument);
                arguments.push_back(output != nullptr ? outputs.tensor(*output)
                                                      : batch.tensor(*detail::mapped_to(entry.target, argument)));
            }
            entry.metric->update(arguments);
        } catch (const UsageError& error) {
            throw UsageError("metric '" + entry.name + "': " + error.what());
        } catch (const DataError& error) {
            throw DataError("metric '" + entry.name + "': " + error.what());
        }
    }
}

AUDYN_INLINE void ValidationMetrics::on_validation_end(TrainerBase& trainer) {
    for (const MappedMetric& entry : metrics_) {
        try {
            const at::Tensor value = entry.metric->compute([&](at::Tensor& sum) { trainer.sum_over_ranks(sum); }).cpu();
            if (trainer.is_main_process()) { // The value is that of all ranks: one of them logs it.
                detail::log_value(trainer, entry.name, value);
            }
        } catch (const DataError& error) {
            throw DataError("metric '" + entry.name + "': " + error.what());
        }
    }
}

} // namespace audyn::trainer
