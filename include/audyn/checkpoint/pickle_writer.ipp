#pragma once

#include <audyn/checkpoint/pickle_writer.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <bit>
#include <limits>

namespace audyn::checkpoint::detail {

AUDYN_INLINE bool is_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned char lead = byte(i);
        const std::size_t length = lead < 0x80                   ? 1
                                   : lead >= 0xC2 && lead < 0xE0 ? 2
                                   : lead >= 0xE0 && lead < 0xF0 ? 3
                                   : lead >= 0xF0 && lead < 0xF5 ? 4
                                                                 : 0;
        if (length == 0 || i + length > text.size()) {
            return false;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((byte(i + k) & 0xC0) != 0x80) {
                return false;
            }
        }
        // Overlong forms, surrogates and what lies beyond the last code point.
        if (length > 2) {
            const unsigned char second = byte(i + 1);
            if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
                (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90)) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE PickleWriter::PickleWriter(const StateDict& state) {
    text_ = "\x80\x02"; // PROTO 2
    write_dict(state);
    text_ += '.'; // STOP
}

AUDYN_INLINE PickleWriter::PickleWriter(const state::Value& value) {
    text_ = "\x80\x02"; // PROTO 2
    write_value(value);
    text_ += '.'; // STOP
}

AUDYN_INLINE void PickleWriter::fail(const std::string& reason) const {
    throw CheckpointError("the value '" + path_ + "' cannot be saved: " + reason);
}

AUDYN_INLINE void PickleWriter::write_value(const state::Value& value) {
    std::visit([this](const auto& item) { write(item); }, value.storage());
}

AUDYN_INLINE void PickleWriter::write(double value) {
    text_ += 'G';
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) { // the one big-endian number of the format
        text_ += static_cast<char>(bits >> shift);
    }
}

AUDYN_INLINE void PickleWriter::write(int64_t value) {
    if (value >= 0 && value < 0x100) {
        text_ += 'K';
        put(value, 1);
    } else if (value >= 0 && value < 0x10000) {
        text_ += 'M';
        put(value, 2);
    } else if (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max()) {
        text_ += 'J';
        put(value, 4);
    } else {
        text_ += "\x8a\x08"; // LONG1 of 8 bytes
        put(value, 8);
    }
}

AUDYN_INLINE void PickleWriter::write(const std::string& value) {
    if (!detail::is_utf8(value)) {
        fail("the string is not UTF-8; keep other text as bytes");
    }
    write_text(value);
}

AUDYN_INLINE void PickleWriter::write(const state::Bytes& value) {
    std::string text;
    for (const char c : value.data) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            text += c;
        } else {
            text += static_cast<char>(0xC0 | byte >> 6);
            text += static_cast<char>(0x80 | (byte & 0x3F));
        }
    }
    write_global("_codecs", "encode");
    write_text(text);
    write_text("latin1");
    text_ += "\x86R"; // TUPLE2 REDUCE
}

AUDYN_INLINE void PickleWriter::write(const state::List& list) {
    text_ += ']';
    if (!list.empty()) {
        text_ += '(';
        write_items(list);
        text_ += 'e'; // APPENDS
    }
}

AUDYN_INLINE void PickleWriter::write(const state::Tuple& tuple) {
    if (tuple.items.empty()) {
        text_ += ')';
        return;
    }
    text_ += '(';
    write_items(tuple.items);
    text_ += 't';
}

