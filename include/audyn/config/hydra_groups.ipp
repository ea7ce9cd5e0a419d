#pragma once

#include <audyn/config/hydra_groups.hpp>
#include <audyn/core/inline.hpp>

#include <array>

namespace audyn::config {

AUDYN_INLINE std::span<const EmbeddedFile> hydra_files() {
    static constexpr std::array<EmbeddedFile, 18> files{{
        {"_dummy_empty_config_", ""},
        {"hydra/config", R"yaml(# @package hydra
defaults:
  - output: default
  - launcher: basic
  - sweeper: basic
  - help: default
  - hydra_help: default
  - hydra_logging: default
  - job_logging: default
  - callbacks: null
  - env: default
  - _self_
mode: null
searchpath: []
callbacks: {}
output_subdir: .hydra
overrides:
  hydra: []
  task: []
job:
  name: ???
  chdir: null
  override_dirname: ???
  id: ???
  num: ???
  config_name: ???
  env_set: {}
  env_copy: []
  config:
    override_dirname:
      kv_sep: "="
      item_sep: ","
      exclude_keys: []
runtime:
  version: ???
  version_base: "1.2"
  cwd: ???
  config_sources: []
  output_dir: ???
  choices: {}
verbose: false
)yaml"},
        {"hydra/output/default", R"yaml(# @package hydra
run:
  dir: outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}
sweep:
  dir: multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}
  subdir: ${hydra.job.num}
)yaml"},
        {"hydra/launcher/basic", "{}\n"},
        {"hydra/sweeper/basic", "max_batch_size: null\nparams: null\nstop_on_failure: false\n"},
        {"hydra/help/default", "app_name: ${hydra.job.name}\nheader: ''\nfooter: ''\ntemplate: ''\n"},
        {"hydra/hydra_help/default", "hydra_help: ''\ntemplate: ''\n"},
        {"hydra/hydra_logging/default", "version: 1\n"},
        {"hydra/hydra_logging/disabled", "version: 1\n"},
        {"hydra/hydra_logging/none", "version: 1\n"},
        {"hydra/hydra_logging/hydra_debug", "version: 1\n"},
        {"hydra/job_logging/default", "version: 1\n"},
        {"hydra/job_logging/disabled", "version: 1\n"},
        {"hydra/job_logging/none", "version: 1\n"},
        {"hydra/job_logging/stdout", "version: 1\n"},
        {"hydra/callbacks/none", "{}\n"},
        {"hydra/env/default", "{}\n"},
        {"hydra/env/none", "{}\n"},
    }};
    return files;
}

} // namespace audyn::config
