#pragma once

/// Networks from files that Python's `torch.jit.script` or `torch.jit.trace` made, as models to train further. Apart
/// from <audyn/audyn.hpp>, since it takes libtorch's TorchScript headers.

#include <audyn/adapter/targets.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/trainer/output.hpp>

#include <ATen/core/ivalue.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace audyn {

namespace trainer::detail {

/// The tensors in what a script returned, in order, with the layout of their names.
inline void append_script_output(const c10::IValue& value, OutputLayout& layout, std::vector<at::Tensor>& tensors) {
    if (value.isTensor() || value.isNone()) {
        tensors.push_back(value.isTensor() ? value.toTensor() : at::Tensor());
        return;
    }
    layout.is_tensor = false;
    const auto append = [&](const c10::IValue& item, const std::string& name) {
        layout.items.push_back({true, name, {}});
        append_script_output(item, layout.items.back(), tensors);
    };
    if (value.isTuple()) {
        const auto schema = value.type()->expectRef<c10::TupleType>().schema(); // of a NamedTuple
        const auto& items = value.toTupleRef().elements();
        for (std::size_t i = 0; i < items.size(); ++i) {
            append(items[i], schema ? schema->arguments()[i].name() : "");
        }
    } else if (value.isList()) {
        for (const c10::IValue& item : value.toListRef()) {
            append(item, "");
        }
    } else if (value.isGenericDict()) {
        for (const auto& item : value.toGenericDict()) {
            append(item.value(), item.key().isString() ? item.key().toStringRef() : "");
        }
    } else {
        throw UsageError("the script's forward returned a value of type " + value.tagKind() +
                         "; a model returns tensors, or tuples, lists and dictionaries of tensors");
    }
}

} // namespace trainer::detail

/// What the forward of a script returned.
struct TorchScriptOutput {
    c10::IValue value;

    [[nodiscard]] std::vector<at::Tensor> tensors() const {
        trainer::OutputLayout layout;
        std::vector<at::Tensor> tensors;
        trainer::detail::append_script_output(value, layout, tensors);
        return tensors;
    }
};

template <>
struct trainer::OutputTraits<TorchScriptOutput> {
    static void flatten(const TorchScriptOutput& output, std::vector<at::Tensor>& tensors) {
        OutputLayout layout;
        detail::append_script_output(output.value, layout, tensors);
    }
    static OutputLayout layout(const TorchScriptOutput& output) {
        OutputLayout layout;
        std::vector<at::Tensor> tensors;
        detail::append_script_output(output.value, layout, tensors);
        return layout;
    }
};

class TorchScriptImpl : public torch::nn::Module {
public:
    /// Reads a file that Python's `torch.jit.save` wrote. \throws DataError that names the file.
    explicit TorchScriptImpl(const std::filesystem::path& path) : TorchScriptImpl(load(path)) {}
    /// \throws UsageError when the script has no forward.
    explicit TorchScriptImpl(torch::jit::Module script) : torch::nn::Module("TorchScript"), script_(std::move(script)) {
        if (!script_.find_method("forward")) {
            throw UsageError("the TorchScript module " + script_.type()->annotation_str() + " has no method forward");
        }
        mirror(script_, *this);
        train(!is_frozen());
    }

    /// Calls the script's forward with the values that have the names of its arguments; `train.key_mapping` gives them
    /// those names. \throws UsageError that names an argument which the batch does not have.
    TorchScriptOutput forward(const data::Batch& batch) { return call(script_.get_method("forward"), batch); }

    /// Calls the script's `inference`, where Python exported one (`torch.jit.export`), else its forward.
    TorchScriptOutput inference(const data::Batch& batch) {
        const auto method = script_.find_method("inference");
        return call(method ? *method : script_.get_method("forward"), batch);
    }

    /// \throws UsageError when what `torch.jit.freeze` made shall be trained.
    void train(bool on = true) override {
        if (on && is_frozen()) {
            throw UsageError("the script was frozen by torch.jit.freeze, and can only be run; save it in Python "
                             "without that to train it");
        }
        torch::nn::Module::train(on);
        script_.train(on);
    }

    [[nodiscard]] std::shared_ptr<torch::nn::Module>
    clone(const std::optional<at::Device>& device = std::nullopt) const override {
        const c10::NoGradGuard no_grad; // the copies are no part of a graph
        auto copy = std::make_shared<TorchScriptImpl>(current_script().deepcopy());
        const std::vector<at::Tensor> own = parameters();
        std::vector<at::Tensor> copies = copy->parameters();
        for (std::size_t i = 0; i < own.size(); ++i) {
            copies[i].set_requires_grad(own[i].requires_grad());
        }
        if (device) {
            copy->to(*device);
        }
        if (!is_frozen()) {
            copy->train(is_training());
        }
        return copy;
    }

