#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/trainer/key_mapping.hpp>
#include <audyn/trainer/output.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// The tensors that a model returned, with their names. Tensors of a list lie side by side and share its name.
class Outputs {
public:
    Outputs(std::shared_ptr<const std::vector<std::string>> names, std::vector<at::Tensor> tensors)
        : names_(std::move(names)), tensors_(std::move(tensors)) {}

    [[nodiscard]] std::size_t size() const { return tensors_.size(); }
    [[nodiscard]] const std::string& name(std::size_t position) const { return (*names_)[position]; }
    [[nodiscard]] const at::Tensor& tensor(std::size_t position) const { return tensors_[position]; }

    /// Where the output `name`, or the first tensor of the list `name`, lies, or nothing.
    [[nodiscard]] std::optional<std::size_t> position(std::string_view name) const {
        for (std::size_t i = 0; i < names_->size(); ++i) {
            if ((*names_)[i] == name) {
                return i;
            }
        }
        return std::nullopt;
    }

    /// How many tensors the output `name` has: 1 unless it is a list.
    [[nodiscard]] std::size_t count(std::string_view name) const {
        return static_cast<std::size_t>(std::count(names_->begin(), names_->end(), name));
    }

    /// The output `name`. \throws UsageError that lists the outputs there are, or for a list of tensors.
    [[nodiscard]] const at::Tensor& tensor(std::string_view name) const {
        const auto found = position(name);
        if (!found) {
            throw UsageError("the model has no output '" + std::string(name) + "'; it has: " + names());
        }
        if (const std::size_t length = count(name); length > 1) {
            throw UsageError("the output '" + std::string(name) + "' is a list of " + std::to_string(length) +
                             " tensors where one is needed; give each a name: key_mapping output: [" +
                             std::string(name) + "_0, " + std::string(name) + "_1, ...]");
        }
        return tensors_[*found];
    }

    /// The names, separated by commas: for messages.
    [[nodiscard]] std::string names() const {
        std::string text;
        for (std::size_t i = 0; i < size(); ++i) {
            if (i == 0 || name(i) != name(i - 1)) {
                text += (text.empty() ? "" : ", ") + name(i);
            }
        }
        return text;
    }

private:
    std::shared_ptr<const std::vector<std::string>> names_;
    std::vector<at::Tensor> tensors_;
};

namespace detail {

template <class Function>
struct MemberFunction;

template <class Class, class Result, class... Arguments>
struct MemberFunction<Result (Class::*)(Arguments...)> {
    using Output = std::remove_cvref_t<Result>;
    using Parameters = std::tuple<std::remove_cvref_t<Arguments>...>;
};
template <class Class, class Result, class... Arguments>
struct MemberFunction<Result (Class::*)(Arguments...) const> : MemberFunction<Result (Class::*)(Arguments...)> {};
template <class Class, class Result, class... Arguments>
struct MemberFunction<Result (Class::*)(Arguments...) noexcept> : MemberFunction<Result (Class::*)(Arguments...)> {};
template <class Class, class Result, class... Arguments>
struct MemberFunction<Result (Class::*)(Arguments...) const noexcept>
    : MemberFunction<Result (Class::*)(Arguments...)> {};

/// forward of a tensor, for modules whose forward is a template or overloaded, such as torch::nn::Sequential.
struct TensorForward {
    using Output = at::Tensor;
    using Parameters = std::tuple<at::Tensor>;
};

template <class Module>
struct ForwardSignature : TensorForward {};
template <class Module>
requires requires {
    &Module::forward;
}
struct ForwardSignature<Module> : MemberFunction<decltype(&Module::forward)> {};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// The value of a batch as the type that forward takes.
template <class Parameter>
Parameter convert_argument(const data::Batch::Entry& entry) {
    if constexpr (is_optional<Parameter>) {
        return convert_argument<typename Parameter::value_type>(entry);
    } else {
        if (const auto* value = std::get_if<Parameter>(&entry.second)) {
            return *value;
        }
        throw DataError("the value '" + entry.first + "' of the batch has another type than the model takes");
    }
}

} // namespace detail

