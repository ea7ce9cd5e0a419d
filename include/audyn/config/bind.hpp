#pragma once

#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace audyn::config {

/// A member of a struct and its key. Made by `member`.
template <class Struct, class T>
struct Member {
    std::string_view key;
    T Struct::*pointer;
    bool is_required = false;

    /// The key must be there: the struct's own initialiser does not count.
    [[nodiscard]] constexpr Member required() const { return {key, pointer, true}; }
};

/// Describes a member for `members`. The key is optional in a configuration unless `.required()` follows: without it
/// the member keeps what the struct initialises it with.
template <class Struct, class T>
[[nodiscard]] constexpr Member<Struct, T> member(std::string_view key, T Struct::*pointer) {
    return {key, pointer};
}

/// The members of a struct, in order.
template <class Struct, class... T>
[[nodiscard]] constexpr std::tuple<Member<Struct, T>...> members(Member<Struct, T>... all) {
    return {all...};
}

/// A struct that describes its members:
///
///     struct Options {
///         double lr = 1e-3;
///         std::optional<double> clip;
///         std::vector<Stage> stages;
///         static constexpr auto config_members() {
///             using audyn::config::member;
///             return audyn::config::members(member("lr", &Options::lr).required(), member("clip", &Options::clip),
///                                           member("stages", &Options::stages));
///         }
///     };
///
/// `config.as<Options>()` then makes one; so it is with vectors, maps and optionals of it, and with structs in structs.
/// A static constant `config_members` serves as well. For a struct that cannot be changed, specialise `Members`.
template <class Struct>
struct Members;

template <class Struct>
requires requires {
    Struct::config_members();
}
struct Members<Struct> {
    static constexpr auto get() { return Struct::config_members(); }
};

template <class Struct>
concept Bindable = std::is_class_v<Struct> && std::default_initializable<Struct> && requires {
    Members<Struct>::get();
};

namespace detail {

template <class Struct>
[[nodiscard]] std::vector<std::string> member_names() {
    return std::apply([](const auto&... each) { return std::vector<std::string>{std::string(each.key)...}; },
                      Members<Struct>::get());
}

/// Tells every key that no member has.
AUDYN_INLINE void find_unknown_keys(const Config& dict, const std::vector<std::string>& known, Mistakes& mistakes);

template <class Struct, class T>
void bind_member(const Config& dict, const Member<Struct, T>& member, Struct& target, Mistakes& mistakes) {
    mistakes.attempt([&] {
        const auto value = dict.find_key(member.key);
        if (value && !(value->is_missing() && !member.is_required)) {
            target.*member.pointer = value->template as<T>();
        } else if (member.is_required) {
            throw dict.error(concat({"lacks the key '", member.key, "'"}));
        }
    });
}

} // namespace detail

/// Fills a struct from a dictionary. Keys that the struct has no member for are refused, members that are required must
/// be there, the others keep what they have. All mistakes are told at once, with those of structs in it. Throws
/// `ConfigError`; then `target` is filled in part.
template <Bindable Struct>
void bind(const Config& config, Struct& target) {
    const Config dict = config.resolved();
    if (!dict.is_dict()) {
        throw config.mismatch(concat({"a dictionary with the keys ", join(detail::member_names<Struct>())}));
    }
    Mistakes mistakes;
    detail::find_unknown_keys(dict, detail::member_names<Struct>(), mistakes);
    std::apply([&](const auto&... each) { (detail::bind_member(dict, each, target, mistakes), ...); },
               Members<Struct>::get());
    mistakes.throw_if_any();
}

template <Bindable Struct>
[[nodiscard]] Struct bind(const Config& config) {
    Struct result{};
    bind(config, result);
    return result;
}

template <Bindable Struct>
struct Converter<Struct> {
    static Struct convert(const Config& config) { return bind<Struct>(config); }
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/bind.ipp>
#endif
