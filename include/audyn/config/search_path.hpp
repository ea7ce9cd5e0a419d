#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/location.hpp>
#include <audyn/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace audyn::config {

/// A configuration compiled into the program. `path` has no extension: `system/cuda`.
struct EmbeddedFile {
    std::string_view path;
    std::string_view text;
};

/// One place where configurations are looked up.
class ConfigSource {
public:
    ConfigSource() = default;
    ConfigSource(const ConfigSource&) = delete;
    ConfigSource& operator=(const ConfigSource&) = delete;
    virtual ~ConfigSource() = default;

    /// The text of a configuration such as `system/cuda`; nothing when this place has none.
    [[nodiscard]] virtual std::shared_ptr<const Source> load(const std::string& path) const = 0;
    [[nodiscard]] virtual bool has_config(const std::string& path) const = 0;
    /// A group is a folder; the root is the group "".
    [[nodiscard]] virtual bool has_group(const std::string& path) const = 0;
    /// Names of the configurations of a group.
    [[nodiscard]] virtual std::vector<std::string> options(const std::string& group) const = 0;
    /// Names of the groups in a group.
    [[nodiscard]] virtual std::vector<std::string> groups(const std::string& group) const = 0;
    /// For messages: a file that has the wrong ending for this configuration; empty when there is none.
    [[nodiscard]] virtual std::string near_miss(const std::string& path) const {
        static_cast<void>(path);
        return "";
    }
    /// For messages: the folder, or what the embedded files are called.
    [[nodiscard]] virtual std::string description() const = 0;
    /// The kind of place, as in `hydra.runtime.config_sources`: `file`, or `builtin` for what is compiled in.
    [[nodiscard]] virtual std::string scheme() const { return "file"; }
    [[nodiscard]] virtual bool is_available() const { return true; }
};

/// A folder of YAML files.
class FolderSource : public ConfigSource {
public:
    explicit FolderSource(std::filesystem::path folder) : folder_(std::move(folder)) {}

    [[nodiscard]] std::shared_ptr<const Source> load(const std::string& path) const override {
        const std::filesystem::path file = file_of(path);
        if (!has_config(path)) {
            return nullptr;
        }
        std::error_code code;
        if (std::filesystem::file_size(file, code) > limits::file_size) {
            throw ConfigError(
                concat({file.string(), ": the file is larger than ", std::to_string(limits::file_size), " bytes"}));
        }
        std::ifstream stream(file, std::ios::binary);
        std::ostringstream text;
        text << stream.rdbuf();
        if (!stream) {
            throw ConfigError(concat({file.string(), ": the file cannot be read"}));
        }
        return std::make_shared<const Source>(Source{Origin::file, file.string(), text.str()});
    }
    [[nodiscard]] bool has_config(const std::string& path) const override {
        std::error_code code;
        return std::filesystem::is_regular_file(file_of(path), code);
    }
    [[nodiscard]] bool has_group(const std::string& path) const override {
        std::error_code code;
        return std::filesystem::is_directory(normal(folder_ / path), code);
    }
    [[nodiscard]] std::vector<std::string> options(const std::string& group) const override {
        std::vector<std::string> names;
        visit(group, [&names](const std::filesystem::directory_entry& entry, std::error_code& code) {
            if (entry.is_regular_file(code) && entry.path().extension() == ".yaml") {
                names.push_back(entry.path().stem().string());
            }
        });
        return names;
    }
    [[nodiscard]] std::vector<std::string> groups(const std::string& group) const override {
        std::vector<std::string> names;
        visit(group, [&names](const std::filesystem::directory_entry& entry, std::error_code& code) {
            if (entry.is_directory(code)) {
                names.push_back(entry.path().filename().string());
            }
        });
        return names;
    }
    [[nodiscard]] std::string near_miss(const std::string& path) const override {
        for (const char* ending : {".yml", ".YAML", ".YML", ".json", ""}) {
            std::error_code code;
            const std::filesystem::path file = normal(folder_ / concat({path, ending}));
            if (std::filesystem::is_regular_file(file, code)) {
                return file.string();
            }
        }
        return "";
    }
    [[nodiscard]] std::string description() const override { return folder_.string(); }
    [[nodiscard]] bool is_available() const override { return has_group(""); }

private:
    /// `..` is taken out by name, so that `missing/../x` is `x`.
    static std::filesystem::path normal(const std::filesystem::path& path) { return path.lexically_normal(); }

    [[nodiscard]] std::filesystem::path file_of(const std::string& path) const {
        return normal(folder_ / (path.ends_with(".yaml") ? path : concat({path, ".yaml"})));
    }

    template <class Visitor>
    void visit(const std::string& group, Visitor visitor) const {
        std::error_code code;
        for (const auto& entry : std::filesystem::directory_iterator(normal(folder_ / group), code)) {
            visitor(entry, code);
        }
    }

    std::filesystem::path folder_;
};

