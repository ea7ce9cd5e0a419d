// One rank of a data-parallel training; data_parallel.py starts several, and interop/data_parallel.py compares with
// Python.
#include "rank_main.hpp"

#include <audyn/amp/autocast.hpp>
#include <audyn/data/random.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/sync_batch_norm.hpp>
#include <audyn/optim/sgd.hpp>

#include <ATen/ATen.h>
#include <torch/autograd.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

/// What the command line says: name=value.
class Settings {
public:
    explicit Settings(const Arguments& arguments) {
        for (const std::string& argument : arguments) {
            const std::size_t equal = argument.find('=');
            values_[argument.substr(0, equal)] = argument.substr(equal + 1);
        }
    }
    [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : found->second;
    }
    [[nodiscard]] int64_t number(const std::string& name, int64_t otherwise = 0) const {
        return values_.contains(name) ? std::stoll(values_.at(name)) : otherwise;
    }

private:
    std::map<std::string, std::string> values_;
};

/// The same numbers in Python: sin(0.37 i + phase) * scale.
at::Tensor wave(at::IntArrayRef shape, double phase, double scale) {
    const at::Tensor index = at::arange(c10::multiply_integers(shape), at::kDouble);
    return ((index * 0.37 + phase).sin() * scale).to(at::kFloat).view(shape);
}

struct NetImpl : torch::nn::Module {
    explicit NetImpl(const std::string& norm) {
        first = register_module("first", torch::nn::Linear(16, 64));
        if (norm == "batch") {
            batch_norm = register_module("norm", torch::nn::BatchNorm1d(64));
        } else if (norm == "sync") {
            sync_norm = register_module("norm", audyn::SyncBatchNorm(64));
        }
        second = register_module("second", torch::nn::Linear(64, 64));
        third = register_module("third", torch::nn::Linear(64, 8));
        extra = register_module("extra", torch::nn::Linear(64, 8));
    }

    /// The second output is never part of the loss. `extra` is used where `uses_extra`.
    std::pair<at::Tensor, at::Tensor> forward(const at::Tensor& input, bool uses_extra) {
        at::Tensor hidden = first(input);
        if (batch_norm) {
            hidden = batch_norm(hidden);
        } else if (sync_norm) {
            hidden = sync_norm(hidden);
        }
        hidden = at::relu(second(at::relu(hidden)));
        at::Tensor output = third(hidden);
        if (uses_extra) {
            output = output + extra(hidden);
        }
        return {output, extra(hidden)};
    }

    torch::nn::Linear first{nullptr}, second{nullptr}, third{nullptr}, extra{nullptr};
    torch::nn::BatchNorm1d batch_norm{nullptr};
    audyn::SyncBatchNorm sync_norm{nullptr};
};
TORCH_MODULE(Net);

distributed::CommunicationHookFactory hook_of(const std::string& name) {
    if (name == "fp16") {
        return distributed::fp16_compression();
    }
    if (name == "bf16") {
        return distributed::bf16_compression();
    }
    if (name == "power_sgd") {
        distributed::PowerSGDOptions options;
        options.matrix_approximation_rank = 2;
        options.start_powerSGD_iter = 5;
        return distributed::power_sgd(options);
    }
    if (name == "own") {
        return distributed::communication_hook([](distributed::ProcessGroup& group, c10d::GradBucket& bucket) {
            std::vector<at::Tensor> tensors{bucket.getBuffer().div_(group.world_size())};
            return group.c10d()->allreduce(tensors)->getFuture();
        });
    }
    return {};
}

std::string digest(const std::vector<at::Tensor>& tensors) {
    uint64_t hash = 14695981039346656037ULL; // FNV-1a
    for (const at::Tensor& tensor : tensors) {
        const at::Tensor plain = tensor.detach().contiguous();
        const auto* bytes = static_cast<const unsigned char*>(plain.const_data_ptr());
        for (std::size_t i = 0; i < plain.nbytes(); ++i) {
            hash = (hash ^ bytes[i]) * 1099511628211ULL;
        }
    }
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
}

