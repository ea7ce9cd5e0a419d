#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/interpolation_grammar.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/config/yaml_checks.hpp>
#include <audyn/config/yaml_quoted.hpp>

#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace audyn::config {

namespace detail {

/// Builds a `Value` from yaml-cpp's events as PyYAML's safe loader with OmegaConf's rules would: YAML 1.1 types, `<<`
/// merged, a repeated key refused, aliases copied.
class YamlBuilder : public YAML::EventHandler {
public:
    explicit YamlBuilder(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

    [[nodiscard]] Value take_root() { return std::move(root_); }
    /// Positions in the text at which scalars and `[...]` or `{...}` begin, in order.
    [[nodiscard]] const std::vector<std::size_t>& positions() const { return positions_; }

    /// The innermost `[` or `{` that is not closed yet; nothing when there is none.
    [[nodiscard]] std::optional<Location> open_bracket() const {
        for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
            if (frame->is_flow) {
                return place(frame->mark);
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] std::vector<std::string> anchor_names() const { return {anchor_names_.begin(), anchor_names_.end()}; }
    [[nodiscard]] Location document_start() const { return place(document_mark_); }

    void OnDocumentStart(const YAML::Mark& mark) override { document_mark_ = mark; }
    void OnDocumentEnd() override {}

    void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
        if (!name.empty() && !anchor_names_.insert(name).second) {
            throw error_at(place(mark), concat({"the anchor '", name, "' is defined twice"}));
        }
    }

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        finish(Value(), mark, anchor, KeyStyle::other);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            throw error_at(place(mark), "the alias refers to a node that contains it");
        }
        count(mark, size_of(found->second));
        finish(found->second, mark, 0, KeyStyle::other);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        remember(mark);
        if (tag == "?" && text == "<<" && expects_key()) {
            stack_.back().key_is_merge = true;
            stack_.back().key_mark = mark;
            stack_.back().has_key = true;
            return;
        }
        const auto quoted = tag == "?" ? std::nullopt : QuotedScalar(text_at(mark)).read();
        Value value = scalar_value(mark, tag, quoted ? *quoted : text);
        finish(std::move(value), mark, anchor, KeyStyle::scalar);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        remember_flow(mark, style);
        const bool pairs = tag == "tag:yaml.org,2002:omap" || tag == "tag:yaml.org,2002:pairs";
        check_container_tag(mark, pairs ? "" : tag, "seq");
        open(Value::list(), mark, anchor);
        stack_.back().is_pairs = pairs;
        stack_.back().is_flow = style == YAML::EmitterStyle::Flow;
    }
    void OnSequenceEnd() override {
        if (stack_.back().is_pairs) {
            make_pairs(stack_.back().container);
        }
        close();
    }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        remember_flow(mark, style);
        check_container_tag(mark, tag, "map");
        open(Value::dict(), mark, anchor);
        stack_.back().is_flow = style == YAML::EmitterStyle::Flow;
    }
    void OnMapEnd() override {
        Frame& frame = stack_.back();
        Value dict = Value::dict();
        dict.set_location(frame.container.location());
        for (auto* pairs : {&frame.merged, &frame.own}) {
            for (auto& [key, value] : *pairs) {
                dict.set(std::move(key), std::move(value));
            }
        }
        frame.container = std::move(dict);
        close();
    }

