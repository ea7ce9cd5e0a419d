// How long a step waits for a checkpoint of 1 GB that is written in the background, against a memcpy of the same bytes,
// and against writing it at once. usage: background_save [FOLDER [MEGABYTES]]

#include "paired.hpp"

#include <audyn/checkpoint/background_writer.hpp>
#include <audyn/checkpoint/save.hpp>

#include <ATen/ops/rand.h>
#include <ATen/ops/zeros_like.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t tensors = 100;

audyn::StateDict make_state(int64_t megabytes) {
    audyn::StateDict state;
    for (std::size_t i = 0; i < tensors; ++i) {
        state.set("parameter" + std::to_string(i), at::rand({megabytes * 1'000'000 / 4 / int64_t{tensors}}));
    }
    return state;
}

/// The bytes of the state, copied by memcpy to memory that is there.
class BareCopy {
public:
    explicit BareCopy(const audyn::StateDict& state) {
        for (const auto& [name, value] : state) {
            const at::Tensor& tensor = value.as_tensor();
            parts_.emplace_back(tensor, at::zeros_like(tensor));
        }
    }
    void operator()() {
        for (auto& [source, target] : parts_) {
            std::memcpy(target.mutable_data_ptr(), source.const_data_ptr(), source.nbytes());
        }
    }

private:
    std::vector<std::pair<at::Tensor, at::Tensor>> parts_;
};

} // namespace

int main(int argc, char** argv) {
    const std::filesystem::path folder = argc > 1 ? argv[1] : "background_save_files";
    const int64_t megabytes = argc > 2 ? std::atoll(argv[2]) : 1000;
    const audyn::StateDict state = make_state(megabytes);
    BareCopy bare(state);
    audyn::checkpoint::BackgroundWriter writer;
    std::vector<double> at_once;
    // Both buffers are filled once before: their memory is made then.
    writer.write({folder / "first.pth"}, state);
    writer.write({folder / "second.pth"}, state);
    writer.wait();
    benchmark::Paired paired;
    for (int block = 0; block < 30; ++block) {
        double times[2];
        for (int turn = 0; turn < 2; ++turn) {
            const bool is_bare = (turn == 0) == (block % 2 == 0);
            times[is_bare ? 0 : 1] = is_bare ? benchmark::seconds([&] { bare(); })
                                             : benchmark::seconds([&] { writer.write({folder / "last.pth"}, state); });
            writer.wait(); // What is measured is the wait of the step, with nothing else on the machine.
        }
        paired.first.push_back(times[0]);
        paired.second.push_back(times[1]);
        if (block < 5) {
            at_once.push_back(benchmark::seconds([&] { audyn::checkpoint::save(folder / "at_once.pth", state); }));
        }
    }
    const benchmark::Estimate ratio = paired.ratio();
    std::printf("%lld MB: memcpy %.3f s, the step waits %.3f s, ratio %.3f [%.3f, %.3f]; written at once %.3f s\n",
                static_cast<long long>(megabytes), benchmark::median(paired.first), benchmark::median(paired.second),
                ratio.median, ratio.low, ratio.high, benchmark::median(at_once));
    std::filesystem::remove_all(folder);
}