/// Trains, writes the losses of this rank's iterations and prints the digests of parameters and buffers.
void train_once(const Settings& settings, std::ostream& losses) {
    distributed::DistributedDataParallelOptions options;
    options.find_unused_parameters = settings.number("find_unused_parameters") != 0;
    options.static_graph = settings.number("static_graph") != 0;
    options.gradient_as_bucket_view = settings.number("gradient_as_bucket_view") != 0;
    options.broadcast_buffers = settings.number("broadcast_buffers", 1) != 0;
    options.communication_hook = hook_of(settings.text("hook"));
    if (const std::string cap = settings.text("bucket_cap_mb"); !cap.empty()) {
        options.bucket_cap_mb = std::stod(cap);
    }
    const bool finds_unused = options.find_unused_parameters || options.static_graph;
    const int64_t accumulation = settings.number("accumulation", 1);
    const bool uses_amp = settings.text("amp") == "bf16";
    const int64_t steps = settings.number("steps", 20);
    // Each rank has so many steps less than the one before it.
    const int64_t fewer_steps = settings.number("join");

    distributed::DistributedDataParallel policy(options);
    const int64_t world_size = policy.world_size();
    const int64_t batch = settings.number("global_batch", 12) / world_size;

    Net net(settings.text("norm"));
    {
        const at::NoGradGuard no_grad;
        double phase = static_cast<double>(policy.rank()); // Rank 0's count.
        for (at::Tensor& parameter : net->parameters()) {
            parameter.copy_(wave(parameter.sizes(), phase++, 0.2));
        }
    }
    if (!finds_unused) {
        for (at::Tensor& parameter : net->extra->parameters()) {
            parameter.requires_grad_(false);
        }
    }
    const auto model = policy.wrap(net);
    audyn::optim::SGD optimizer(net->named_parameters(), audyn::optim::SGDOptions().lr(0.05).momentum(0.9));

    int64_t begin = 0;
    for (int64_t step = 0; step < steps; ++step) {
        double sum = 0.0;
        for (int64_t part = 0; part < accumulation; ++part) {
            if (step >= steps - fewer_steps * policy.rank()) {
                if (part + 1 < accumulation) {
                    const auto scope = policy.no_sync();
                    policy.join();
                } else {
                    policy.join();
                }
                continue;
            }
            std::vector<at::Tensor> inputs;
            for (int64_t i = 0; i < batch; ++i) {
                inputs.push_back(wave({16}, 0.9 * static_cast<double>(begin + i * world_size + policy.rank()), 1.0));
            }
            begin += batch * world_size;
            const at::Tensor input = at::stack(inputs);
            const at::Tensor target = input.narrow(1, 0, 8).square();
            const auto iterate = [&] {
                std::optional<audyn::amp::AutocastGuard> autocast;
                if (uses_amp) {
                    autocast.emplace(c10::DeviceType::CPU, at::kBFloat16);
                }
                // With a search for unused parameters, ranks and iterations differ; a static graph never uses it.
                const bool uses_extra = options.find_unused_parameters && (step + policy.rank()) % 3 == 1;
                const auto [output, unused] = model->forward(input, uses_extra);
                const at::Tensor loss = at::mse_loss(output.to(at::kFloat), target) / accumulation;
                loss.backward();
                sum += loss.item<double>();
            };
            if (part + 1 < accumulation) {
                const auto scope = policy.no_sync();
                iterate();
            } else {
                iterate();
            }
        }
        optimizer.step();
        optimizer.zero_grad(settings.number("set_to_none", 1) != 0);
        char text[32];
        std::snprintf(text, sizeof text, "%.9g ", sum);
        losses << text;
    }
    losses << std::endl;
    policy.synchronize_buffers();
    std::string buckets;
    const auto layouts = policy.bucket_indices();
    for (const auto& bucket : layouts.at(0)) {
        buckets += buckets.empty() ? "" : "|";
        for (const std::size_t position : bucket) {
            buckets += std::to_string(position) + ",";
        }
    }
    std::cout << "parameters " << digest(net->parameters()) << " buffers " << digest(net->buffers()) << " buckets "
              << buckets << std::endl;
}

/// One training after the other: those of the command line are separated by "+", a line of losses for each.
void train(const Arguments& arguments) {
    Arguments part;
    std::ofstream losses;
    const auto run = [&] {
        const Settings settings(part);
        if (!losses.is_open()) {
            losses.open(settings.text("out") + "." + std::to_string(distributed::rank()));
        }
        train_once(settings, losses);
        part.clear();
    };
    for (const std::string& argument : arguments) {
        if (argument == "+") {
            run();
        } else {
            part.push_back(argument);
        }
    }
    run();
}

void require(bool condition, const std::string& what) {
    if (!condition) {
        throw std::logic_error(what);
    }
}

/// A small training whose parts a checkpoint would hold.
struct Training {
    explicit Training(distributed::DistributedDataParallelOptions options) : policy(std::move(options)) {
        const at::NoGradGuard no_grad;
        double phase = 0.0;
        for (at::Tensor& parameter : net->parameters()) {
            parameter.copy_(wave(parameter.sizes(), phase++, 0.2));
        }
    }