private:
    enum class KeyStyle { scalar, other };
    using Pairs = std::vector<std::pair<Key, Value>>;

    struct Frame {
        Value container;
        YAML::Mark mark;
        YAML::anchor_t anchor = 0;
        Pairs own;
        Pairs merged;
        std::unordered_map<std::string, int> text_keys; ///< with their lines
        std::optional<Key> key;
        YAML::Mark key_mark;
        bool is_pairs = false;
        bool is_flow = false;
        bool has_key = false;
        bool key_is_merge = false;
    };

    /// `!!omap [a: 1]` is a list of pairs.
    static void make_pairs(Value& list) {
        for (std::size_t index = 0; index < list.size(); ++index) {
            Value& item = list.child(index);
            if (!item.is_dict() || item.size() != 1) {
                throw error_at(item.location(), "an item of !!omap or !!pairs must be one 'key: value'");
            }
            Value pair = Value::list();
            pair.set_location(item.location());
            pair.append(Value::from_key(item.entries()[0].key));
            pair.append(std::move(item.child(0)));
            item = std::move(pair);
        }
    }

    void remember(const YAML::Mark& mark) { positions_.push_back(static_cast<std::size_t>(std::max(mark.pos, 0))); }
    void remember_flow(const YAML::Mark& mark, YAML::EmitterStyle::value style) {
        if (style == YAML::EmitterStyle::Flow) {
            remember(mark);
        }
    }

    [[nodiscard]] Location place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

    /// The text from a scalar on, past its tag and anchor.
    [[nodiscard]] std::string_view text_at(const YAML::Mark& mark) const {
        const std::string_view text = source_->text;
        return text.substr(skip_properties(text, static_cast<std::size_t>(std::max(mark.pos, 0))));
    }

    [[nodiscard]] bool expects_key() const {
        return !stack_.empty() && stack_.back().container.is_dict() && !stack_.back().has_key;
    }

    static std::size_t size_of(const Value& value) {
        std::size_t total = 1;
        for (std::size_t index = 0; index < value.size(); ++index) {
            total += size_of(value.child(index));
        }
        return total;
    }

    void count(const YAML::Mark& mark, std::size_t added) {
        nodes_ += added;
        if (nodes_ > limits::nodes) {
            throw error_at(place(mark), concat({"the document has more than ", std::to_string(limits::nodes),
                                                " values; aliases count each time"}));
        }
    }

    void open(Value container, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (expects_key()) {
            throw error_at(place(mark), "a key must be a scalar, not a list or a dictionary",
                           "If no key is meant here, a bracket is not closed or a comma is missing.");
        }
        if (stack_.size() >= static_cast<std::size_t>(limits::depth)) {
            throw error_at(place(mark), concat({"nested deeper than ", std::to_string(limits::depth), " levels"}));
        }
        container.set_location(place(mark));
        Frame& frame = stack_.emplace_back();
        frame.container = std::move(container);
        frame.mark = mark;
        frame.anchor = anchor;
    }

    void close() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        finish(std::move(frame.container), frame.mark, frame.anchor, KeyStyle::other);
    }

    void finish(Value value, const YAML::Mark& mark, YAML::anchor_t anchor, KeyStyle style) {
        if (style == KeyStyle::scalar || !value.is_container()) {
            value.set_location(place(mark));
        }
        count(mark, 1);
        if (anchor != 0) {
            anchors_[anchor] = value;
        }
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (!stack_.back().container.is_dict()) {
            stack_.back().container.append(std::move(value));
        } else if (!stack_.back().has_key) {
            set_key(value, mark);
        } else {
            set_member(std::move(value));
        }
    }

    void set_key(const Value& value, const YAML::Mark& mark) {
        Frame& frame = stack_.back();
        frame.key = Key::from(value);
        if (!frame.key) {
            throw error_at(place(mark), concat({"a key must be a string, a number or a boolean, not ",
                                                describe(value.kind()), "; quote it if it is meant as a text"}));
        }
        if (const auto* text = value.get_if<std::string>()) {
            const auto [known, is_new] = frame.text_keys.emplace(*text, mark.line + 1);
            if (!is_new) {
                throw error_at(place(mark),
                               concat({"the key '", *text, "' is given twice in one dictionary, first in line ",
                                       std::to_string(known->second)}));
            }
        }
        frame.key_mark = mark;
        frame.has_key = true;
    }

    void set_member(Value value) {
        Frame& frame = stack_.back();
        frame.has_key = false;
        value.set_key_place(frame.key_mark.line + 1, frame.key_mark.column + 1);
        if (!std::exchange(frame.key_is_merge, false)) {
            frame.own.emplace_back(std::move(*frame.key), std::move(value));
            return;
        }
        if (value.is_dict()) {
            merge(frame, value);
            return;
        }
        bool all_dicts = value.is_list();
        for (std::size_t index = 0; all_dicts && index < value.size(); ++index) {
            all_dicts = value.child(index).is_dict();
        }
        if (!all_dicts) {
            throw error_at(place(frame.key_mark), concat({"'<<' merges a dictionary or a list of dictionaries, not ",
                                                          describe(value.kind())}));
        }
        for (std::size_t index = value.size(); index-- > 0;) {
            merge(frame, value.child(index));
        }
    }

    static void merge(Frame& frame, const Value& dict) {
        for (const auto& entry : dict.entries()) {
            frame.merged.emplace_back(entry.key, *entry.value);
        }
    }

    void check_container_tag(const YAML::Mark& mark, const std::string& tag, std::string_view expected) const {
        const bool standard = tag == concat({"tag:yaml.org,2002:", expected});
        if (!tag.empty() && tag != "?" && tag != "!" && !standard) {
            throw error_at(place(mark), concat({"unknown tag '", tag, "'"}));
        }
    }

    [[nodiscard]] Value scalar_value(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
        constexpr std::string_view prefix = "tag:yaml.org,2002:";
        if (tag == "?" || tag.empty()) {
            if (auto value = scalar::plain(text)) {
                return check_interpolation(std::move(*value), mark);
            }
            throw error_at(place(mark), concat({"'", text, "' must be quoted here"}));
        }
        if (tag == "!") {
            return check_interpolation(Value(text), mark);
        }
        if (!tag.starts_with(prefix)) {
            throw error_at(place(mark), concat({"unknown tag '", tag, "'"}));
        }
        const std::string_view name = std::string_view(tag).substr(prefix.size());
        if (auto value = tagged_value(name, text)) {
            return check_interpolation(std::move(*value), mark);
        }
        throw error_at(place(mark), concat({"'", text, "' cannot be read as !!", name}));
    }

    static std::optional<Value> tagged_value(std::string_view name, const std::string& text) {
        if (name == "str") {
            return Value(text);
        }
        if (name == "null") {
            return Value();
        }
        if (name == "int") {
            return scalar::detail::parse_integer(text);
        }
        if (name == "float") {
            const auto number = scalar::yaml_float(text);
            return number ? std::optional<Value>(*number) : std::nullopt;
        }
        if (name == "bool") {
            const std::string lower = lower_case(text);
            const bool yes = lower == "yes" || lower == "true" || lower == "on";
            const bool no = lower == "no" || lower == "false" || lower == "off";
            return yes || no ? std::optional<Value>(yes) : std::nullopt;
        }
        if (name == "binary") {
            const auto bytes = decode_base64(text);
            return bytes ? std::optional<Value>(Bytes{*bytes}) : std::nullopt;
        }
        return std::nullopt;
    }

    [[nodiscard]] Value check_interpolation(Value value, const YAML::Mark& mark) const {
        if (value.is_interpolation() && !expects_key()) {
            const auto& text = *value.get_if<std::string>();
            if (const auto mistake = grammar::check(text)) {
                throw error_at(grammar::place_of(*mistake, text, place(mark)),
                               concat({"the interpolation ", short_repr(text), " is wrong: ", mistake->message}));
            }
        }
        return value;
    }

    std::shared_ptr<const Source> source_;
    Value root_;
    std::vector<Frame> stack_;
    std::unordered_map<YAML::anchor_t, Value> anchors_;
    std::unordered_set<std::string> anchor_names_;
    std::vector<std::size_t> positions_;
    std::size_t nodes_ = 0;
    YAML::Mark document_mark_;
};

