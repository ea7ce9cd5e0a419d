#pragma once

#include <audyn/config/search_path.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>

namespace audyn::config {

AUDYN_INLINE std::string ConfigSource::near_miss(const std::string& path) const {
    static_cast<void>(path);
    return "";
}

AUDYN_INLINE std::shared_ptr<const Source> FolderSource::load(const std::string& path) const {
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

AUDYN_INLINE bool FolderSource::has_config(const std::string& path) const {
    std::error_code code;
    return std::filesystem::is_regular_file(file_of(path), code);
}

AUDYN_INLINE bool FolderSource::has_group(const std::string& path) const {
    std::error_code code;
    return std::filesystem::is_directory(normal(folder_ / path), code);
}

AUDYN_INLINE std::vector<std::string> FolderSource::options(const std::string& group) const {
    std::vector<std::string> names;
    visit(group, [&names](const std::filesystem::directory_entry& entry, std::error_code& code) {
        if (entry.is_regular_file(code) && entry.path().extension() == ".yaml") {
            names.push_back(entry.path().stem().string());
        }
    });
    return names;
}

AUDYN_INLINE std::vector<std::string> FolderSource::groups(const std::string& group) const {
    std::vector<std::string> names;
    visit(group, [&names](const std::filesystem::directory_entry& entry, std::error_code& code) {
        if (entry.is_directory(code)) {
            names.push_back(entry.path().filename().string());
        }
    });
    return names;
}

AUDYN_INLINE std::string FolderSource::near_miss(const std::string& path) const {
    for (const char* ending : {".yml", ".YAML", ".YML", ".json", ""}) {
        std::error_code code;
        const std::filesystem::path file = normal(folder_ / concat({path, ending}));
        if (std::filesystem::is_regular_file(file, code)) {
            return file.string();
        }
    }
    return "";
}

AUDYN_INLINE std::filesystem::path FolderSource::file_of(const std::string& path) const {
    return normal(folder_ / (path.ends_with(".yaml") ? path : concat({path, ".yaml"})));
}

AUDYN_INLINE EmbeddedSource::EmbeddedSource(std::string name, std::span<const EmbeddedFile> files)
    : name_(std::move(name)) {
    for (const EmbeddedFile& file : files) {
        files_.emplace(file.path, file.text);
        for (auto slash = file.path.find('/'); slash != std::string_view::npos;
             slash = file.path.find('/', slash + 1)) {
            groups_.emplace(file.path.substr(0, slash));
        }
    }
}

AUDYN_INLINE std::shared_ptr<const Source> EmbeddedSource::load(const std::string& path) const {
    const auto found = files_.find(without_extension(path));
    if (found == files_.end()) {
        return nullptr;
    }
    return std::make_shared<const Source>(
        Source{Origin::builtin, concat({found->first, ".yaml"}), std::string(found->second)});
}

AUDYN_INLINE bool EmbeddedSource::has_config(const std::string& path) const {
    return files_.contains(without_extension(path));
}

AUDYN_INLINE bool EmbeddedSource::has_group(const std::string& path) const {
    return path.empty() || groups_.contains(normal(path));
}

AUDYN_INLINE std::vector<std::string> EmbeddedSource::options(const std::string& group) const {
    std::vector<std::string> names;
    for (const auto& [path, text] : files_) {
        add_if_below(path, group, names);
    }
    return names;
}

AUDYN_INLINE std::vector<std::string> EmbeddedSource::groups(const std::string& group) const {
    std::vector<std::string> names;
    for (const std::string& path : groups_) {
        add_if_below(path, group, names);
    }
    return names;
}

AUDYN_INLINE std::string EmbeddedSource::normal(const std::string& path) {
    return std::filesystem::path(path).lexically_normal().string();
}

AUDYN_INLINE std::string EmbeddedSource::without_extension(const std::string& path) {
    return normal(path.ends_with(".yaml") ? path.substr(0, path.size() - 5) : path);
}

AUDYN_INLINE void EmbeddedSource::add_if_below(const std::string& path, const std::string& group,
                                               std::vector<std::string>& names) {
    const std::size_t start = group.empty() ? 0 : group.size() + 1;
    if ((group.empty() || path.starts_with(concat({group, "/"}))) && path.find('/', start) == std::string::npos &&
        path.size() > start) {
        names.push_back(path.substr(start));
    }
}

AUDYN_INLINE SearchPath& SearchPath::add(std::shared_ptr<const ConfigSource> source, std::string provider) {
    sources_.push_back(std::move(source));
    providers_.push_back(std::move(provider));
    return *this;
}

AUDYN_INLINE SearchPath& SearchPath::add_folder(std::filesystem::path folder, std::string provider) {
    return add(std::make_shared<const FolderSource>(std::move(folder)), std::move(provider));
}

AUDYN_INLINE SearchPath& SearchPath::add_embedded(std::string name, std::span<const EmbeddedFile> files) {
    return add(std::make_shared<const EmbeddedSource>(std::move(name), files));
}

AUDYN_INLINE SearchPath& SearchPath::add(const SearchPath& other) {
    sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
    providers_.insert(providers_.end(), other.providers_.begin(), other.providers_.end());
    return *this;
}

AUDYN_INLINE std::shared_ptr<const Source> SearchPath::load(const std::string& path) const {
    for (const auto& source : sources_) {
        if (source->has_config(path)) {
            return source->load(path);
        }
    }
    return nullptr;
}

AUDYN_INLINE bool SearchPath::has_config(const std::string& path) const {
    return std::ranges::any_of(sources_, [&path](const auto& source) { return source->has_config(path); });
}

AUDYN_INLINE bool SearchPath::has_group(const std::string& path) const {
    return std::ranges::any_of(sources_, [&path](const auto& source) { return source->has_group(path); });
}

AUDYN_INLINE std::vector<std::string> SearchPath::options(const std::string& group) const {
    return collect([&group](const ConfigSource& source) { return source.options(group); });
}

AUDYN_INLINE std::vector<std::string> SearchPath::groups(const std::string& group) const {
    return collect([&group](const ConfigSource& source) { return source.groups(group); });
}

} // namespace audyn::config