    /// The script with the parameters and buffers as they are now; its `save(path)` writes a file for `torch.jit.load`.
    [[nodiscard]] torch::jit::Module& script() { return current_script(); }

private:
    /// A buffer of the script, and the one that is registered here.
    struct Buffer {
        c10::intrusive_ptr<c10::ivalue::Object> owner;
        std::size_t slot;
        at::Tensor registered;

        [[nodiscard]] const at::Tensor& of_script() const { return owner->getSlot(slot).toTensor(); }
        [[nodiscard]] bool is_shared() const { return of_script().is_alias_of(registered); }
    };

    static torch::jit::Module load(const std::filesystem::path& path) {
        if (!std::filesystem::exists(path)) {
            throw DataError("there is no TorchScript file " + path.string());
        }
        try {
            return torch::jit::load(path.string(), c10::Device(at::kCPU));
        } catch (const c10::Error& error) {
            throw DataError("cannot load the TorchScript file " + path.string() + ": " +
                            error.what_without_backtrace());
        }
    }

    /// Registers the script's parameters and buffers under their names. Both sides hold the same values.
    void mirror(const torch::jit::Module& script, torch::nn::Module& module) {
        for (const auto& parameter : script.named_parameters(/*recurse=*/false)) {
            module.register_parameter(parameter.name, parameter.value, parameter.value.requires_grad());
        }
        for (const auto& buffer : script.named_buffers(/*recurse=*/false)) {
            const std::size_t slot = script.type()->getAttributeSlot(buffer.name);
            buffers_.push_back({script._ivalue(), slot, module.register_buffer(buffer.name, buffer.value)});
            // A graph that a forward made keeps the script's tensor when the registered one changes its storage.
            script._ivalue()->setSlot(slot, buffer.value.detach());
        }
        for (const auto& child : script.named_children()) {
            auto part = std::make_shared<torch::nn::Module>(child.name);
            mirror(child.value, *part);
            module.register_module(child.name, std::move(part));
        }
    }

    /// `torch.jit.freeze` removes the mode.
    [[nodiscard]] bool is_frozen() const { return !script_.hasattr("training"); }

    /// After `to` the registered buffers lie elsewhere.
    torch::jit::Module& current_script() const {
        for (const Buffer& buffer : buffers_) {
            if (!buffer.is_shared()) {
                buffer.owner->setSlot(buffer.slot, buffer.registered.detach());
            }
        }
        return script_;
    }

    TorchScriptOutput call(const torch::jit::Method& method, const data::Batch& batch) {
        // The optimizing executor changes its graph, and with it the last bits, after the first calls of a process: a
        // resumed training would differ from the one that was not interrupted.
        const torch::jit::GraphOptimizerEnabledGuard plain(false);
        current_script();
        c10::IValue output = method(arguments(method.function().getSchema(), batch));
        for (Buffer& buffer : buffers_) {
            if (!buffer.is_shared()) { // `self.count = self.count + 1` makes another tensor
                buffer.registered.set_data(buffer.of_script().detach().clone());
            }
        }
        return {std::move(output)};
    }

    static std::vector<c10::IValue> arguments(const c10::FunctionSchema& schema, const data::Batch& batch) {
        std::vector<c10::IValue> arguments;
        for (std::size_t i = 1; i < schema.arguments().size(); ++i) { // the first is the module
            const c10::Argument& argument = schema.arguments()[i];
            if (const auto position = batch.position(argument.name())) {
                arguments.push_back(
                    std::visit([](const auto& value) { return c10::IValue(value); }, batch.entry(*position).second));
            } else if (argument.default_value()) {
                arguments.push_back(*argument.default_value());
            } else {
                throw UsageError("the script's " + schema.name() + " takes '" + argument.name() + "' (" +
                                 argument.type()->annotation_str() + "), but the values have the names: " +
                                 batch.names() + "; map them by key_mapping's input");
            }
        }
        return arguments;
    }

    mutable torch::jit::Module script_; // whose methods are not const
    std::vector<Buffer> buffers_;
};

/// A network that Python's `torch.jit.script` or `trace` saved, to train further: its parameters and buffers have their
/// names in Python, so that a checkpoint's `model` is what `load_state_dict` takes there. What `torch.jit.freeze` made
/// is constant, and can only be run.
TORCH_MODULE(TorchScript);

/// Adds `audyn.TorchScript`, which takes the `path` of such a file, to the targets of a program; it trains as
/// `AutoTrainer<TorchScript>`.
inline void add_torchscript_targets(adapter::Targets& targets) {
    targets.add_function<TorchScript>("audyn.TorchScript", adapter::constructor<std::string>(adapter::arg("path")),
                                      [](const std::string& path) { return TorchScript(std::filesystem::path(path)); });
}

} // namespace audyn
