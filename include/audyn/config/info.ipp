#pragma once

#include <audyn/config/info.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace audyn::config {

AUDYN_INLINE std::string table_text(std::string_view title, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    const auto line = [&widths](const std::vector<std::string>& row) {
        std::string text = "|";
        for (std::size_t column = 0; column < row.size(); ++column) {
            text += concat({" ", row[column], std::string(widths[column] - row[column].size(), ' '), " |"});
        }
        return text;
    };
    const std::string header = line(rows[0]);
    const std::string rule = concat({std::string(header.size(), '-'), "\n"});
    std::string text = concat({title, "\n", std::string(title.size(), '*'), "\n", header, "\n", rule});
    for (std::size_t row = 1; row < rows.size(); ++row) {
        text += concat({line(rows[row]), "\n"});
    }
    return text + rule;
}

} // namespace audyn::config

namespace audyn::config::detail {

AUDYN_INLINE std::string defaults_text(const CompositionDetails& details) {
    std::vector<std::vector<std::string>> rows{{"Config path", "Package", "_self_", "Parent", "File"}};
    for (const ResultItem& item : details.items) {
        const auto source = details.search_path.load(item.config_path);
        const std::string file = !source                             ? ""
                                 : source->origin == Origin::builtin ? concat({"built-in ", source->name})
                                                                     : source->name;
        rows.push_back({item.config_path, item.package, item.is_self ? "True" : "False",
                        item.parent.empty() ? "<root>" : item.parent, file});
    }
    return table_text("Defaults List", rows);
}

AUDYN_INLINE void add_tree(const DefaultsNode& node, std::size_t indent, std::string& text) {
    const DefaultsItem& item = node.item;
    const std::string name = item.is_self()  ? "_self_"
                             : item.is_group ? concat({item.override_key(), ": ", item.name().value_or("null")})
                                             : item.config_path();
    text += concat({std::string(indent, ' '), name, node.children.empty() ? "\n" : ":\n"});
    for (const DefaultsNode& child : node.children) {
        add_tree(child, indent + 2, text);
    }
}

AUDYN_INLINE std::string defaults_tree_text(const CompositionDetails& details) {
    std::string text = "Defaults Tree\n*************\n<root>:\n";
    // The primary configuration is expanded first and merged last.
    for (std::size_t index = details.tree.children.size(); index-- > 0;) {
        add_tree(details.tree.children[index], 2, text);
    }
    return text;
}

AUDYN_INLINE void add_groups(const ConfigSource& place, const std::string& group,
                             std::map<std::string, std::vector<std::string>>& found) {
    std::vector<std::string> names = place.options(group);
    std::erase(names, "_dummy_empty_config_"); // stands for no primary configuration
    if (!names.empty()) {
        std::ranges::sort(names);
        found.emplace(group, std::move(names));
    }
    for (const std::string& inner : place.groups(group)) {
        add_groups(place, group.empty() ? inner : concat({group, "/", inner}), found);
    }
}

AUDYN_INLINE std::string hidden_text(const SearchPath& search_path, const std::vector<Contents>& contents) {
    std::string text;
    const auto name_of = [](const Source& source) {
        return source.origin == Origin::builtin ? concat({"built-in ", source.name}) : source.name;
    };
    for (std::size_t hidden = 1; hidden < contents.size(); ++hidden) {
        for (const auto& [group, names] : contents[hidden]) {
            for (const std::string& name : names) {
                const std::string path = group.empty() ? name : concat({group, "/", name});
                std::size_t first = 0;
                while (first < hidden && !search_path.sources()[first]->has_config(path)) {
                    ++first;
                }
                if (first == hidden) {
                    continue;
                }
                const auto used = search_path.sources()[first]->load(path);
                const auto other = search_path.sources()[hidden]->load(path);
                text += concat({"  ", path, ": ", name_of(*used), " hides ", name_of(*other),
                                used->text == other->text ? " (the same contents)\n" : "\n"});
            }
        }
    }
    return text.empty() ? "" : concat({"\nConfigurations in several places, of which the first is used:\n", text});
}

AUDYN_INLINE std::string search_path_text(const CompositionDetails& details) {
    const SearchPath& search_path = details.search_path;
    std::vector<std::vector<std::string>> rows{{"Provider", "Search path"}};
    std::vector<Contents> contents;
    std::string provided;
    for (std::size_t index = 0; index < search_path.sources().size(); ++index) {
        const ConfigSource& place = *search_path.sources()[index];
        const bool is_folder = place.scheme() == "file";
        const std::string name = is_folder ? std::filesystem::absolute(place.description()).lexically_normal().string()
                                           : place.description();
        rows.push_back({search_path.providers()[index], concat({place.scheme(), "://", name})});
        contents.emplace_back();
        add_groups(place, "", contents.back());
        provided += concat({"\n", place.description(), place.is_available() ? "" : " (does not exist)", "\n"});
        for (const auto& [group, names] : contents.back()) {
            provided += concat({"  ", group.empty() ? "" : concat({group, ": "}), join(names), "\n"});
        }
    }
    return concat({table_text("Config search path", rows), provided, hidden_text(search_path, contents)});
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::string info_text(const CommandLine& command_line, const Program& program) {
    CompositionDetails details;
    std::optional<Config> composed;
    try {
        composed = compose_from_command_line(command_line, program, {false, &details, std::nullopt});
    } catch (const ConfigError& error) {
        if (command_line.info != "searchpath") {
            throw;
        }
        details.search_path = search_path_of(command_line, program);
        return concat({detail::search_path_text(details), "\nIt cannot be composed:\n", error.what(), "\n"});
    }
    const Config& config = *composed;
    std::vector<std::string> parts;
    const bool whole = command_line.info == "all" || command_line.info == "config";
    if (whole || command_line.info == "searchpath") {
        parts.push_back(detail::search_path_text(details));
    }
    if (whole || command_line.info == "defaults-tree") {
        parts.push_back(detail::defaults_tree_text(details));
    }
    if (whole || command_line.info == "defaults") {
        parts.push_back(detail::defaults_text(details));
    }
    if (whole) {
        parts.push_back(concat({"Config\n******\n", config.to_yaml()}));
    }
    return concat(
        {command_line.info == "all" ? concat({version_text(command_line, program), "\n"}) : "", join(parts, "\n")});
}

} // namespace audyn::config
