#pragma once

#include <audyn/checkpoint/dtypes.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::checkpoint {

/// Reads the pickle `data.pkl` of a checkpoint without executing anything: a fixed list of opcodes, and of names with
/// a meaning of our own. Everything else is refused by name. See `load` for what becomes of Python's types.
/// Time and memory are bounded by the pickle's length, whatever it says.
class PickleReader {
public:
    /// Gives the content of the storage `key`, which must have `size` bytes.
    using LoadStorage = std::function<c10::Storage(const std::string& key, uint64_t size)>;

    PickleReader(std::string_view pickle, LoadStorage load_storage);

    /// Where the pickle ended, after `read`: others may follow it.
    [[nodiscard]] std::size_t position() const { return position_; }

    /// \throws CheckpointError that says what is wrong, and where in the pickle.
    [[nodiscard]] state::Value read();

private:
    struct Node;
    using Nodes = std::vector<Node*>;

    struct Mark {};
    struct List {
        Nodes items;
    };
    struct Tuple {
        Nodes items;
    };
    struct Dict {
        using Entry = std::pair<Node*, Node*>;
        std::vector<Entry> entries;
    };
    /// A name that the pickle may call or mention, "torch.float32".
    struct Global {
        std::string name;
    };
    struct TypedStorage {
        c10::Storage storage;
        at::ScalarType dtype;
    };

    /// A value under construction. Python's values are shared by reference, so nodes are owned by `nodes_` and refer
    /// to each other freely; they are freed flat, however deep a file nests them.
    struct Node {
        std::variant<std::monostate, bool, int64_t, double, std::string, state::Bytes, at::Tensor, List, Tuple, Dict,
                     Global, TypedStorage, Mark>
            content;
    };

    static constexpr int max_depth = 256;
    static constexpr std::size_t max_dimensions = 64; // as in torch

    [[noreturn]] void fail(const std::string& reason) const;

    /// Accounts for `bytes` of memory (or of work) beyond what reading the pickle once takes: values that are shared
    /// within the file become copies, and a file that refers to one over and over must not fill the memory.
    void charge(std::size_t bytes);
    static constexpr std::size_t free_copies = std::size_t{256} << 20;
    static constexpr std::size_t copies_per_byte = 128;

    // Reading the bytes.

    std::string_view take(uint64_t size);

    uint64_t number(std::size_t size);

    std::string_view line();

    // The stack.

    template <class T>
    void push(T content) {
        stack_.push_back(&nodes_.emplace_back(Node{std::move(content)}));
    }

    Node* pop();

    Node& top();

    Nodes pop_to_mark();

    Nodes pop_items(std::size_t count);

    template <class T>
    T& as(Node& node, const char* what) const {
        if (T* content = std::get_if<T>(&node.content)) {
            return *content;
        }
        // Not one expression: GCC 12 sees overruns in a chain of string additions that it inlined (PR105329).
        std::string reason = "the pickle has something else where ";
        reason.append(what).append(" must be");
        fail(reason);
    }

    // The opcodes. Their names are those of Python's `pickle` module.

    /// Executes one opcode; false at the end.
    bool step();

    bool step_scalar(char opcode);

    bool step_container(char opcode);

    bool step_memo(char opcode);

    void push_memoized(uint64_t index);

    /// A two's complement integer of any length; those of Python that need more than 64 bits have no place here.
    void push_long(std::string_view bytes);

    void append(const Nodes& items);

    void set_items(const Nodes& items);

    /// Attributes of an OrderedDict (`_metadata` of a module's state) or of a tensor: nothing that a state needs.
    void build();

    // Names and what they do.

    void push_global();

    /// Names that may stand as an argument but cannot be called.
    static bool is_inert(std::string_view name);

    using Function = void (PickleReader::*)(const Nodes& arguments);

    static Function find_function(std::string_view name);

    void call(const std::string& name, const Nodes& arguments);

    Node& argument(const Nodes& arguments, std::size_t index) const;

    /// (), (dict) or (list of pairs).
    void call_dict(const Nodes& arguments);

    void call_size(const Nodes& arguments);

    /// The items of a list or a tuple.
    const Nodes& items_of(Node& node, const char* what) const;

    /// ("cuda", 0) -> "cuda:0"
    void call_device(const Nodes& arguments);

    /// The value that a parameter or a layout wraps.
    void call_first(const Nodes& arguments) { stack_.push_back(&argument(arguments, 0)); }

    /// (function, type, arguments, attributes) of a tensor with attributes, such as nn.Buffer.
    void call_from_type(const Nodes& arguments);

    /// (text, "latin1") -> bytes
    void call_encode(const Nodes& arguments);

    /// () or (bytes)
    void call_bytes(const Nodes& arguments);

    // Tensors.

    /// ("storage", class, key, device, elements), and in the format from before 1.6 what it is a view of
    void push_storage(const Nodes& description);

    /// (storage, offset, size, stride, requires_grad, hooks, metadata)
    void call_tensor(const Nodes& arguments);

    /// (storage, offset, size, stride, requires_grad, hooks, dtype, metadata)
    void call_tensor_v3(const Nodes& arguments);

    void push_tensor(const c10::Storage& storage, at::ScalarType dtype, const Nodes& arguments,
                     std::size_t metadata_index);

    static constexpr std::size_t bytes_per_tensor = 512; // roughly what libtorch takes for one without content

    std::vector<int64_t> integers(Node& node) const;

    /// True when every element lies in a storage of `elements`. Careful with overflow: the numbers are the file's.
    static bool fits(int64_t elements, int64_t offset, const std::vector<int64_t>& sizes,
                     const std::vector<int64_t>& strides);

    /// {"conj": True}, {"neg": True}: views whose values are computed when read.
    void apply_metadata(const at::Tensor& tensor, Node& node) const;

    // From nodes to values.

    state::Value to_value(const Node& node, int depth);

    template <class T>
    state::Value convert(const T& content, int depth) {
        if constexpr (std::is_same_v<T, std::monostate>) {
            return {};
        } else if constexpr (std::is_same_v<T, List>) {
            return to_values(content.items, depth);
        } else if constexpr (std::is_same_v<T, Tuple>) {
            return state::Tuple{to_values(content.items, depth)};
        } else if constexpr (std::is_same_v<T, Dict>) {
            return to_dict(content, depth);
        } else if constexpr (std::is_same_v<T, Global>) {
            return to_name(content.name);
        } else if constexpr (std::is_same_v<T, TypedStorage>) {
            fail("the pickle holds a bare storage; save a tensor");
        } else if constexpr (std::is_same_v<T, Mark>) {
            fail("the pickle is not complete");
        } else {
            if constexpr (std::is_same_v<T, std::string>) {
                charge(content.size());
            } else if constexpr (std::is_same_v<T, state::Bytes>) {
                charge(content.data.size());
            }
            return content;
        }
    }

    state::List to_values(const Nodes& items, int depth);

    state::Value to_dict(const Dict& dict, int depth);

    /// A dtype as a value, "torch.float32".
    state::Value to_name(const std::string& name) const;

    std::string_view pickle_;
    LoadStorage load_storage_;
    std::size_t position_ = 0;
    std::size_t charged_ = 0;
    std::deque<Node> nodes_;
    Nodes stack_;
    std::unordered_map<uint64_t, Node*> memo_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/pickle_reader.ipp>
#endif
