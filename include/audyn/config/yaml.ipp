#pragma once

#include <audyn/config/yaml.hpp>
#include <audyn/config/yaml_quoted.hpp>
#include <audyn/core/inline.hpp>

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

namespace audyn::config::detail {

AUDYN_INLINE std::optional<Location> YamlBuilder::open_bracket() const {
    for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
        if (frame->is_flow) {
            return place(frame->mark);
        }
    }
    return std::nullopt;
}

AUDYN_INLINE void YamlBuilder::OnAnchor(const YAML::Mark& mark, const std::string& name) {
    if (!name.empty() && !anchor_names_.insert(name).second) {
        throw error_at(place(mark), concat({"the anchor '", name, "' is defined twice"}));
    }
}

AUDYN_INLINE void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    finish(Value(), mark, anchor, KeyStyle::other);
}

AUDYN_INLINE void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
        throw error_at(place(mark), "the alias refers to a node that contains it");
    }
    count(mark, size_of(found->second));
    finish(found->second, mark, 0, KeyStyle::other);
}

AUDYN_INLINE void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                        const std::string& text) {
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

AUDYN_INLINE void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                               YAML::EmitterStyle::value style) {
    remember_flow(mark, style);
    const bool pairs = tag == "tag:yaml.org,2002:omap" || tag == "tag:yaml.org,2002:pairs";
    check_container_tag(mark, pairs ? "" : tag, "seq");
    open(Value::list(), mark, anchor);
    stack_.back().is_pairs = pairs;
    stack_.back().is_flow = style == YAML::EmitterStyle::Flow;
}

AUDYN_INLINE void YamlBuilder::OnSequenceEnd() {
    if (stack_.back().is_pairs) {
        make_pairs(stack_.back().container);
    }
    close();
}

AUDYN_INLINE void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                          YAML::EmitterStyle::value style) {
    remember_flow(mark, style);
    check_container_tag(mark, tag, "map");
    open(Value::dict(), mark, anchor);
    stack_.back().is_flow = style == YAML::EmitterStyle::Flow;
}

AUDYN_INLINE void YamlBuilder::OnMapEnd() {
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

AUDYN_INLINE void YamlBuilder::make_pairs(Value& list) {
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

AUDYN_INLINE void YamlBuilder::remember_flow(const YAML::Mark& mark, YAML::EmitterStyle::value style) {
    if (style == YAML::EmitterStyle::Flow) {
        remember(mark);
    }
}

AUDYN_INLINE std::string_view YamlBuilder::text_at(const YAML::Mark& mark) const {
    const std::string_view text = source_->text;
    return text.substr(skip_properties(text, static_cast<std::size_t>(std::max(mark.pos, 0))));
}

AUDYN_INLINE bool YamlBuilder::expects_key() const {
    return !stack_.empty() && stack_.back().container.is_dict() && !stack_.back().has_key;
}

AUDYN_INLINE std::size_t YamlBuilder::size_of(const Value& value) {
    std::size_t total = 1;
    for (std::size_t index = 0; index < value.size(); ++index) {
        total += size_of(value.child(index));
    }
    return total;
}

AUDYN_INLINE void YamlBuilder::count(const YAML::Mark& mark, std::size_t added) {
    nodes_ += added;
    if (nodes_ > limits::nodes) {
        throw error_at(place(mark), concat({"the document has more than ", std::to_string(limits::nodes),
                                            " values; aliases count each time"}));
    }
}

AUDYN_INLINE void YamlBuilder::open(Value container, const YAML::Mark& mark, YAML::anchor_t anchor) {
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

AUDYN_INLINE void YamlBuilder::close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(frame.container), frame.mark, frame.anchor, KeyStyle::other);
}

AUDYN_INLINE void YamlBuilder::finish(Value value, const YAML::Mark& mark, YAML::anchor_t anchor, KeyStyle style) {
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

AUDYN_INLINE void YamlBuilder::set_key(const Value& value, const YAML::Mark& mark) {
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

AUDYN_INLINE void YamlBuilder::set_member(Value value) {
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
        throw error_at(place(frame.key_mark),
                       concat({"'<<' merges a dictionary or a list of dictionaries, not ", describe(value.kind())}));
    }
    for (std::size_t index = value.size(); index-- > 0;) {
        merge(frame, value.child(index));
    }
}

AUDYN_INLINE void YamlBuilder::merge(Frame& frame, const Value& dict) {
    for (const auto& entry : dict.entries()) {
        frame.merged.emplace_back(entry.key, *entry.value);
    }
}

AUDYN_INLINE void YamlBuilder::check_container_tag(const YAML::Mark& mark, const std::string& tag,
                                                   std::string_view expected) const {
    const bool standard = tag == concat({"tag:yaml.org,2002:", expected});
    if (!tag.empty() && tag != "?" && tag != "!" && !standard) {
        throw error_at(place(mark), concat({"unknown tag '", tag, "'"}));
    }
}

AUDYN_INLINE Value YamlBuilder::scalar_value(const YAML::Mark& mark, const std::string& tag,
                                             const std::string& text) const {
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

AUDYN_INLINE std::optional<Value> YamlBuilder::tagged_value(std::string_view name, const std::string& text) {
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

AUDYN_INLINE Value YamlBuilder::check_interpolation(Value value, const YAML::Mark& mark) const {
    if (value.is_interpolation() && !expects_key()) {
        const auto& text = *value.get_if<std::string>();
        if (const auto mistake = grammar::check(text)) {
            throw error_at(grammar::place_of(*mistake, text, place(mark)),
                           concat({"the interpolation ", short_repr(text), " is wrong: ", mistake->message}));
        }
    }
    return value;
}

AUDYN_INLINE Location document_mark(const std::shared_ptr<const Source>& source, const Location& document) {
    for (int line = document.line(); line > 0; --line) {
        if (const Location place(source, line, 1); place.reads("---")) {
            return place;
        }
    }
    return document;
}

AUDYN_INLINE Value parse_yaml_document(const std::shared_ptr<const Source>& source) {
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

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE Value parse_yaml(const std::shared_ptr<const Source>& source) {
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
