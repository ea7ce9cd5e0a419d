#pragma once

#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace audyn::checkpoint {

AUDYN_INLINE PickleReader::PickleReader(std::string_view pickle, LoadStorage load_storage)
    : pickle_(pickle), load_storage_(std::move(load_storage)) {}

AUDYN_INLINE state::Value PickleReader::read() {
    while (step()) {
    }
    const Node* value = pop();
    if (!stack_.empty()) {
        fail("the pickle ends with values left over");
    }
    return to_value(*value, 0);
}

AUDYN_INLINE void PickleReader::fail(const std::string& reason) const {
    throw CheckpointError(reason + " (at byte " + std::to_string(position_) + " of the pickle)");
}

AUDYN_INLINE void PickleReader::charge(std::size_t bytes) {
    charged_ += bytes;
    if (charged_ > free_copies + copies_per_byte * position_) {
        fail("the values refer to each other so often that they would fill the memory");
    }
}

AUDYN_INLINE std::string_view PickleReader::take(uint64_t size) {
    if (size > pickle_.size() - position_) {
        fail("the pickle ends too early");
    }
    const std::string_view bytes = pickle_.substr(position_, static_cast<std::size_t>(size));
    position_ += static_cast<std::size_t>(size);
    return bytes;
}

AUDYN_INLINE uint64_t PickleReader::number(std::size_t size) {
    uint64_t value = 0;
    int shift = 0;
    for (const char c : take(size)) {
        value |= static_cast<uint64_t>(static_cast<unsigned char>(c)) << shift;
        shift += 8;
    }
    return value;
}

AUDYN_INLINE std::string_view PickleReader::line() {
    const std::size_t end = pickle_.find('\n', position_);
    if (end == pickle_.npos) {
        fail("the pickle ends too early");
    }
    const std::string_view text = take(end - position_);
    ++position_;
    return text;
}

AUDYN_INLINE auto PickleReader::pop() -> Node* {
    if (stack_.empty() || std::holds_alternative<Mark>(stack_.back()->content)) {
        fail("the pickle takes a value where none is");
    }
    Node* node = stack_.back();
    stack_.pop_back();
    return node;
}

AUDYN_INLINE auto PickleReader::top() -> Node& {
    if (stack_.empty() || std::holds_alternative<Mark>(stack_.back()->content)) {
        fail("the pickle takes a value where none is");
    }
    return *stack_.back();
}

AUDYN_INLINE auto PickleReader::pop_to_mark() -> Nodes {
    const auto mark = std::find_if(stack_.rbegin(), stack_.rend(),
                                   [](const Node* node) { return std::holds_alternative<Mark>(node->content); });
    if (mark == stack_.rend()) {
        fail("the pickle takes a mark where none is");
    }
    Nodes items(mark.base(), stack_.end());
    stack_.erase(mark.base() - 1, stack_.end());
    return items;
}

AUDYN_INLINE auto PickleReader::pop_items(std::size_t count) -> Nodes {
    Nodes items(count);
    for (std::size_t i = count; i-- > 0;) {
        items[i] = pop();
    }
    return items;
}

AUDYN_INLINE bool PickleReader::step() {
    const char opcode = take(1).front();
    switch (opcode) {
    case '\x80': // PROTO
        if (const uint64_t protocol = number(1); protocol != 2) {
            fail("the pickle has protocol " + std::to_string(protocol) + "; PyTorch writes protocol 2");
        }
        return true;
    case '.': // STOP
        return false;
    case 'c': // GLOBAL
        push_global();
        return true;
    case 'R':      // REDUCE
    case '\x81': { // NEWOBJ
        Node* arguments = pop();
        Node* function = pop();
        call(as<Global>(*function, "a name").name, as<Tuple>(*arguments, "a tuple of arguments").items);
        return true;
    }
    case 'b': // BUILD
        build();
        return true;
    case 'Q': // BINPERSID
        push_storage(as<Tuple>(*pop(), "the description of a storage").items);
        return true;
    default:
        if (!step_scalar(opcode) && !step_container(opcode) && !step_memo(opcode)) {
            --position_;
            fail("the pickle has the opcode " + std::to_string(static_cast<unsigned char>(opcode)) +
                 ", which no checkpoint of PyTorch needs");
        }
        return true;
    }
}