AUDYN_INLINE void PickleWriter::write(const at::Tensor& tensor) {
    check_tensor(tensor);
    // A lazy conjugate or negative is made real; Python knows them by their own kind of metadata.
    const at::Tensor plain = tensor.resolve_conj().resolve_neg();
    const detail::StorageType* type = storage_type_of(plain.scalar_type());
    write_global("torch._utils", type != nullptr ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
    text_ += '(';
    write_storage(plain, type);
    write(plain.storage_offset());
    write_integers(plain.sizes());
    write_integers(plain.strides());
    write(false);                               // requires_grad
    write_global("collections", "OrderedDict"); // no hooks
    text_ += ")R";
    if (type == nullptr) {
        write_global("torch", detail::untyped_dtype_name(plain.scalar_type()));
    }
    text_ += "tR";
}

AUDYN_INLINE void PickleWriter::check_tensor(const at::Tensor& tensor) const {
    if (!tensor.defined()) {
        fail("the tensor is undefined; leave it out or save None");
    }
    if (tensor.layout() != at::kStrided || tensor.is_quantized() || tensor.is_meta() || tensor.is_nested()) {
        fail("the tensor is sparse, quantized, nested or without content; a checkpoint holds dense tensors");
    }
    if (dtype_name(tensor.scalar_type()).empty()) {
        fail(std::string("the dtype ") + c10::toString(tensor.scalar_type()) + " is not supported");
    }
}

AUDYN_INLINE void PickleWriter::write_storage(const at::Tensor& tensor, const detail::StorageType* type) {
    const std::size_t index = storage_index(tensor);
    const std::size_t element_size = type != nullptr ? tensor.element_size() : 1;
    text_ += '(';
    write_text("storage");
    if (type != nullptr) {
        write_global("torch", type->storage);
    } else {
        write_global("torch.storage", "UntypedStorage");
    }
    write_text(std::to_string(index));
    write_text("cpu");
    write(static_cast<int64_t>(storages_[index].size / element_size));
    text_ += "tQ";
}

AUDYN_INLINE std::size_t PickleWriter::storage_index(const at::Tensor& tensor) {
    const c10::Storage& storage = tensor.storage();
    const auto [found, is_new] = storage_indices_.try_emplace(storage.unsafeGetStorageImpl(), storages_.size());
    if (is_new) {
        const std::size_t element_size = tensor.element_size();
        storages_.push_back({storage, tensor.scalar_type(), storage.nbytes() / element_size * element_size});
    } else if (storages_[found->second].dtype != tensor.scalar_type()) {
        fail("it shares its memory with a tensor of another dtype, which PyTorch's format cannot hold; save a "
             "clone");
    }
    return found->second;
}

AUDYN_INLINE void PickleWriter::write_integers(at::IntArrayRef values) {
    if (values.empty()) {
        text_ += ')';
        return;
    }
    text_ += '(';
    for (const int64_t value : values) {
        write(value);
    }
    text_ += 't';
}

AUDYN_INLINE void PickleWriter::write(const StateDict& dict) {
    if (dict.is_counter()) {
        write_global("collections", "Counter");
        write_dict(dict);
        text_ += "\x85R"; // TUPLE1 REDUCE
    } else {
        write_dict(dict);
    }
}

AUDYN_INLINE void PickleWriter::write_dict(const StateDict& dict) {
    text_ += '}';
    if (dict.empty()) {
        return;
    }
    enter();
    text_ += '(';
    for (const auto& [key, value] : dict) {
        const std::size_t length = path_.size();
        path_ += (path_.empty() ? "" : ".") + key.to_string();
        if (key.is_string()) {
            write(key.string());
        } else {
            write(key.integer());
        }
        write_value(value);
        path_.resize(length);
    }
    text_ += 'u'; // SETITEMS
    --depth_;
}

AUDYN_INLINE void PickleWriter::write_items(const std::vector<state::Value>& items) {
    enter();
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t length = path_.size();
        path_ += "[" + std::to_string(i) + "]";
        write_value(items[i]);
        path_.resize(length);
    }
    --depth_;
}

AUDYN_INLINE void PickleWriter::enter() {
    if (++depth_ > max_depth) {
        fail("it is nested deeper than " + std::to_string(max_depth) + " levels");
    }
}

AUDYN_INLINE void PickleWriter::write_global(std::string_view module, std::string_view name) {
    std::string code = "c";
    code.append(module).append("\n").append(name).append("\n");
    write_memoized(code);
}

AUDYN_INLINE void PickleWriter::write_text(std::string_view value) {
    if (value.size() > std::numeric_limits<uint32_t>::max()) {
        fail("a text is longer than 4 GiB");
    }
    std::string code = "X";
    for (int shift = 0; shift < 32; shift += 8) {
        code += static_cast<char>(value.size() >> shift);
    }
    code += value;
    write_memoized(code);
}

AUDYN_INLINE void PickleWriter::write_memoized(const std::string& code) {
    if (code.size() > max_memoized) {
        text_ += code;
        return;
    }
    const auto [found, is_new] = memo_.try_emplace(code, memo_.size());
    const auto index = static_cast<int64_t>(found->second);
    const bool is_short = index < 0x100;
    if (is_new) {
        text_ += code;
        text_ += is_short ? 'q' : 'r'; // BINPUT, LONG_BINPUT
    } else {
        text_ += is_short ? 'h' : 'j'; // BINGET, LONG_BINGET
    }
    put(index, is_short ? 1 : 4);
}

AUDYN_INLINE void PickleWriter::put(int64_t value, int size) {
    for (int i = 0; i < size; ++i) {
        text_ += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
    }
}

} // namespace audyn::checkpoint