/// Files compiled into the program.
class EmbeddedSource : public ConfigSource {
public:
    EmbeddedSource(std::string name, std::span<const EmbeddedFile> files) : name_(std::move(name)) {
        for (const EmbeddedFile& file : files) {
            files_.emplace(file.path, file.text);
            for (auto slash = file.path.find('/'); slash != std::string_view::npos;
                 slash = file.path.find('/', slash + 1)) {
                groups_.emplace(file.path.substr(0, slash));
            }
        }
    }

    [[nodiscard]] std::shared_ptr<const Source> load(const std::string& path) const override {
        const auto found = files_.find(without_extension(path));
        if (found == files_.end()) {
            return nullptr;
        }
        return std::make_shared<const Source>(
            Source{Origin::builtin, concat({found->first, ".yaml"}), std::string(found->second)});
    }
    [[nodiscard]] bool has_config(const std::string& path) const override {
        return files_.contains(without_extension(path));
    }
    [[nodiscard]] bool has_group(const std::string& path) const override {
        return path.empty() || groups_.contains(normal(path));
    }
    [[nodiscard]] std::vector<std::string> options(const std::string& group) const override {
        std::vector<std::string> names;
        for (const auto& [path, text] : files_) {
            add_if_below(path, group, names);
        }
        return names;
    }
    [[nodiscard]] std::vector<std::string> groups(const std::string& group) const override {
        std::vector<std::string> names;
        for (const std::string& path : groups_) {
            add_if_below(path, group, names);
        }
        return names;
    }
    [[nodiscard]] std::string description() const override { return name_; }
    [[nodiscard]] std::string scheme() const override { return "builtin"; }

private:
    static std::string normal(const std::string& path) {
        return std::filesystem::path(path).lexically_normal().string();
    }
    static std::string without_extension(const std::string& path) {
        return normal(path.ends_with(".yaml") ? path.substr(0, path.size() - 5) : path);
    }
    static void add_if_below(const std::string& path, const std::string& group, std::vector<std::string>& names) {
        const std::size_t start = group.empty() ? 0 : group.size() + 1;
        if ((group.empty() || path.starts_with(concat({group, "/"}))) && path.find('/', start) == std::string::npos &&
            path.size() > start) {
            names.push_back(path.substr(start));
        }
    }

    std::string name_;
    std::map<std::string, std::string_view, std::less<>> files_;
    std::set<std::string, std::less<>> groups_;
};

/// Where configurations are looked up, in order: the first place that has one wins. Cheap to copy.
class SearchPath {
public:
    /// `provider` says who names this place, as in `hydra.runtime.config_sources`.
    SearchPath& add(std::shared_ptr<const ConfigSource> source, std::string provider = "main") {
        sources_.push_back(std::move(source));
        providers_.push_back(std::move(provider));
        return *this;
    }
    SearchPath& add_folder(std::filesystem::path folder, std::string provider = "main") {
        return add(std::make_shared<const FolderSource>(std::move(folder)), std::move(provider));
    }
    /// `files` must live as long as the search path, as constants do.
    SearchPath& add_embedded(std::string name, std::span<const EmbeddedFile> files) {
        return add(std::make_shared<const EmbeddedSource>(std::move(name), files));
    }
    SearchPath& add(const SearchPath& other) {
        sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
        providers_.insert(providers_.end(), other.providers_.begin(), other.providers_.end());
        return *this;
    }

    [[nodiscard]] const std::vector<std::shared_ptr<const ConfigSource>>& sources() const { return sources_; }
    /// Of each place of `sources`.
    [[nodiscard]] const std::vector<std::string>& providers() const { return providers_; }

    [[nodiscard]] std::shared_ptr<const Source> load(const std::string& path) const {
        for (const auto& source : sources_) {
            if (source->has_config(path)) {
                return source->load(path);
            }
        }
        return nullptr;
    }
    [[nodiscard]] bool has_config(const std::string& path) const {
        return std::ranges::any_of(sources_, [&path](const auto& source) { return source->has_config(path); });
    }
    [[nodiscard]] bool has_group(const std::string& path) const {
        return std::ranges::any_of(sources_, [&path](const auto& source) { return source->has_group(path); });
    }
    /// Options of a group in all places, sorted, each once.
    [[nodiscard]] std::vector<std::string> options(const std::string& group) const {
        return collect([&group](const ConfigSource& source) { return source.options(group); });
    }
    [[nodiscard]] std::vector<std::string> groups(const std::string& group) const {
        return collect([&group](const ConfigSource& source) { return source.groups(group); });
    }

private:
    template <class List>
    [[nodiscard]] std::vector<std::string> collect(List list) const {
        std::set<std::string> names;
        for (const auto& source : sources_) {
            for (std::string& name : list(*source)) {
                names.insert(std::move(name));
            }
        }
        return {names.begin(), names.end()};
    }

    std::vector<std::shared_ptr<const ConfigSource>> sources_;
    std::vector<std::string> providers_;
};

} // namespace audyn::config