AUDYN_INLINE bool PickleReader::step_scalar(char opcode) {
    switch (opcode) {
    case 'N': // NONE
        push(std::monostate{});
        return true;
    case '\x88': // NEWTRUE
        push(true);
        return true;
    case '\x89': // NEWFALSE
        push(false);
        return true;
    case 'K': // BININT1
        push(static_cast<int64_t>(number(1)));
        return true;
    case 'M': // BININT2
        push(static_cast<int64_t>(number(2)));
        return true;
    case 'J': // BININT
        push(static_cast<int64_t>(static_cast<int32_t>(number(4))));
        return true;
    case '\x8a': // LONG1
        push_long(take(number(1)));
        return true;
    case 'G': { // BINFLOAT, big-endian
        uint64_t bits = 0;
        for (const char c : take(8)) {
            bits = bits << 8 | static_cast<unsigned char>(c);
        }
        push(std::bit_cast<double>(bits));
        return true;
    }
    case 'X': // BINUNICODE
        push(std::string(take(number(4))));
        return true;
    case 'U': // SHORT_BINSTRING
        push(std::string(take(number(1))));
        return true;
    default:
        return false;
    }
}

AUDYN_INLINE bool PickleReader::step_container(char opcode) {
    switch (opcode) {
    case '(': // MARK
        push(Mark{});
        return true;
    case ']': // EMPTY_LIST
        push(List{});
        return true;
    case ')': // EMPTY_TUPLE
        push(Tuple{});
        return true;
    case '}': // EMPTY_DICT
        push(Dict{});
        return true;
    case 't': // TUPLE
        push(Tuple{pop_to_mark()});
        return true;
    case '\x85': // TUPLE1
    case '\x86': // TUPLE2
    case '\x87': // TUPLE3
        push(Tuple{pop_items(static_cast<std::size_t>(static_cast<unsigned char>(opcode) - 0x84))});
        return true;
    case 'a': // APPEND
        append(pop_items(1));
        return true;
    case 'e': // APPENDS
        append(pop_to_mark());
        return true;
    case 's': // SETITEM
        set_items(pop_items(2));
        return true;
    case 'u': // SETITEMS
        set_items(pop_to_mark());
        return true;
    default:
        return false;
    }
}

AUDYN_INLINE bool PickleReader::step_memo(char opcode) {
    switch (opcode) {
    case 'q': // BINPUT
        memo_[number(1)] = &top();
        return true;
    case 'r': // LONG_BINPUT
        memo_[number(4)] = &top();
        return true;
    case 'h': // BINGET
        push_memoized(number(1));
        return true;
    case 'j': // LONG_BINGET
        push_memoized(number(4));
        return true;
    default:
        return false;
    }
}

AUDYN_INLINE void PickleReader::push_memoized(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) {
        fail("the pickle refers to a value that it does not hold");
    }
    stack_.push_back(found->second);
}

AUDYN_INLINE void PickleReader::push_long(std::string_view bytes) {
    const bool is_negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
    uint64_t value = is_negative ? ~uint64_t{0} : 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        if (i < 8) {
            value &= ~(uint64_t{0xFF} << (8 * i));
            value |= static_cast<uint64_t>(byte) << (8 * i);
        } else if (byte != (is_negative ? 0xFF : 0)) {
            fail("an integer has more than 64 bits");
        }
    }
    if ((static_cast<int64_t>(value) < 0) != is_negative) {
        fail("an integer has more than 64 bits");
    }
    push(static_cast<int64_t>(value));
}

AUDYN_INLINE void PickleReader::append(const Nodes& items) {
    Nodes& list = as<List>(top(), "a list").items;
    list.insert(list.end(), items.begin(), items.end());
}

AUDYN_INLINE void PickleReader::set_items(const Nodes& items) {
    if (items.size() % 2 != 0) {
        fail("the pickle has a key without a value");
    }
    auto& entries = as<Dict>(top(), "a dictionary").entries;
    for (std::size_t i = 0; i < items.size(); i += 2) {
        entries.emplace_back(items[i], items[i + 1]);
    }
}

AUDYN_INLINE void PickleReader::build() {
    Node* attributes = pop();
    const bool is_plain = std::holds_alternative<Dict>(attributes->content);
    if (!is_plain ||
        !(std::holds_alternative<Dict>(top().content) || std::holds_alternative<at::Tensor>(top().content))) {
        fail("the pickle sets the state of an object that is no dictionary");
    }
}

