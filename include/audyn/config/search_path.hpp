#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/location.hpp>
#include <audyn/core/inline.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
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
    [[nodiscard]] AUDYN_INLINE virtual std::string near_miss(const std::string& path) const;
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

    [[nodiscard]] AUDYN_INLINE std::shared_ptr<const Source> load(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE bool has_config(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE bool has_group(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE std::vector<std::string> options(const std::string& group) const override;
    [[nodiscard]] AUDYN_INLINE std::vector<std::string> groups(const std::string& group) const override;
    [[nodiscard]] AUDYN_INLINE std::string near_miss(const std::string& path) const override;
    [[nodiscard]] std::string description() const override { return folder_.string(); }
    [[nodiscard]] bool is_available() const override { return has_group(""); }

private:
    /// `..` is taken out by name, so that `missing/../x` is `x`.
    static std::filesystem::path normal(const std::filesystem::path& path) { return path.lexically_normal(); }

    [[nodiscard]] std::filesystem::path file_of(const std::string& path) const;

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
    EmbeddedSource(std::string name, std::span<const EmbeddedFile> files);

    [[nodiscard]] AUDYN_INLINE std::shared_ptr<const Source> load(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE bool has_config(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE bool has_group(const std::string& path) const override;
    [[nodiscard]] AUDYN_INLINE std::vector<std::string> options(const std::string& group) const override;
    [[nodiscard]] AUDYN_INLINE std::vector<std::string> groups(const std::string& group) const override;
    [[nodiscard]] std::string description() const override { return name_; }
    [[nodiscard]] std::string scheme() const override { return "builtin"; }

private:
    static std::string normal(const std::string& path);
    static std::string without_extension(const std::string& path);
    static void add_if_below(const std::string& path, const std::string& group, std::vector<std::string>& names);

    std::string name_;
    std::map<std::string, std::string_view, std::less<>> files_;
    std::set<std::string, std::less<>> groups_;
};

/// Where configurations are looked up, in order: the first place that has one wins. Cheap to copy.
class SearchPath {
public:
    /// `provider` says who names this place, as in `hydra.runtime.config_sources`.
    SearchPath& add(std::shared_ptr<const ConfigSource> source, std::string provider = "main");
    SearchPath& add_folder(std::filesystem::path folder, std::string provider = "main");
    /// `files` must live as long as the search path, as constants do.
    SearchPath& add_embedded(std::string name, std::span<const EmbeddedFile> files);
    SearchPath& add(const SearchPath& other);

    [[nodiscard]] const std::vector<std::shared_ptr<const ConfigSource>>& sources() const { return sources_; }
    /// Of each place of `sources`.
    [[nodiscard]] const std::vector<std::string>& providers() const { return providers_; }

    [[nodiscard]] std::shared_ptr<const Source> load(const std::string& path) const;
    [[nodiscard]] bool has_config(const std::string& path) const;
    [[nodiscard]] bool has_group(const std::string& path) const;
    /// Options of a group in all places, sorted, each once.
    [[nodiscard]] std::vector<std::string> options(const std::string& group) const;
    [[nodiscard]] std::vector<std::string> groups(const std::string& group) const;

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

#ifndef AUDYN_COMPILED
#    include <audyn/config/search_path.ipp>
#endif
