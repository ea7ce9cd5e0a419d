#pragma once

/// Schedulers under the names of `torch.optim.lr_scheduler` and of Audyn, with Python's defaults and values.
#include <audyn/optim/cosine.hpp>
#include <audyn/optim/cyclic.hpp>
#include <audyn/optim/decay.hpp>
#include <audyn/optim/lambda_lr.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/one_cycle.hpp>
#include <audyn/optim/plateau.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/optim/sequential.hpp>
#include <audyn/optim/swa_lr.hpp>
#include <audyn/optim/warmup_schedulers.hpp>