AUDYN_INLINE void PickleReader::push_global() {
    std::string module(line());
    const std::string name(line());
    if (module == "__builtin__") { // as protocol 2 calls it
        module = "builtins";
    }
    std::string full = module + "." + name;
    const bool is_function = find_function(full) != nullptr;
    const bool is_dtype = module == "torch" && dtype_of_name(name).has_value();
    const bool is_storage = module == "torch" && dtype_of_storage(name).has_value();
    if (!is_function && !is_dtype && !is_storage && !is_inert(full)) {
        fail("the pickle names '" + full + "', which is not among what a checkpoint may hold");
    }
    push(Global{std::move(full)});
}

AUDYN_INLINE bool PickleReader::is_inert(std::string_view name) {
    return name == "torch.storage.UntypedStorage" || name == "torch.Tensor" || name == "torch.nn.parameter.Parameter" ||
           name == "torch.nn.parameter.Buffer";
}

AUDYN_INLINE auto PickleReader::find_function(std::string_view name) -> Function {
    struct Entry {
        std::string_view name;
        Function function;
    };
    static constexpr std::array<Entry, 14> functions{{
        {"collections.OrderedDict", &PickleReader::call_dict},
        {"collections.Counter", &PickleReader::call_dict},
        {"torch.Size", &PickleReader::call_size},
        {"torch.device", &PickleReader::call_device},
        {"torch.serialization._get_layout", &PickleReader::call_first},
        {"torch._utils._rebuild_tensor", &PickleReader::call_tensor},
        {"torch._utils._rebuild_tensor_v2", &PickleReader::call_tensor},
        {"torch._utils._rebuild_tensor_v3", &PickleReader::call_tensor_v3},
        {"torch._utils._rebuild_parameter", &PickleReader::call_first},
        {"torch._utils._rebuild_parameter_with_state", &PickleReader::call_first},
        {"torch._tensor._rebuild_from_type_v2", &PickleReader::call_from_type},
        {"_codecs.encode", &PickleReader::call_encode},
        {"builtins.bytes", &PickleReader::call_bytes},
        {"builtins.bytearray", &PickleReader::call_bytes},
    }};
    const auto found =
        std::find_if(functions.begin(), functions.end(), [=](const Entry& entry) { return entry.name == name; });
    return found == functions.end() ? nullptr : found->function;
}

AUDYN_INLINE void PickleReader::call(const std::string& name, const Nodes& arguments) {
    const Function function = find_function(name);
    if (function == nullptr) {
        fail("the pickle calls '" + name + "', which is not a function that a checkpoint may call");
    }
    (this->*function)(arguments);
}

AUDYN_INLINE auto PickleReader::argument(const Nodes& arguments, std::size_t index) const -> Node& {
    if (index >= arguments.size()) {
        fail("the pickle calls a function with too few arguments");
    }
    return *arguments[index];
}

AUDYN_INLINE void PickleReader::call_dict(const Nodes& arguments) {
    Dict dict;
    if (!arguments.empty()) {
        if (const auto* source = std::get_if<Dict>(&arguments.front()->content)) {
            charge(source->entries.size() * sizeof(Dict::Entry));
            dict = *source;
        } else {
            const Nodes& pairs = as<List>(*arguments.front(), "a list of pairs").items;
            charge(pairs.size() * sizeof(Dict::Entry));
            for (Node* pair : pairs) {
                const Nodes& items = std::holds_alternative<Tuple>(pair->content) ? std::get<Tuple>(pair->content).items
                                                                                  : as<List>(*pair, "a pair").items;
                dict.entries.emplace_back(&argument(items, 0), &argument(items, 1));
            }
        }
    }
    push(std::move(dict));
}

AUDYN_INLINE void PickleReader::call_size(const Nodes& arguments) {
    const Nodes& items = items_of(argument(arguments, 0), "a tuple of sizes");
    charge(items.size() * sizeof(Node*));
    push(Tuple{items});
}

AUDYN_INLINE auto PickleReader::items_of(Node& node, const char* what) const -> const Nodes& {
    return std::holds_alternative<List>(node.content) ? std::get<List>(node.content).items
                                                      : as<Tuple>(node, what).items;
}

