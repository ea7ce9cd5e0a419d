#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/interpolation_grammar.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/config/yaml_checks.hpp>
#include <audyn/core/inline.hpp>

#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
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
    [[nodiscard]] std::optional<Location> open_bracket() const;
    [[nodiscard]] std::vector<std::string> anchor_names() const { return {anchor_names_.begin(), anchor_names_.end()}; }
    [[nodiscard]] Location document_start() const { return place(document_mark_); }

    void OnDocumentStart(const YAML::Mark& mark) override { document_mark_ = mark; }
    void OnDocumentEnd() override {}

    AUDYN_INLINE void OnAnchor(const YAML::Mark& mark, const std::string& name) override;

    AUDYN_INLINE void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;

    AUDYN_INLINE void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;

    AUDYN_INLINE void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                               const std::string& text) override;

    AUDYN_INLINE void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                      YAML::EmitterStyle::value style) override;
    AUDYN_INLINE void OnSequenceEnd() override;

    AUDYN_INLINE void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                 YAML::EmitterStyle::value style) override;
    AUDYN_INLINE void OnMapEnd() override;

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
    static void make_pairs(Value& list);

    void remember(const YAML::Mark& mark) { positions_.push_back(static_cast<std::size_t>(std::max(mark.pos, 0))); }
    void remember_flow(const YAML::Mark& mark, YAML::EmitterStyle::value style);

    [[nodiscard]] Location place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

    /// The text from a scalar on, past its tag and anchor.
    [[nodiscard]] std::string_view text_at(const YAML::Mark& mark) const;

    [[nodiscard]] bool expects_key() const;

    static std::size_t size_of(const Value& value);

    void count(const YAML::Mark& mark, std::size_t added);

    void open(Value container, const YAML::Mark& mark, YAML::anchor_t anchor);

    void close();

    void finish(Value value, const YAML::Mark& mark, YAML::anchor_t anchor, KeyStyle style);

    void set_key(const Value& value, const YAML::Mark& mark);

    void set_member(Value value);

    static void merge(Frame& frame, const Value& dict);

    void check_container_tag(const YAML::Mark& mark, const std::string& tag, std::string_view expected) const;

    [[nodiscard]] Value scalar_value(const YAML::Mark& mark, const std::string& tag, const std::string& text) const;

    static std::optional<Value> tagged_value(std::string_view name, const std::string& text);

    [[nodiscard]] Value check_interpolation(Value value, const YAML::Mark& mark) const;

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
[[nodiscard]] AUDYN_INLINE Location document_mark(const std::shared_ptr<const Source>& source,
                                                  const Location& document);

/// The document of `source`, or throws `ConfigError` with the line.
[[nodiscard]] AUDYN_INLINE Value parse_yaml_document(const std::shared_ptr<const Source>& source);

} // namespace detail

/// Reads a YAML text as OmegaConf reads a file: an empty one is an empty dictionary, a bare word is a dictionary with
/// that key. Throws `ConfigError` that shows the line.
[[nodiscard]] AUDYN_INLINE Value parse_yaml(const std::shared_ptr<const Source>& source);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/yaml.ipp>
#endif