/// For ForwardCall: a module's forward.
template <class Module>
struct ForwardMethod {
    using Parameters = typename detail::ForwardSignature<Module>::Parameters;
    static constexpr const char* name = "forward";
    static constexpr bool has_names = requires { Module::forward_arguments.size(); };
    static constexpr auto names() { return Module::forward_arguments; }
    template <class Model, class... Arguments>
    static auto call(Model& model, Arguments&&... arguments) {
        return model.forward(std::forward<Arguments>(arguments)...);
    }
};

/// A module with a member inference, neither overloaded nor a template, that serves in place of forward once the model
/// is trained, as in Audyn.
template <class Module>
concept HasInference = requires {
    &Module::inference;
};

namespace detail {

/// Finds a member inference of any kind: the name is ambiguous then.
template <class Module>
struct NamesInference {
    struct Other {
        int inference;
    };
    struct Both : Module, Other {};
    static constexpr bool value = !requires { &Both::inference; };
};

} // namespace detail

/// For ForwardCall: a module's inference. `inference_arguments` names its arguments; without it they are those of
/// forward, where there are as many.
template <HasInference Module>
struct InferenceMethod {
    using Parameters = typename detail::MemberFunction<decltype(&Module::inference)>::Parameters;
    static constexpr const char* name = "inference";
    static constexpr bool has_own_names = requires { Module::inference_arguments.size(); };
    static constexpr bool has_names = [] {
        if constexpr (!has_own_names && ForwardMethod<Module>::has_names) {
            return Module::forward_arguments.size() == std::tuple_size_v<Parameters>;
        }
        return has_own_names;
    }();
    static constexpr auto names() {
        if constexpr (has_own_names) {
            return Module::inference_arguments;
        } else {
            return Module::forward_arguments;
        }
    }
    template <class Model, class... Arguments>
    static auto call(Model& model, Arguments&&... arguments) {
        return model.inference(std::forward<Arguments>(arguments)...);
    }
};

/// Calls a module's forward, or what `Method` is, with the values of a batch: names are looked up in the first batch
/// and kept as positions. `Module` is the implementation class (`DenoiserImpl`). A forward that takes a whole
/// `data::Batch` gets the batch, or, where the mapping names values, those alone under the names of the arguments.
template <class Module, class Method = ForwardMethod<Module>>
class ForwardCall {
public:
    using Parameters = typename Method::Parameters;
    static constexpr std::size_t arity = std::tuple_size_v<Parameters>;
    static constexpr bool has_names = Method::has_names;
    static constexpr bool takes_batch = std::is_same_v<Parameters, std::tuple<data::Batch>>;

    explicit ForwardCall(KeyMapping mapping) : mapping_(std::move(mapping)) {
        if constexpr (has_names) {
            static_assert(Method::names().size() == arity,
                          "audyn: forward_arguments (inference_arguments) must name each argument of the model's "
                          "forward (inference), in order");
        }
        check_input_names();
    }

    /// Runs the method of `model`, which may be a wrapper that forwards to the module.
    template <class Model>
    Outputs operator()(Model& model, const data::Batch& batch) {
        if (!fits(batch)) {
            resolve(batch);
        }
        const auto output = call(model, batch, std::make_index_sequence<arity>());
        using Output = std::remove_cvref_t<decltype(output)>;
        if (!names_) {
            names_ = std::make_shared<const std::vector<std::string>>(
                output_names(mapping_, OutputTraits<Output>::layout(output)));
        }
        std::vector<at::Tensor> tensors;
        tensors.reserve(names_->size());
        OutputTraits<Output>::flatten(output, tensors);
        if (tensors.size() != names_->size()) {
            throw UsageError("the model returned " + std::to_string(tensors.size()) + " tensors, and " +
                             std::to_string(names_->size()) + " before");
        }
        return {names_, std::move(tensors)};
    }

    /// Whether forward took the value at `position` of the last batch.
    [[nodiscard]] bool takes(std::size_t position) const {
        return std::any_of(sources_.begin(), sources_.end(),
                           [position](const Source& source) { return source.position == position; });
    }

private:
    struct Source {
        std::string name;
        std::optional<std::size_t> position;
    };