AUDYN_INLINE void PickleReader::call_device(const Nodes& arguments) {
    std::string device = as<std::string>(argument(arguments, 0), "the name of a device");
    charge(device.size());
    if (arguments.size() > 1) {
        device += ":" + std::to_string(as<int64_t>(*arguments[1], "the number of a device"));
    }
    push(std::move(device));
}

AUDYN_INLINE void PickleReader::call_from_type(const Nodes& arguments) {
    if (!is_inert(as<Global>(argument(arguments, 1), "a type").name)) {
        fail("the pickle has a tensor of an unknown class");
    }
    const std::string& function = as<Global>(argument(arguments, 0), "a function").name;
    if (function.starts_with("torch._tensor.")) {
        fail("the pickle wraps a tensor twice"); // would recurse as deep as a file likes
    }
    call(function, as<Tuple>(argument(arguments, 2), "a tuple of arguments").items);
}

AUDYN_INLINE void PickleReader::call_encode(const Nodes& arguments) {
    const std::string& text = as<std::string>(argument(arguments, 0), "a text");
    const std::string& encoding = as<std::string>(argument(arguments, 1), "the name of an encoding");
    if (encoding != "latin1" && encoding != "latin-1") {
        fail("the pickle encodes bytes as '" + encoding + "'; PyTorch does it as latin1");
    }
    charge(text.size());
    state::Bytes bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            bytes.data += text[i];
        } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
            bytes.data += static_cast<char>((lead & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
        } else {
            fail("the pickle has bytes that are not latin1");
        }
    }
    push(std::move(bytes));
}

AUDYN_INLINE void PickleReader::call_bytes(const Nodes& arguments) {
    state::Bytes bytes = arguments.empty() ? state::Bytes{} : as<state::Bytes>(*arguments.front(), "bytes");
    charge(bytes.data.size());
    push(std::move(bytes));
}

AUDYN_INLINE void PickleReader::push_storage(const Nodes& description) {
    if (as<std::string>(argument(description, 0), "the word 'storage'") != "storage") {
        fail("the pickle refers to something outside that is not a storage");
    }
    const std::string& type = as<Global>(argument(description, 1), "a storage's class").name;
    const std::string& key = as<std::string>(argument(description, 2), "a storage's key");
    const int64_t elements = as<int64_t>(argument(description, 4), "a storage's size");
    if (description.size() > 5 && !std::holds_alternative<std::monostate>(description[5]->content)) {
        fail("the storage '" + key + "' is a view of another one, as PyTorch's first versions wrote");
    }
    at::ScalarType dtype = at::kByte;
    if (type != "torch.storage.UntypedStorage") {
        const auto typed = dtype_of_storage(std::string_view(type).substr(std::string_view("torch.").size()));
        if (!typed) {
            fail("the pickle has '" + type + "' where a storage's class must be");
        }
        dtype = *typed;
    }
    const auto element_size = static_cast<int64_t>(c10::elementSize(dtype));
    if (elements < 0 || elements > std::numeric_limits<int64_t>::max() / element_size) {
        fail("the storage '" + key + "' has an impossible size");
    }
    push(TypedStorage{load_storage_(key, static_cast<uint64_t>(elements * element_size)), dtype});
}

AUDYN_INLINE void PickleReader::call_tensor(const Nodes& arguments) {
    const auto& storage = as<TypedStorage>(argument(arguments, 0), "a storage");
    push_tensor(storage.storage, storage.dtype, arguments, 6);
}

AUDYN_INLINE void PickleReader::call_tensor_v3(const Nodes& arguments) {
    const auto& storage = as<TypedStorage>(argument(arguments, 0), "a storage");
    const std::string& name = as<Global>(argument(arguments, 6), "a dtype").name;
    const auto dtype = dtype_of_name(std::string_view(name).substr(std::string_view("torch.").size()));
    if (!dtype) {
        fail("the pickle has '" + name + "' where a dtype must be");
    }
    push_tensor(storage.storage, *dtype, arguments, 7);
}

