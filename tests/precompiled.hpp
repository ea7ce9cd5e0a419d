// What most test files include, parsed once for all of them. Without doctest, whose CHECK must replace libtorch's: it
// comes last in each file.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>
