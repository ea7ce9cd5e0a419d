#pragma once

/// Everything that a training program needs, but for audio files: those are in <audyn/audio.hpp>.

#include <audyn/adapter/auto_trainer.hpp>
#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/amp/policy.hpp>
#include <audyn/config/config.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/core/version.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/gaussian_nll.hpp>
#include <audyn/criterion/losses.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/function_dataset.hpp>
#include <audyn/data/subset.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/logging/tensorboard.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/early_stopping.hpp>
#include <audyn/trainer/trainer.hpp>