    void iterate(int64_t iterations) {
        for (int64_t i = 0; i < iterations; ++i, ++iteration) {
            const double place = static_cast<double>(iteration * policy.world_size() + policy.rank());
            const at::Tensor input = wave({4, 16}, 3.1 * place, 1.0);
            at::mse_loss(model->forward(input, true).first, input.narrow(1, 0, 8).square()).backward();
            optimizer.step();
            optimizer.zero_grad();
        }
    }

    void resume(Training& other) {
        const at::NoGradGuard no_grad;
        const std::vector<at::Tensor> saved = other.net->parameters();
        for (std::size_t i = 0; i < saved.size(); ++i) {
            at::Tensor(net->parameters()[i]).copy_(saved[i]);
        }
        policy.load_state_dict(other.policy.state_dict());
        iteration = other.iteration;
    }

    distributed::DistributedDataParallel policy;
    Net net{""};
    std::shared_ptr<distributed::DistributedModel<Net>> model = policy.wrap(net);
    audyn::optim::SGD optimizer{net->named_parameters(), audyn::optim::SGDOptions().lr(0.1)};
    int64_t iteration = 0;
};

/// A training that is resumed with its buckets and hooks goes on to the same bits.
void buckets(const Arguments&) {
    for (const char* hook : {"", "power_sgd"}) {
        for (const int64_t before : {0, 1, 2, 8}) {
            distributed::DistributedDataParallelOptions options;
            options.bucket_cap_mb = 0.01;
            options.communication_hook = hook_of(hook);
            Training whole(options);
            whole.iterate(12);
            Training first(options);
            first.iterate(before);
            Training second(options);
            second.resume(first);
            second.iterate(12 - before);
            require(digest(whole.net->parameters()) == digest(second.net->parameters()),
                    std::string("the resumed training differs, hook ") + hook + ", after " + std::to_string(before));
            require(whole.policy.bucket_indices() == second.policy.bucket_indices(), "the buckets differ");
        }
    }
    // Those of another run are taken over and kept, though the gradients come in another order.
    Training other({});
    audyn::StateDict state = other.policy.state_dict();
    audyn::state::List one_each;
    for (const int64_t position : {4, 3, 7, 0, 1, 2, 5, 6}) {
        one_each.emplace_back(audyn::state::List{position});
    }
    audyn::state::List models{audyn::StateDict{{"buckets", std::move(one_each)}}};
    other.policy.load_state_dict({{"models", std::move(models)}});
    other.iterate(4);
    require(other.policy.bucket_indices().at(0) ==
                distributed::detail::BucketIndices{{4}, {3}, {7}, {0}, {1}, {2}, {5}, {6}},
            "loaded buckets were rebuilt");
    std::cout << "passed" << std::endl;
}

/// Gradients are averages of each rank's, for all models that are wrapped, and local within no_sync.
void models(const Arguments&) {
    distributed::DistributedDataParallel policy;
    const int64_t rank = policy.rank();
    torch::nn::Linear first(3, 4);
    auto second = std::make_shared<torch::nn::LinearImpl>(4, 2);
    const auto first_model = policy.wrap(first);
    const auto second_model = policy.wrap(second);
    for (const auto& module : {first.ptr(), second}) {
        for (const auto& gathered : policy.all_gather(module->weight)) {
            require(gathered.equal(module->weight), "the parameters of rank 0");
        }
    }
    const auto input_of = [](int64_t of) { return wave({5, 3}, static_cast<double>(of), 1.0); };
    const auto local_gradients = [&](int64_t of) {
        const at::Tensor loss = second->forward(first->forward(input_of(of))).square().sum();
        return torch::autograd::grad({loss}, {first->weight, second->weight});
    };
    std::vector<std::vector<at::Tensor>> local;
    for (int64_t of = 0; of < policy.world_size(); ++of) {
        local.push_back(local_gradients(of));
    }
    const auto backward = [&] {
        first->zero_grad();
        second->zero_grad();
        second_model->forward(first_model->forward(input_of(rank))).square().sum().backward();
    };
    {
        const auto scope = policy.no_sync();
        backward();
        require(first->weight.grad().allclose(local[static_cast<std::size_t>(rank)][0]), "local gradients");
        require(second->weight.grad().allclose(local[static_cast<std::size_t>(rank)][1]), "local gradients");
    }
    for (int i = 0; i < 3; ++i) {
        backward();
        for (std::size_t which = 0; which < 2; ++which) {
            at::Tensor mean = at::zeros_like(local[0][which]);
            for (const auto& of_rank : local) {
                mean += of_rank[which] / policy.world_size();
            }
            require((which == 0 ? first->weight : second->weight).grad().allclose(mean), "averaged gradients");
        }
    }
    std::cout << "passed" << std::endl;
}

