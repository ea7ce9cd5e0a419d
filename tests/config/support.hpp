#pragma once

#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace config_test {

/// The text of the `ConfigError` that `action` throws; empty when it throws none.
template <class Action>
std::string error_of(Action action) {
    try {
        action();
    } catch (const audyn::ConfigError& error) {
        return error.what();
    }
    return "";
}

/// A file held in memory, whose values count as the user's own.
class MemorySource : public audyn::config::ConfigSource {
public:
    MemorySource(std::string folder, std::vector<std::pair<std::string, std::string>> files)
        : folder_(std::move(folder)), embedded_(folder_, names(files)), files_(std::move(files)) {}

    [[nodiscard]] std::shared_ptr<const audyn::config::Source> load(const std::string& path) const override {
        for (const auto& [name, text] : files_) {
            if (name == path) {
                return std::make_shared<const audyn::config::Source>(
                    audyn::config::Source{audyn::config::Origin::file, folder_ + "/" + name + ".yaml", text});
            }
        }
        return nullptr;
    }
    [[nodiscard]] bool has_config(const std::string& path) const override { return load(path) != nullptr; }
    [[nodiscard]] bool has_group(const std::string& path) const override { return embedded_.has_group(path); }
    [[nodiscard]] std::vector<std::string> options(const std::string& group) const override {
        return embedded_.options(group);
    }
    [[nodiscard]] std::vector<std::string> groups(const std::string& group) const override {
        return embedded_.groups(group);
    }
    [[nodiscard]] std::string description() const override { return folder_; }

private:
    static std::vector<audyn::config::EmbeddedFile>
    names(const std::vector<std::pair<std::string, std::string>>& files) {
        std::vector<audyn::config::EmbeddedFile> result;
        for (const auto& file : files) {
            result.push_back({file.first, ""});
        }
        return result;
    }

    std::string folder_;
    audyn::config::EmbeddedSource embedded_;
    std::vector<std::pair<std::string, std::string>> files_;
};

using Files = std::vector<std::pair<std::string, std::string>>;

inline audyn::config::SearchPath search_path(Files files) {
    return audyn::config::SearchPath().add(std::make_shared<const MemorySource>("conf", std::move(files)));
}

/// Composes `config` of the given files.
inline audyn::Config compose(Files files, const std::vector<std::string>& overrides = {},
                             audyn::config::Resolvers resolvers = {}) {
    return audyn::config::compose(search_path(std::move(files)), "config", overrides, std::move(resolvers));
}

inline audyn::Config parse(const std::string& yaml, audyn::config::Resolvers resolvers = {}) {
    return audyn::config::config_from_yaml(yaml, "x.yaml", std::move(resolvers));
}

} // namespace config_test
