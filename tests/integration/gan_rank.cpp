// One rank of a GAN's training; gan.py starts several, and interop/gan.py compares with Python.
#include "../trainer/gan.hpp"
#include "rank_main.hpp"

#include <audyn/core/error.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/optim/exponential_moving_average.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

void require(bool condition, const std::string& what) {
    if (!condition) {
        throw std::logic_error(what);
    }
}

void write(std::ostream& stream, const char* variant, const gan::Losses& losses) {
    for (const auto& [side, values] :
         {std::pair{"generator", &losses.generator}, {"discriminator", &losses.discriminator}}) {
        stream << variant << ' ' << side;
        for (const double value : *values) {
            char text[32];
            std::snprintf(text, sizeof text, " %.9g", value);
            stream << text;
        }
        stream << std::endl;
    }
}

/// This rank's losses, as tests/oracle/gan.py writes them: OUT.RANK
void train(const Arguments& arguments) {
    std::ofstream file(arguments.at(0) + "." + std::to_string(distributed::rank()));
    const auto policy = [] { return distributed::DistributedDataParallel(); };
    audyn::GANOptions options = gan::options();
    write(file, "plain", gan::train(options, false, policy()));
    write(file, "features", gan::train(options, true, policy()));
    write(file, "bfloat16", gan::train<audyn::amp::BFloat16>(options, true, policy()));
    options.discriminator.steps = 3;
    write(file, "three_discriminator_steps", gan::train(options, false, policy()));
    options.discriminator.steps = 1;
    options.generator.steps = 2;
    write(file, "two_generator_steps", gan::train(options, false, policy()));
}

/// Counts the buckets that are reduced.
distributed::DistributedDataParallelOptions counting(const std::shared_ptr<int64_t>& count) {
    distributed::DistributedDataParallelOptions options;
    options.communication_hook =
        distributed::communication_hook([count](distributed::ProcessGroup& group, c10d::GradBucket& bucket) {
            ++*count;
            std::vector<at::Tensor> tensors{bucket.getBuffer().div_(group.world_size())};
            return group.c10d()->allreduce(tensors)->getFuture();
        });
    return options;
}

/// Gradients of each model are averaged once a step, the same on all ranks, and nothing for the frozen one.
void reductions(const Arguments&) {
    const auto count = std::make_shared<int64_t>(0);
    const distributed::DistributedDataParallelOptions options = counting(count);
    gan::train(gan::options(), true, distributed::DistributedDataParallel(options));
    require(*count == 2 * gan::iterations, std::to_string(*count) + " reductions");
    *count = 0;
    audyn::GANOptions gan_options = gan::options();
    gan_options.discriminator.steps = 3;
    gan::train(gan_options, true, distributed::DistributedDataParallel(options));
    // Epochs of 4 batches on 2 ranks: iterations of 3 batches and of 1.
    require(distributed::world_size() != 2 || *count == 25 * (3 + 1) + 25 * (1 + 1),
            std::to_string(*count) + " reductions");
    std::cout << "passed" << std::endl;
}

/// Calls the discriminator itself, as the distribution wrapped it.
struct OwnCalls : audyn::GANStep {
    template <class Context>
    at::Tensor generator_loss(Context& context, const audyn::Batch&) {
        return gan::Labelled{1.0}(context.discriminator().forward(context.generated().tensor("fake")).first);
    }
};

/// A step of the program's own reduces no more, and averages begin alike on all ranks.
void own_step(const Arguments&) {
    const gan::Generator generator;
    const gan::Discriminator discriminator;
    {
        const at::NoGradGuard no_grad;
        generator->first->weight.add_(static_cast<double>(distributed::rank())); // Rank 0's prevail.
    }
    const auto count = std::make_shared<int64_t>(0);
    const auto options = audyn::TrainerOptions().progress_bar(false).max_iterations(4);
    using Averaged = audyn::optim::ExponentialMovingAverageWrapper<audyn::optim::Adam>;
    audyn::GANTrainer<gan::Generator, gan::Discriminator, Averaged, audyn::optim::Adam, audyn::amp::Disabled,
                      distributed::DistributedDataParallel, OwnCalls>
        trainer({generator, discriminator},
                {Averaged(gan::adam(generator, 1e-3), audyn::optim::ExponentialMovingAverageOptions().smooth(0.9)),
                 gan::adam(discriminator, 1e-3)},
                gan::criteria(), options, gan::options(), {}, audyn::amp::Disabled(options.device()),
                distributed::DistributedDataParallel(counting(count)));
    auto loader = gan::loader(distributed::rank(), distributed::world_size());
    trainer.fit(loader);
    require(*count == 2 * 4, std::to_string(*count) + " reductions");
    for (const at::Tensor& average : trainer.distribution().all_gather(
             trainer.generator_optimizer().moving_average().average(0).detach().contiguous())) {
        require(at::equal(average, trainer.generator_optimizer().moving_average().average(0)),
                "the ranks' averages differ");
    }
    std::cout << "passed" << std::endl;
}

/// Ranks cannot go on without each other.
void uneven(const Arguments&) {
    const gan::Generator generator;
    const gan::Discriminator discriminator;
    distributed::DistributedDataParallel distribution;
    const auto options = audyn::TrainerOptions().progress_bar(false).max_iterations(1);
    gan::Trainer<audyn::amp::Disabled, distributed::DistributedDataParallel> trainer(
        {generator, discriminator}, {gan::adam(generator, 1e-3), gan::adam(discriminator, 1e-3)}, gan::criteria(),
        options, gan::options(), {}, audyn::amp::Disabled(options.device()), distribution);
    // Rank 0 has all batches, as if it were alone.
    auto loader =
        distribution.rank() == 0 ? gan::loader() : gan::loader(distribution.rank(), distribution.world_size());
    std::string message;
    try {
        trainer.fit(loader);
    } catch (const audyn::UsageError& error) {
        message = error.what();
    }
    require(message.find("but a GAN's models need data on all ranks; give all ranks the same number") !=
                std::string::npos,
            message);
    std::cout << "passed" << std::endl;
}

} // namespace

int main(int argc, char** argv) {
    return run_rank(argc, argv,
                    {{"train", train}, {"reductions", reductions}, {"own_step", own_step}, {"uneven", uneven}});
}