AUDYN_INLINE void PickleReader::push_tensor(const c10::Storage& storage, at::ScalarType dtype, const Nodes& arguments,
                                            std::size_t metadata_index) {
    const int64_t offset = as<int64_t>(argument(arguments, 1), "a tensor's offset");
    const std::vector<int64_t> sizes = integers(argument(arguments, 2));
    const std::vector<int64_t> strides = integers(argument(arguments, 3));
    const auto elements = static_cast<int64_t>(storage.nbytes() / c10::elementSize(dtype));
    if (!fits(elements, offset, sizes, strides)) {
        fail("a tensor would reach beyond its storage");
    }
    charge(bytes_per_tensor);
    at::Tensor tensor = at::empty({0}, at::TensorOptions(dtype).device(storage.device()));
    tensor.set_(storage, offset, sizes, strides);
    if (metadata_index < arguments.size()) {
        apply_metadata(tensor, *arguments[metadata_index]);
    }
    push(std::move(tensor));
}

AUDYN_INLINE std::vector<int64_t> PickleReader::integers(Node& node) const {
    const Nodes& items = items_of(node, "a tuple of integers");
    if (items.size() > max_dimensions) {
        fail("a tensor has more than " + std::to_string(max_dimensions) + " dimensions");
    }
    std::vector<int64_t> values;
    for (Node* item : items) {
        values.push_back(as<int64_t>(*item, "an integer"));
    }
    return values;
}

AUDYN_INLINE bool PickleReader::fits(int64_t elements, int64_t offset, const std::vector<int64_t>& sizes,
                                     const std::vector<int64_t>& strides) {
    if (sizes.size() != strides.size() || offset < 0) {
        return false;
    }
    int64_t last = offset;
    int64_t count = 1;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        int64_t reach = 0;
        if (sizes[i] < 0 || strides[i] < 0 || __builtin_mul_overflow(count, std::max<int64_t>(sizes[i], 1), &count) ||
            __builtin_mul_overflow(std::max<int64_t>(sizes[i], 1) - 1, strides[i], &reach) ||
            __builtin_add_overflow(last, reach, &last)) {
            return false;
        }
    }
    const bool is_empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
    return is_empty ? offset <= elements : last < elements;
}

AUDYN_INLINE void PickleReader::apply_metadata(const at::Tensor& tensor, Node& node) const {
    for (const auto& [key, value] : as<Dict>(node, "a tensor's metadata").entries) {
        const std::string& name = as<std::string>(*key, "a name");
        const bool is_set = as<bool>(*value, "a truth value");
        if (name == "conj" && tensor.is_complex()) {
            tensor._set_conj(is_set);
        } else if (name == "neg") {
            tensor._set_neg(is_set);
        } else {
            fail("a tensor has the unknown property '" + name + "'");
        }
    }
}

AUDYN_INLINE state::Value PickleReader::to_value(const Node& node, int depth) {
    if (depth > max_depth) {
        fail("the values are nested deeper than " + std::to_string(max_depth) + " levels or contain themselves");
    }
    charge(sizeof(state::Value));
    return std::visit([&](const auto& content) { return convert(content, depth + 1); }, node.content);
}

AUDYN_INLINE auto PickleReader::to_values(const Nodes& items, int depth) -> state::List {
    state::List values;
    values.reserve(items.size());
    for (const Node* item : items) {
        values.push_back(to_value(*item, depth));
    }
    return values;
}

AUDYN_INLINE state::Value PickleReader::to_dict(const Dict& dict, int depth) {
    std::vector<StateDict::Entry> entries;
    entries.reserve(dict.entries.size());
    for (const auto& [key, value] : dict.entries) {
        if (const auto* name = std::get_if<std::string>(&key->content)) {
            charge(name->size());
            entries.emplace_back(*name, to_value(*value, depth));
        } else if (const auto* index = std::get_if<int64_t>(&key->content)) {
            entries.emplace_back(*index, to_value(*value, depth));
        } else {
            fail("a dictionary has a key that is neither a string nor an integer");
        }
    }
    return StateDict(std::move(entries));
}

AUDYN_INLINE state::Value PickleReader::to_name(const std::string& name) const {
    const bool is_dtype = name.starts_with("torch.") && dtype_of_name(std::string_view(name).substr(6)).has_value();
    if (!is_dtype) {
        fail("the pickle holds '" + name + "' as a value, which a state dictionary cannot");
    }
    return name;
}

} // namespace audyn::checkpoint
