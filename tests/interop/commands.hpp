#pragma once

#include <string>
#include <vector>

/// What follows a subcommand's name on the command line.
using Arguments = std::vector<std::string>;

/// The subcommands of audyn_interop, each driven by a script of its own. Returns the exit status.
using Command = int (*)(const Arguments& arguments);

int checkpoint_copy(const Arguments& arguments);
int checkpoint_write(const Arguments& arguments);
int checkpoint_model(const Arguments& arguments);
int checkpoint_safetensors(const Arguments& arguments);
int checkpoint_train(const Arguments& arguments);
int loggers_write(const Arguments& arguments);
int grad_scaler_run(const Arguments& arguments);
int lr_scheduler_run(const Arguments& arguments);
int mixed_precision_run(const Arguments& arguments);
int moving_average_run(const Arguments& arguments);
int multi_optimizers_run(const Arguments& arguments);
int optimizer_run(const Arguments& arguments);
int signatures(const Arguments& arguments);
int torchscript_train(const Arguments& arguments);
