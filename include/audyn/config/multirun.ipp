#pragma once

#include <audyn/config/info.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/multirun.hpp>
#include <audyn/config/run_folder.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>

namespace audyn::config::detail {

AUDYN_INLINE std::string status_text(const SweepJob& job) {
    if (!job.end) {
        return "not run";
    }
    if (job.end->signal != 0) {
        return concat({"killed (", ::strsignal(job.end->signal), ")"});
    }
    return job.end->succeeded() ? "done" : concat({"failed (exit code ", std::to_string(job.end->exit_code), ")"});
}

AUDYN_INLINE Multirun::Multirun(const CommandLine& command_line, const Program& program)
    : command_line_(command_line), program_(program), start_(std::time(nullptr)) {}

AUDYN_INLINE int Multirun::run() {
    const Config master = compose_master();
    prepare_jobs(master);
    for (const std::string& warning : warnings_) {
        std::cerr << "warning: " << warning << '\n';
    }
    const Config whole = with_hydra(master);
    const std::filesystem::path folder =
        std::filesystem::absolute(python_text(whole.at("hydra.sweep.dir").to_value(true))).lexically_normal();
    make_folder(folder);
    write_file(folder / "multirun.yaml", whole.to_yaml());
    std::cout << (jobs_.size() == 1 ? "1 job" : concat({std::to_string(jobs_.size()), " jobs"})) << " below "
              << folder.string() << '\n';
    const bool stop = whole.get<bool>("hydra.sweeper.stop_on_failure", false);
    run_jobs(stop);
    std::cout << '\n' << results() << std::flush;
    if (interrupted_ != 0) {
        return 128 + interrupted_;
    }
    return std::ranges::all_of(jobs_, [](const SweepJob& job) { return job.end && job.end->succeeded(); }) ? 0 : 1;
}

AUDYN_INLINE std::string Multirun::config_name() const {
    return command_line_.config_name.value_or(program_.default_config_name);
}

AUDYN_INLINE Config Multirun::compose_master() {
    std::vector<std::string> overrides = command_line_.overrides;
    const auto names_mode = [](const std::string& text) { return text == "hydra.mode=MULTIRUN"; };
    if (std::ranges::none_of(overrides, names_mode)) {
        overrides.emplace_back("hydra.mode=MULTIRUN");
    }
    Config master =
        compose_from_command_line(command_line_, program_, config_name(), overrides, {true, &details_, start_});
    add_warnings(master);
    return master;
}

AUDYN_INLINE void Multirun::add_warnings(const Config& config) {
    for (const std::string& warning : config.warnings()) {
        if (std::ranges::find(warnings_, warning) == warnings_.end()) {
            warnings_.push_back(warning);
        }
    }
}

AUDYN_INLINE std::vector<std::string> Multirun::overrides_of(const Config& config, const std::string& kind) {
    const Value list = config.hydra().at(concat({"overrides.", kind})).to_value();
    std::vector<std::string> result;
    for (std::size_t index = 0; index < list.size(); ++index) {
        result.push_back(python_text(list.child(index)));
    }
    return result;
}

AUDYN_INLINE std::vector<std::string> Multirun::parameters(const Config& master) {
    std::vector<std::string> result;
    const auto given = with_hydra(master).find("hydra.sweeper.params");
    if (given && !given->is_null()) {
        for (const auto& [key, value] : given->items()) {
            result.push_back(concat({key, "=", python_text(value.to_value(true))}));
        }
    }
    return result;
}

AUDYN_INLINE void Multirun::prepare_jobs(const Config& master) {
    std::vector<std::string> swept = parameters(master);
    std::ranges::move(overrides_of(master, "task"), std::back_inserter(swept));
    hydra_overrides_ = overrides_of(master, "hydra");
    Mistakes mistakes;
    for (std::vector<std::string>& overrides : sweep_jobs(swept, details_.search_path)) {
        jobs_.push_back({std::move(overrides), {}, std::nullopt, 0.0});
        mistakes.attempt([this] { compose_job(jobs_.size() - 1); });
    }
    try {
        mistakes.throw_if_any();
    } catch (const ConfigError& error) {
        throw ConfigError(concat({"no job was started, because not every one can be composed:\n", error.what()}));
    }
}

AUDYN_INLINE void Multirun::compose_job(std::size_t number) {
    std::vector<std::string> overrides = hydra_overrides_;
    overrides.insert(overrides.end(), jobs_[number].overrides.begin(), jobs_[number].overrides.end());
    const Config config =
        compose_from_command_line(command_line_, program_, config_name(), overrides, {false, nullptr, start_});
    set_job_number(config, static_cast<std::int64_t>(number));
    jobs_[number].folder = output_folder(config);
    config.hydra().set("runtime.output_dir", Value(jobs_[number].folder.string()));
    add_warnings(config);
    warn_if_shared("the folder of the job", jobs_[number].folder.string(), number);
    for (const std::string& key : program_.output_keys) {
        if (const auto output = config.get_optional<std::string>(key)) {
            warn_if_shared(concat({"'", key, "'"}), *output, number);
        }
    }
}

AUDYN_INLINE void Multirun::warn_if_shared(const std::string& what, const std::string& output, std::size_t number) {
    const auto [first, is_new] = outputs_.emplace(std::pair(what, output), number);
    if (!is_new && warned_.emplace(what, true).second) {
        warnings_.push_back(
            concat({"jobs ", std::to_string(first->second), " and ", std::to_string(number),
                    " write to the same place (", what, " is '", output, "'); the one replaces what the other wrote",
                    what.starts_with('\'')
                        ? concat({". To keep them apart, begin its value with '${hydra:runtime.output_dir}'"})
                        : ""}));
    }
}

AUDYN_INLINE void Multirun::run_jobs(bool stop_on_failure) {
    for (std::size_t number = 0; number < jobs_.size() && interrupted_ == 0; ++number) {
        SweepJob& job = jobs_[number];
        std::cout << "\n#" << number << ": " << join(job.overrides, " ") << std::endl;
        const auto begin = std::chrono::steady_clock::now();
        job.end = run_again(arguments(number));
        job.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        interrupted_ = job.end->interrupted;
        if (stop_on_failure && !job.end->succeeded()) {
            return;
        }
    }
}

AUDYN_INLINE std::vector<std::string> Multirun::arguments(std::size_t number) const {
    std::vector<std::string> result{command_line_.path};
    if (!command_line_.command.empty()) {
        result.push_back(command_line_.command);
    }
    for (const auto& [option, value] :
         {std::pair("--config-path", command_line_.config_path), std::pair("--config-dir", command_line_.config_dir),
          std::pair("--config-name", command_line_.config_name)}) {
        if (value) {
            result.push_back(concat({std::string(option), "=", *value}));
        }
    }
    result.push_back(concat({"--job-number=", std::to_string(number)}));
    result.push_back(concat({"--job-folder=", jobs_[number].folder.string()}));
    result.push_back(concat({"--job-start=", std::to_string(start_)}));
    result.insert(result.end(), hydra_overrides_.begin(), hydra_overrides_.end());
    result.insert(result.end(), jobs_[number].overrides.begin(), jobs_[number].overrides.end());
    return result;
}

AUDYN_INLINE std::string Multirun::results() const {
    std::vector<std::vector<std::string>> rows{{"Job", "Status", "Seconds", "Folder", "Overrides"}};
    for (std::size_t number = 0; number < jobs_.size(); ++number) {
        const SweepJob& job = jobs_[number];
        std::array<char, 32> seconds{};
        static_cast<void>(std::snprintf(seconds.data(), seconds.size(), "%.1f", job.seconds));
        rows.push_back({std::to_string(number), status_text(job), job.end ? seconds.data() : "",
                        std::filesystem::proximate(job.folder).string(), join(job.overrides, " ")});
    }
    return table_text("Results", rows);
}

} // namespace audyn::config::detail