/// The `---` before a document.
[[nodiscard]] inline Location document_mark(const std::shared_ptr<const Source>& source, const Location& document) {
    for (int line = document.line(); line > 0; --line) {
        if (const Location place(source, line, 1); place.reads("---")) {
            return place;
        }
    }
    return document;
}

/// The document of `source`, or throws `ConfigError` with the line.
[[nodiscard]] inline Value parse_yaml_document(const std::shared_ptr<const Source>& source) {
    check_characters(source);
    YamlBuilder builder(source);
    try {
        std::istringstream stream(source->text);
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        YamlBuilder ignored(source);
        if (parser.HandleNextDocument(ignored)) {
            throw error_at(document_mark(source, ignored.document_start()),
                           "the file has more than one document ('---')", "Put each into a file of its own.");
        }
    } catch (const YAML::Exception& error) {
        const Location place(source, error.mark.line + 1, error.mark.column + 1);
        check_indentation(place);
        throw LayoutMistake(source, place).explain(error.msg, builder.open_bracket(), builder.anchor_names());
    }
    check_layout(source, builder.positions());
    return builder.take_root();
}

} // namespace detail

/// Reads a YAML text as OmegaConf reads a file: an empty one is an empty dictionary, a bare word is a dictionary with
/// that key. Throws `ConfigError` that shows the line.
[[nodiscard]] inline Value parse_yaml(const std::shared_ptr<const Source>& source) {
    Value root = detail::parse_yaml_document(source);
    if (const auto* text = root.get_if<std::string>()) {
        Value inner =
            detail::parse_yaml_document(std::make_shared<const Source>(Source{source->origin, source->name, *text}));
        if (const auto* word = inner.get_if<std::string>()) {
            Value dict = Value::dict();
            dict.set(Key(*word), Value());
            inner = std::move(dict);
        }
        root = std::move(inner);
    }
    if (root.is_null()) {
        root = Value::dict();
        root.set_location(Location(source, 1, 1));
    }
    if (!root.is_container()) {
        throw error_at(Location(source, 1, 1),
                       concat({"a configuration must be a dictionary, not ", describe(root.kind())}));
    }
    return root;
}

} // namespace audyn::config
