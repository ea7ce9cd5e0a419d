// Prints what a checkpoint holds: `inspect FILE...`. Tensors are shown by dtype and shape, their content is not read
// except to check it; `--no-verify` leaves that out.

#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

using audyn::StateDict;
using audyn::state::Value;

/// Tensors and elements below a value; memory that tensors share counts once.
struct Size {
    int64_t tensors = 0;
    int64_t elements = 0;
    std::size_t bytes = 0;
    std::unordered_set<const void*> storages;
};

void add(const Value& value, Size& size) {
    if (value.is<at::Tensor>()) {
        const at::Tensor& tensor = value.as_tensor();
        ++size.tensors;
        size.elements += tensor.numel();
        if (size.storages.insert(tensor.storage().unsafeGetStorageImpl()).second) {
            size.bytes += tensor.storage().nbytes();
        }
    } else if (value.is<StateDict>()) {
        for (const auto& [key, item] : value.as_dict()) {
            add(item, size);
        }
    } else if (value.is<audyn::state::List>() || value.is<audyn::state::Tuple>()) {
        for (const Value& item : value.as_list()) {
            add(item, size);
        }
    }
}

std::string bytes_text(std::size_t bytes) {
    std::ostringstream text;
    text.precision(3);
    if (bytes < 10'000) {
        text << bytes << " bytes";
    } else if (bytes < 10'000'000) {
        text << static_cast<double>(bytes) / 1e3 << " kB";
    } else {
        text << static_cast<double>(bytes) / 1e6 << " MB";
    }
    return text.str();
}

/// A value that fits a line.
std::string text_of(const Value& value) {
    if (value.is<at::Tensor>()) {
        const at::Tensor& tensor = value.as_tensor();
        std::ostringstream text;
        text << audyn::checkpoint::dtype_name(tensor.scalar_type()) << ' ' << tensor.sizes();
        return text.str();
    }
    if (value.is<std::string>()) {
        return "'" + value.as_string() + "'";
    }
    if (value.is<audyn::state::Bytes>()) {
        return std::to_string(value.as_bytes().data.size()) + " bytes";
    }
    if (value.is<bool>()) {
        return value.as_bool() ? "true" : "false";
    }
    if (value.is<int64_t>()) {
        return std::to_string(value.as_int());
    }
    return value.is<double>() ? audyn::config::float_text(value.as_float()) : "null";
}

void print(const std::string& name, const Value& value, const std::string& indent) {
    const auto heading = [&](std::size_t count, const char* what) {
        Size size;
        add(value, size);
        std::cout << indent << name << ": " << count << ' ' << what;
        if (size.tensors > 0) {
            std::cout << ", " << size.tensors << " tensors, " << size.elements << " elements, "
                      << bytes_text(size.bytes);
        }
        std::cout << '\n';
    };
    if (value.is<StateDict>()) {
        heading(value.as_dict().size(), "keys");
        for (const auto& [key, item] : value.as_dict()) {
            print(key.to_string(), item, indent + "  ");
        }
    } else if (value.is<audyn::state::List>() || value.is<audyn::state::Tuple>()) {
        const std::vector<Value>& items = value.as_list();
        heading(items.size(), "items");
        constexpr std::size_t shown = 10;
        for (std::size_t i = 0; i < items.size() && i < shown; ++i) {
            print("[" + std::to_string(i) + "]", items[i], indent + "  ");
        }
        if (items.size() > shown) {
            std::cout << indent << "  ...\n";
        }
    } else {
        std::cout << indent << name << ": " << text_of(value) << '\n';
    }
}

void inspect(const std::string& path, bool verify) {
    // Mapped, so that a file of any size takes no memory.
    const StateDict state = audyn::checkpoint::load(path, {.mmap = true, .verify = verify});
    Size size;
    add(state, size);
    std::cout << path << ": " << size.tensors << " tensors, " << bytes_text(size.bytes)
              << (audyn::checkpoint::is_legacy(path) ? ", without checksums"
                  : verify                           ? ", every checksum is right"
                                                     : ", not verified")
              << '\n';
    for (const auto& [key, value] : state) {
        if (key != audyn::state::Key("resolved_config")) {
            print(key.to_string(), value, "  ");
        }
    }
    if (const Value* config = state.find("resolved_config")) {
        std::istringstream yaml(audyn::Config(audyn::adapter::to_config(*config, {})).to_yaml());
        std::cout << "  resolved_config:\n";
        for (std::string line; std::getline(yaml, line);) {
            std::cout << "    " << line << '\n';
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> paths(argv + 1, argv + argc);
    const bool verify = std::erase(paths, "--no-verify") == 0;
    if (paths.empty()) {
        std::cerr << "usage: inspect [--no-verify] FILE...\n";
        return 2;
    }
    int status = 0;
    for (const std::string& path : paths) {
        try {
            inspect(path, verify);
        } catch (const std::exception& error) {
            std::cout.flush();
            std::cerr << "error: " << error.what() << '\n';
            status = 1;
        }
    }
    return status;
}
