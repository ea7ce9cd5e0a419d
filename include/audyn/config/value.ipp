#pragma once

#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <functional>

namespace audyn::config {

AUDYN_INLINE bool Key::operator==(const Key& other) const {
    if (is_number() && other.is_number()) {
        const bool both_integers = kind_ != Kind::floating && other.kind_ != Kind::floating;
        return both_integers ? integer_ == other.integer_ : floating_ == other.floating_;
    }
    return kind_ == other.kind_ && text_ == other.text_;
}

AUDYN_INLINE bool Key::is_number() const {
    return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::floating;
}

AUDYN_INLINE Value::Value(BigInteger integer) : kind_(Kind::big_integer), rare_(std::make_unique<Rare>()) {
    rare_->integer = std::move(integer);
}

AUDYN_INLINE Value::Value(Constant constant) : kind_(Kind::constant), rare_(std::make_unique<Rare>()) {
    rare_->constant = std::move(constant);
}

AUDYN_INLINE Value& Value::operator=(const Value& other) {
    if (this != &other) {
        Value copy(other);
        move_from(std::move(copy));
    }
    return *this;
}

AUDYN_INLINE Value& Value::operator=(Value&& other) noexcept {
    if (this != &other) {
        Value taken(std::move(other)); // `other` may be a child of this
        move_from(std::move(taken));
    }
    return *this;
}

AUDYN_INLINE Value Value::list() {
    Value value;
    value.kind_ = Kind::list;
    return value;
}

AUDYN_INLINE Value Value::dict() {
    Value value;
    value.kind_ = Kind::dict;
    return value;
}

AUDYN_INLINE bool Value::is_interpolation() const {
    return kind_ == Kind::string && !literal_ && text_.find("${") != std::string::npos;
}

AUDYN_INLINE Location Value::key_location() const {
    return key_line_ > 0 ? Location(location_.source(), key_line_, key_column_) : location_;
}

AUDYN_INLINE void Value::set_key_place(int line, int column) {
    key_line_ = line;
    key_column_ = column;
}

AUDYN_INLINE void Value::adopt_by(const Value* parent, std::size_t slot) {
    parent_ = const_cast<Value*>(parent);
    slot_ = slot;
}

AUDYN_INLINE const Value* Value::find(std::string_view key) const {
    const auto index = index_of(key);
    return index == npos ? nullptr : children_[index].value.get();
}

AUDYN_INLINE Value* Value::find_key(const Key& key) {
    const auto index = index_of_key(key);
    return index == npos ? nullptr : children_[index].value.get();
}

AUDYN_INLINE Value& Value::append(Value value) {
    children_.push_back({Key(std::string()), std::make_unique<Value>(std::move(value))});
    children_.back().value->adopt_by(this, children_.size() - 1);
    return *children_.back().value;
}

AUDYN_INLINE std::unique_ptr<Value> Value::set(Key key, Value value) {
    const auto index = index_of_key(key);
    if (index != npos) {
        return replace(index, std::move(value));
    }
    children_.push_back({std::move(key), std::make_unique<Value>(std::move(value))});
    children_.back().value->adopt_by(this, children_.size() - 1);
    remember(children_.size() - 1);
    return nullptr;
}

AUDYN_INLINE std::unique_ptr<Value> Value::replace(std::size_t index, Value value) {
    auto owned = std::make_unique<Value>(std::move(value));
    owned->adopt_by(this, index);
    children_[index].value.swap(owned);
    return owned;
}

AUDYN_INLINE std::unique_ptr<Value> Value::erase(std::string_view key) {
    const auto index = index_of(key);
    if (index == npos) {
        return nullptr;
    }
    auto removed = std::move(children_[index].value);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
    for (std::size_t position = index; position < children_.size(); ++position) {
        children_[position].value->slot_ = position;
    }
    build_positions();
    return removed;
}

AUDYN_INLINE std::size_t Value::index_of(std::string_view key) const {
    if (kind_ != Kind::dict) {
        return npos;
    }
    if (!positions_.empty()) {
        for (std::size_t bucket = first_bucket(key); positions_[bucket] != 0; bucket = next_bucket(bucket)) {
            if (children_[positions_[bucket] - 1].key.is_string(key)) {
                return positions_[bucket] - 1;
            }
        }
        return npos;
    }
    for (std::size_t index = 0; index < children_.size(); ++index) {
        if (children_[index].key.is_string(key)) {
            return index;
        }
    }
    return npos;
}

AUDYN_INLINE std::size_t Value::index_of_key(const Key& key) const {
    if (key.is_string()) {
        return index_of(key.text());
    }
    for (std::size_t index = 0; index < children_.size(); ++index) {
        if (children_[index].key == key) {
            return index;
        }
    }
    return npos;
}

AUDYN_INLINE std::string Value::path() const {
    if (parent_ == nullptr) {
        return "";
    }
    const std::string above = parent_->path();
    if (parent_->is_list()) {
        return concat({above, "[", std::to_string(slot_), "]"});
    }
    const std::string own = key();
    return above.empty() ? own : concat({above, ".", own});
}

AUDYN_INLINE std::string Value::key() const {
    if (parent_ == nullptr) {
        return "";
    }
    if (parent_->is_list() || slot_ >= parent_->size()) {
        return std::to_string(slot_);
    }
    return parent_->entries()[slot_].key.to_string();
}

AUDYN_INLINE bool Value::operator==(const Value& other) const {
    if (kind() != other.kind() || size() != other.size()) {
        return false;
    }
    if (!is_container()) {
        return scalar_equal(other);
    }
    for (std::size_t index = 0; index < size(); ++index) {
        if (is_dict() && !(entries()[index].key == other.entries()[index].key)) {
            return false;
        }
        if (!(child(index) == other.child(index))) {
            return false;
        }
    }
    return true;
}

AUDYN_INLINE bool Value::scalar_equal(const Value& other) const {
    switch (kind_) {
    case Kind::boolean:
        return scalar_.boolean == other.scalar_.boolean;
    case Kind::integer:
        return scalar_.integer == other.scalar_.integer;
    case Kind::floating:
        return scalar_.floating == other.scalar_.floating;
    case Kind::string:
        return text_ == other.text_;
    case Kind::big_integer:
        return rare_->integer == other.rare_->integer;
    case Kind::bytes:
        return rare_->bytes == other.rare_->bytes;
    case Kind::constant:
        return rare_->constant == other.rare_->constant;
    default:
        return true;
    }
}

AUDYN_INLINE std::size_t Value::first_bucket(std::string_view key) const {
    return std::hash<std::string_view>{}(key) & (positions_.size() - 1);
}

AUDYN_INLINE void Value::remember(std::size_t index) {
    constexpr std::size_t small = 16;
    if (children_.size() <= small) {
        return;
    }
    if (children_.size() * 2 > positions_.size()) {
        positions_.assign(std::max<std::size_t>(64, positions_.size() * 2), 0);
        build_positions();
    } else {
        put(index);
    }
}

AUDYN_INLINE void Value::build_positions() {
    std::fill(positions_.begin(), positions_.end(), 0U);
    for (std::size_t index = 0; !positions_.empty() && index < children_.size(); ++index) {
        put(index);
    }
}

AUDYN_INLINE void Value::put(std::size_t index) {
    if (!children_[index].key.is_string()) {
        return;
    }
    std::size_t bucket = first_bucket(children_[index].key.text());
    while (positions_[bucket] != 0) {
        bucket = next_bucket(bucket);
    }
    positions_[bucket] = static_cast<std::uint32_t>(index + 1);
}

AUDYN_INLINE void Value::copy_from(const Value& other) {
    kind_ = other.kind_;
    literal_ = other.literal_;
    scalar_ = other.scalar_;
    text_ = other.text_;
    location_ = other.location_;
    key_line_ = other.key_line_;
    key_column_ = other.key_column_;
    rare_ = other.rare_ ? std::make_unique<Rare>(*other.rare_) : nullptr;
    children_.reserve(other.children_.size());
    for (const Entry& entry : other.children_) {
        children_.push_back({entry.key, std::make_unique<Value>(*entry.value)});
        children_.back().value->adopt_by(this, children_.size() - 1);
    }
    positions_ = other.positions_;
}

AUDYN_INLINE void Value::move_from(Value&& other) noexcept {
    kind_ = std::exchange(other.kind_, Kind::null);
    literal_ = other.literal_;
    scalar_ = other.scalar_;
    text_ = std::move(other.text_);
    location_ = std::move(other.location_);
    key_line_ = other.key_line_;
    key_column_ = other.key_column_;
    rare_ = std::move(other.rare_);
    children_ = std::move(other.children_);
    positions_ = std::move(other.positions_);
    other.children_.clear();
    other.positions_.clear();
    for (const Entry& entry : children_) {
        entry.value->parent_ = this;
    }
}

AUDYN_INLINE std::optional<Key> Key::from(const Value& scalar) {
    Key key("");
    key.kind_ = scalar.kind();
    switch (scalar.kind()) {
    case Kind::string:
        key.text_ = *scalar.get_if<std::string>();
        break;
    case Kind::big_integer:
        key.text_ = scalar.get_if<BigInteger>()->digits;
        break;
    case Kind::bytes:
        key.text_ = scalar.get_if<Bytes>()->data;
        break;
    case Kind::boolean:
        key.integer_ = *scalar.get_if<bool>() ? 1 : 0;
        break;
    case Kind::integer:
        key.integer_ = *scalar.get_if<std::int64_t>();
        break;
    case Kind::floating:
        key.floating_ = *scalar.get_if<double>();
        return key;
    default:
        return std::nullopt;
    }
    key.floating_ = static_cast<double>(key.integer_);
    return key;
}

AUDYN_INLINE Value Key::to_value() const {
    switch (kind_) {
    case Kind::big_integer:
        return BigInteger{text_};
    case Kind::bytes:
        return Bytes{text_};
    case Kind::boolean:
        return integer_ != 0;
    case Kind::integer:
        return integer_;
    case Kind::floating:
        return floating_;
    default:
        return text_;
    }
}

AUDYN_INLINE std::string python_text(const Value& value) {
    const auto* text = value.get_if<std::string>();
    return text != nullptr ? *text : python_repr(value);
}

AUDYN_INLINE std::string python_repr(const Value& value) {
    switch (value.kind()) {
    case Kind::null:
        return "None";
    case Kind::boolean:
        return *value.get_if<bool>() ? "True" : "False";
    case Kind::integer:
        return std::to_string(*value.get_if<std::int64_t>());
    case Kind::big_integer:
        return value.get_if<BigInteger>()->digits;
    case Kind::floating:
        return float_text(*value.get_if<double>());
    case Kind::string:
        return repr(*value.get_if<std::string>());
    case Kind::bytes:
        return bytes_text(value.get_if<Bytes>()->data);
    case Kind::constant:
        return value.get_if<Constant>()->to_string();
    case Kind::list:
    case Kind::dict:
        break;
    }
    std::string text;
    for (std::size_t index = 0; index < value.size(); ++index) {
        text += index == 0 ? "" : ", ";
        if (value.is_dict()) {
            text += concat({python_repr(Value::from_key(value.entries()[index].key)), ": "});
        }
        text += python_repr(value.child(index));
    }
    return value.is_dict() ? concat({"{", text, "}"}) : concat({"[", text, "]"});
}

AUDYN_INLINE std::string Constant::to_string() const {
    if (const auto* integer = std::get_if<std::int64_t>(&offset)) {
        return *integer == 0 ? name : concat({name, " + ", std::to_string(*integer)});
    }
    return concat({name, " + ", float_text(std::get<double>(offset))});
}

AUDYN_INLINE std::string Key::to_string() const {
    return python_text(Value::from_key(*this));
}

} // namespace audyn::config
