#include "commands.hpp"

#include <audyn/logging/csv.hpp>
#include <audyn/logging/tensorboard.hpp>

#include <array>
#include <filesystem>
#include <limits>

/// FOLDER: writes the scalars that loggers.py expects, to TensorBoard and to CSV.
int loggers_write(const Arguments& arguments) {
    using audyn::logging::Scalar;
    const std::filesystem::path folder = arguments.at(0);
    audyn::StateDict checkpoint;
    {
        audyn::logging::TensorBoardLogger killed(folder / "tensorboard");
        for (int64_t step = 1; step <= 20; ++step) {
            const std::array scalars{Scalar{"before the checkpoint", static_cast<double>(step)}};
            killed.log_scalars(scalars, step);
            if (step == 10) {
                checkpoint = killed.state_dict();
            }
        }
    }
    audyn::logging::TensorBoardLogger tensorboard(folder / "tensorboard");
    tensorboard.load_state_dict(checkpoint);
    audyn::logging::CsvLogger csv(folder / "metrics.csv");
    const std::array<audyn::logging::Logger*, 2> loggers{&tensorboard, &csv};
    for (audyn::logging::Logger* logger : loggers) {
        for (int64_t step = 1; step <= 1000; ++step) {
            const std::array scalars{Scalar{"cross_entropy (iteration)/train", 1.0 / static_cast<double>(step)},
                                     Scalar{"total (iteration)/train", -static_cast<double>(step)}};
            logger->log_scalars(scalars, step);
        }
        const std::array validation{Scalar{"total (epoch)/validation", std::numeric_limits<double>::infinity()},
                                    Scalar{"a, \"quoted\" tag", 0.1}};
        logger->log_scalars(validation, int64_t{1} << 40);
        logger->flush();
    }
    return 0;
}