/// Models that differ are refused on all ranks, with the parameter's name.
void differing(const Arguments&) {
    distributed::DistributedDataParallel policy;
    const int64_t rank = policy.rank();
    const auto message_of = [&](const torch::nn::Sequential& model) -> std::string {
        try {
            static_cast<void>(policy.wrap(model));
        } catch (const audyn::DistributedError& error) {
            return error.what();
        }
        return "";
    };
    torch::nn::Sequential shapes(torch::nn::Linear(2, 3), torch::nn::Linear(3, rank == 1 ? 5 : 4));
    require(message_of(shapes) == "the model of rank 1 has the parameter '1.weight' Float [5, 3] strides [3, 1] where "
                                  "that of rank 0 has '1.weight' Float [4, 3] strides [3, 1]",
            message_of(shapes));
    torch::nn::Sequential counts(torch::nn::Linear(2, 3));
    if (rank == policy.world_size() - 1) {
        counts->push_back(torch::nn::Linear(3, 3));
    }
    const std::string expected =
        "the model of rank " + std::to_string(policy.world_size() - 1) +
        " has the parameter '1.weight' Float [3, 3] strides [3, 1] where that of rank 0 has no further one";
    require(message_of(counts) == expected, "counts");
    std::cout << "passed" << std::endl;
}

/// SyncBatchNorm on the ranks' parts is a batch norm on the whole.
void sync_batch_norm(const Arguments&) {
    distributed::DistributedDataParallel policy;
    for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{{0, 3}, {0, 3, 4}, {0, 3, 2, 2}}) {
        audyn::SyncBatchNorm norm(3);
        torch::nn::BatchNorm1d whole(3);
        const auto set = [](torch::nn::Module& module) {
            const at::NoGradGuard no_grad;
            module.named_parameters()["weight"].copy_(wave({3}, 0.3, 2.0));
            module.named_parameters()["bias"].copy_(wave({3}, 1.3, 1.0));
        };
        set(*norm);
        set(*whole);
        for (int i = 0; i < 3; ++i) {
            std::vector<at::Tensor> parts;
            for (int64_t rank = 0; rank < policy.world_size(); ++rank) {
                std::vector<int64_t> sizes = shape;
                sizes[0] = rank == 0 ? 0 : 3 + 2 * rank; // The first has nothing.
                parts.push_back(wave(sizes, static_cast<double>(rank + 10 * i), 2.0) + 5.0);
            }
            const auto own = static_cast<std::size_t>(policy.rank());
            const at::Tensor input = parts[own].clone().requires_grad_();
            const at::Tensor all = at::cat(parts).requires_grad_();
            // What the rows that are not this rank's lie before.
            int64_t begin = 0;
            for (std::size_t rank = 0; rank < own; ++rank) {
                begin += parts[rank].size(0);
            }
            const auto rows = [&](const at::Tensor& tensor) { return tensor.narrow(0, begin, input.size(0)); };
            const at::Tensor factors = wave(all.sizes(), 0.7, 1.0);

            norm->zero_grad();
            whole->zero_grad();
            const at::Tensor output = norm(input);
            (output * rows(factors)).sum().backward();
            const at::Tensor expected = at::batch_norm(all, whole->weight, whole->bias, whole->running_mean,
                                                       whole->running_var, true, 0.1, 1e-5, false);
            (expected * factors).sum().backward();

            require(output.allclose(rows(expected), 1e-5, 1e-6), "output");
            require(input.grad().allclose(rows(all.grad()), 1e-5, 1e-6), "gradient of the input");
            for (const char* name : {"weight", "bias"}) {
                at::Tensor sum = norm->named_parameters()[name].grad().clone();
                policy.all_reduce_sum(sum);
                require(sum.allclose(whole->named_parameters()[name].grad(), 1e-5, 1e-5), name);
            }
            require(norm->running_mean.allclose(whole->running_mean, 1e-6, 1e-7), "running_mean");
            require(norm->running_var.allclose(whole->running_var, 1e-6, 1e-7), "running_var");
            require(norm->num_batches_tracked.item<int64_t>() == i + 1, "num_batches_tracked");
        }
        // An evaluation takes no part of other ranks.
        norm->eval();
        const at::Tensor input = wave({2, 3}, 0.1, 1.0);
        if (policy.is_main_process()) {
            require(norm(input).allclose(at::batch_norm(input, whole->weight, whole->bias, whole->running_mean,
                                                        whole->running_var, false, 0.1, 1e-5, false),
                                         1e-5, 1e-6),
                    "evaluation");
        }
    }
    std::cout << "passed" << std::endl;
}

} // namespace

int main(int argc, char** argv) {
    return run_rank(argc, argv,
                    {
                        {"train", train},
                        {"buckets", buckets},
                        {"models", models},
                        {"differing", differing},
                        {"sync_batch_norm", sync_batch_norm},
                    });
}
