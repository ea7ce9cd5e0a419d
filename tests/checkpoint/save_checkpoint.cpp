#include "../temporary_folder.hpp"

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <string>

using audyn::UsageError;
using audyn::checkpoint::CheckpointNumbers;
using audyn::checkpoint::format_checkpoint_path;

// The expected texts are those of Python's str.format.
TEST_CASE("a checkpoint's path names iteration and epoch") {
    const CheckpointNumbers numbers{.iteration = 1200, .epoch = 7};
    CHECK(format_checkpoint_path("model/last.pth", numbers) == "model/last.pth");
    CHECK(format_checkpoint_path("model/iteration{iteration}.pth", numbers) == "model/iteration1200.pth");
    CHECK(format_checkpoint_path("{epoch}-{iteration}-{epoch}", numbers) == "7-1200-7");
    CHECK(format_checkpoint_path("{iteration:06d}", numbers) == "001200");
    CHECK(format_checkpoint_path("{epoch:03}", numbers) == "007");
    CHECK(format_checkpoint_path("{epoch:4d}", numbers) == "   7");
    CHECK(format_checkpoint_path("{epoch:d}", numbers) == "7");
    CHECK(format_checkpoint_path("{iteration:2d}", numbers) == "1200");
    CHECK(format_checkpoint_path("{{epoch}}", numbers) == "{epoch}");
    CHECK(format_checkpoint_path("{{{epoch}}}", numbers) == "{7}");
}

TEST_CASE("a checkpoint's path that cannot be made is quoted") {
    const CheckpointNumbers only_epoch{.iteration = {}, .epoch = 7};
    const auto error_of = [&](const std::string& pattern) {
        return message_of<UsageError>([&] { static_cast<void>(format_checkpoint_path(pattern, only_epoch)); });
    };
    CHECK(error_of("a{iteration}b") ==
          "the checkpoint path 'a{iteration}b': {iteration} has no value here; this path may hold {epoch}");
    CHECK(error_of("{step}").find("may hold {epoch}") != std::string::npos);
    CHECK(error_of("{epoch").find("not closed") != std::string::npos);
    CHECK(error_of("epoch}").find("closes nothing") != std::string::npos);
    CHECK(error_of("{epoch:x}").find("':x' is not known") != std::string::npos);
    CHECK(error_of("{epoch:-3d}").find("is not known") != std::string::npos);
    CHECK(error_of("{}").find("may hold {epoch}") != std::string::npos);
}