    template <class Model, std::size_t... Index>
    auto call(Model& model, const data::Batch& batch, std::index_sequence<Index...>) {
        if constexpr (takes_batch) {
            return mapping_.input.empty() ? Method::call(model, batch) : Method::call(model, mapped(batch));
        } else {
            return Method::call(model, argument<Index>(batch)...);
        }
    }

    /// The values that the mapping names, under the names of the arguments.
    data::Batch mapped(const data::Batch& batch) const {
        data::Batch arguments;
        arguments.reserve(mapping_.input.size());
        for (const auto& [argument, name] : mapping_.input) {
            arguments.set(argument, batch.at(name));
        }
        return arguments;
    }

    template <std::size_t Index>
    std::tuple_element_t<Index, Parameters> argument(const data::Batch& batch) const {
        using Parameter = std::tuple_element_t<Index, Parameters>;
        if constexpr (detail::is_optional<Parameter>) {
            if (!sources_[Index].position) {
                return std::nullopt;
            }
        }
        return detail::convert_argument<Parameter>(batch.entry(*sources_[Index].position));
    }

    /// Whether the positions found before hold for this batch: compares, without looking anything up.
    bool fits(const data::Batch& batch) const {
        if constexpr (takes_batch) {
            return true;
        }
        for (const Source& source : sources_) {
            if (source.position &&
                (*source.position >= batch.size() || batch.entry(*source.position).first != source.name)) {
                return false;
            }
        }
        return resolved_;
    }

    void resolve(const data::Batch& batch) {
        resolve_each(batch, std::make_index_sequence<arity>());
        resolved_ = true;
    }

    template <std::size_t... Index>
    void resolve_each(const data::Batch& batch, std::index_sequence<Index...>) {
        (resolve_one<Index>(batch), ...);
    }

    template <std::size_t Index>
    void resolve_one(const data::Batch& batch) {
        Source& source = sources_[Index];
        if constexpr (!has_names) {
            if (mapping_.input.empty()) {
                if (Index >= batch.size()) {
                    throw UsageError(std::string("the model's ") + Method::name + " takes " + std::to_string(arity) +
                                     " arguments, but the batch has only: " + batch.names());
                }
                source = {batch.entry(Index).first, Index};
                return;
            }
        }
        source.name = batch_name(Index);
        source.position = batch.position(source.name);
        constexpr bool optional = detail::is_optional<std::tuple_element_t<Index, Parameters>>;
        if (!source.position && !(optional && !is_mapped(Index))) {
            throw UsageError("key_mapping input: argument '" + argument_name(Index) + "' of the model's " +
                             Method::name + " needs the value '" + source.name +
                             "', but the batch has: " + batch.names());
        }
    }

    static std::string argument_name(std::size_t index) {
        if constexpr (has_names) {
            return std::string(Method::names()[index]);
        } else {
            return std::to_string(index);
        }
    }

    bool is_mapped(std::size_t index) const {
        for (const auto& [argument, name] : mapping_.input) {
            if (argument == argument_name(index)) {
                return true;
            }
        }
        return false;
    }

    std::string batch_name(std::size_t index) const {
        const std::string own = argument_name(index);
        for (const auto& [argument, name] : mapping_.input) {
            if (argument == own) {
                return name;
            }
        }
        return own;
    }

    void check_input_names() const {
        if (mapping_.input.empty() || takes_batch) {
            return;
        }
        if constexpr (!has_names) {
            throw UsageError(std::string("key_mapping input needs names of ") + Method::name +
                             "'s arguments; add to the model: static constexpr auto " + Method::name +
                             "_arguments = audyn::names(...);");
        } else {
            std::string known;
            for (const std::string_view name : Method::names()) {
                known += (known.empty() ? "" : ", ") + std::string(name);
            }
            for (const auto& [argument, name] : mapping_.input) {
                bool found = false;
                for (const std::string_view candidate : Method::names()) {
                    found = found || candidate == argument;
                }
                if (!found) {
                    throw UsageError(std::string("key_mapping input: the model's ") + Method::name +
                                     " has no argument '" + argument + "'; it has: " + known);
                }
            }
        }
    }

    KeyMapping mapping_;
    std::array<Source, arity> sources_;
    bool resolved_ = false;
    std::shared_ptr<const std::vector<std::string>> names_;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::Outputs;
} // namespace audyn
