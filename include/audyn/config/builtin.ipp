#pragma once

#include <audyn/config/builtin.hpp>
#include <audyn/core/inline.hpp>

#include <array>
#include <memory>

namespace audyn::config {

AUDYN_INLINE std::span<const EmbeddedFile> builtin_files() {
    static constexpr std::array<EmbeddedFile, 49> files{{
        {"config", R"yaml(defaults:
  - system: default
  - preprocess: default
  - data: default
  - train: default
  - test: default
  - model: default
  - optimizer: null
  - lr_scheduler: default
  - criterion: null
  - _self_

hydra:
  job:
    chdir: false
  run:
    dir: ./log/${now:%Y%m%d-%H%M%S}
)yaml"},

        {"system/default", R"yaml(seed: 0
num_threads: null  # of one process; null leaves libtorch's choice

distributed:
  enable: null
  nodes: null
  nproc_per_node: null
  node_rank: null
  backend: null
  init_method: null
  rdzv_id: null
  rdzv_backend: null
  rdzv_endpoint: null
  max_restarts: null
  timeout: null  # of a collective, in seconds

cudnn:
  benchmark: true
  deterministic: false

amp:
  enable: null
  dtype: null  # null: float16 on CUDA, bfloat16 on CPU

accelerator: null

compile:
  enable: null
  kwargs: null
)yaml"},
        {"system/cpu", R"yaml(defaults:
  - default
  - _self_

distributed:
  enable: false

cudnn:
  benchmark: null
  deterministic: null

amp:
  enable: false

accelerator: cpu
)yaml"},
        {"system/cpu_amp", R"yaml(defaults:
  - cpu
  - _self_

amp:
  enable: true
)yaml"},
        {"system/cpu_ddp", R"yaml(defaults:
  - cpu
  - _self_

distributed:
  enable: true
  backend: gloo
  init_method: env://
  rdzv_backend: c10d
  max_restarts: 3
)yaml"},
        {"system/cpu_ddp_amp", R"yaml(defaults:
  - cpu_ddp
  - _self_

amp:
  enable: true
)yaml"},
        {"system/cuda", R"yaml(defaults:
  - default
  - _self_

amp:
  enable: false

accelerator: cuda
)yaml"},
        {"system/cuda_amp", R"yaml(defaults:
  - cuda
  - _self_

amp:
  enable: true
)yaml"},
        {"system/cuda_ddp", R"yaml(defaults:
  - cuda
  - _self_

distributed:
  enable: true
  backend: nccl
  init_method: env://
  rdzv_backend: c10d
  max_restarts: 3
)yaml"},
        {"system/cuda_ddp_amp", R"yaml(defaults:
  - cuda_ddp
  - _self_

amp:
  enable: true
)yaml"},
        {"system/mps", R"yaml(defaults:
  - default
  - _self_

distributed:
  enable: false

amp:
  enable: false

accelerator: mps
)yaml"},

        {"data/default", R"yaml(root: null

audio:
  sample_rate: null
)yaml"},
        {"preprocess/default", R"yaml(dump_format: null
list_path: null
wav_dir: null
feature_dir: null
max_workers: null
max_shard_size: 1000000000
)yaml"},

        {"train/default", R"yaml(defaults:
  - dataset: default
  - dataloader: default
  - clip_gradient: default
  - record: default
  - _self_

trainer:
  _target_: audyn.utils.driver.BaseTrainer

key_mapping: null
ddp_kwargs: null

resume:
  continue_from: null  # a checkpoint, or auto: the newest of this run, if there is one

output:
  exp_dir: ./exp
  tensorboard_dir: ./tensorboard
  csv: null
  save_checkpoint:
    iteration:
      every: 20000
      path: ${...exp_dir}/model/iteration{iteration}.pth
    epoch:
      every: 100
      path: ${...exp_dir}/model/epoch{epoch}.pth
    last:
      path: ${...exp_dir}/model/last.pth
    best_epoch:
      path: ${...exp_dir}/model/best_epoch.pth
    top_k:
      k: null  # the best k epochs are kept
      monitor: validation/total
      mode: min
      path: ${...exp_dir}/model/top_epoch{epoch}.pth
    every_seconds: null  # writes last when so long nothing was saved
    keep_last: null  # of the files of iteration, and of epoch, only the newest are kept
    async: false  # wait or skip: in the background; a third at a time waits or is left out
    save_on_exception: false
    on_failure: stop  # when a file cannot be written; or proceed

steps:
  epochs: null
  iterations: 100000
  lr_scheduler: null
  gradient_accumulation: 1

signals:  # save, save_and_exit or null
  SIGTERM: save_and_exit
  SIGUSR1: save

log_every_n_iterations: 10
limit_train_batches: null
limit_validation_batches: null
fast_dev_run: false
callbacks: null
metrics: null  # of validation, by name: {metric: {_target_}, key_mapping: {estimated, target}}
)yaml"},
        {"train/gan", R"yaml(defaults:
  - default
  - _self_

trainer:
  _target_: audyn.utils.driver.GANTrainer

key_mapping:
  train:
    generator:
      input:
        noise: noise
      output: fake
    discriminator:
      fake:
        input:
          waveform: ${....generator.output}
        output: fake_prob
      real:
        input:
          waveform: input
        output: real_prob
  validation: ${.train}

output:
  save_checkpoint:
    top_k:
      monitor: validation/total generator

steps:
  generator: 1  # optimizer steps in an iteration, each on a batch of its own
  discriminator: 1
  lr_scheduler:
    generator: iteration
    discriminator: iteration
)yaml"},
        {"train/dataset/default", R"yaml(train:
  _target_: torch.utils.data.Dataset
validation:
  _target_: torch.utils.data.Dataset
)yaml"},
        {"train/dataset/torch", R"yaml(train:
  _target_: audyn.utils.data.dataset.TorchObjectDataset
  list_path: null
  feature_dir: null
validation:
  _target_: audyn.utils.data.dataset.TorchObjectDataset
  list_path: null
  feature_dir: null
)yaml"},
        {"train/dataloader/default", R"yaml(train:
  _target_: torch.utils.data.DataLoader
  batch_size: null
  shuffle: true
validation:
  _target_: torch.utils.data.DataLoader
  batch_size: 1
  shuffle: false
)yaml"},
        {"train/clip_gradient/default", ""},
        {"train/clip_gradient/none", ""},
        {"train/clip_gradient/norm", R"yaml(_target_: audyn.utils.GradClipper
mode: norm
max_norm: 1.0
)yaml"},
        {"train/clip_gradient/value", R"yaml(_target_: audyn.utils.GradClipper
mode: value
clip_value: 1.0
)yaml"},
        {"train/clip_gradient/gan", R"yaml(_target_: audyn.utils.GANGradClipper
generator:
  _target_: audyn.utils.GradClipper
  mode: norm
  max_norm: null
discriminator: ${.generator}
)yaml"},
        {"train/record/default", ""},
        {"train/record/none", ""},

        {"test/default", R"yaml(defaults:
  - dataset: default
  - dataloader: default
  - _self_

key_mapping:
  inference:
    input: null
    output: null
    identifier: null

generator:
  _target_: audyn.utils.driver.BaseGenerator

checkpoint: null
moving_average: null  # null: the average of the parameters where the checkpoint has one
remove_weight_norm: null

output:
  exp_dir: ./exp
  inference_dir: ${.exp_dir}/inference
  torch_dump:
    key_mapping:
      inference:
        output: null
        reference: null
    transforms:
      inference:
        output: null
        reference: null
  audio:
    sample_rate: ${data.audio.sample_rate}
    writer: null
    key_mapping:
      inference:
        output: null
        reference: null
    transforms:
      inference:
        output: null
        reference: null
  spectrogram:
    key_mapping:
      inference:
        output: null
        reference: null
    transforms:
      inference:
        output: null
        reference: null
)yaml"},
        {"test/dataset/default", R"yaml(test:
  _target_: torch.utils.data.Dataset
)yaml"},
        {"test/dataset/torch", R"yaml(test:
  _target_: audyn.utils.data.dataset.TorchObjectDataset
  list_path: null
  feature_dir: null
)yaml"},
        {"test/dataloader/default", R"yaml(test:
  _target_: torch.utils.data.DataLoader
  batch_size: 1
  shuffle: false
)yaml"},

        {"model/default", ""},
        {"model/gan", "generator: null\ndiscriminator: null\n"},
        {"criterion/default", ""},
        {"criterion/none", ""},
        {"criterion/cross_entropy", R"yaml(_target_: audyn.criterion.MultiCriteria
cross_entropy:
  _target_: audyn.criterion.BaseCriterionWrapper
  criterion:
    _target_: torch.nn.CrossEntropyLoss
    reduction: mean
  weight: 1
  key_mapping:
    estimated:
      input: ???
    target:
      target: ???
)yaml"},
        {"criterion/mse", R"yaml(_target_: audyn.criterion.MultiCriteria
mse:
  _target_: audyn.criterion.BaseCriterionWrapper
  criterion:
    _target_: torch.nn.MSELoss
    reduction: mean
  weight: 1
  key_mapping:
    estimated:
      input: ???
    target:
      target: ???
)yaml"},
        {"criterion/l1", R"yaml(_target_: audyn.criterion.MultiCriteria
l1:
  _target_: audyn.criterion.BaseCriterionWrapper
  criterion:
    _target_: torch.nn.L1Loss
    reduction: mean
  weight: 1
  key_mapping:
    estimated:
      input: ???
    target:
      target: ???
)yaml"},

        {"optimizer/adam",
         "_target_: torch.optim.Adam\nlr: 1e-3\nbetas: [0.9, 0.999]\neps: 1e-8\nweight_decay: 0\namsgrad: false\n"},
        {"optimizer/adamw",
         "_target_: torch.optim.AdamW\nlr: 1e-3\nbetas: [0.9, 0.999]\neps: 1e-8\nweight_decay: 1e-2\namsgrad: false\n"},
        {"optimizer/sgd",
         "_target_: torch.optim.SGD\nlr: 1e-3\nmomentum: 0\ndampening: 0\nweight_decay: 0\nnesterov: false\n"},
        {"optimizer/adam_ema",
         R"yaml(_target_: audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class
optimizer_class:
  _target_: torch.optim.Adam
  _partial_: true
  lr: 1e-3
  betas: [0.9, 0.999]
  eps: 1e-8
  weight_decay: 0
  amsgrad: false
smooth: 0.999
)yaml"},
        {"optimizer/gan", "generator: null\ndiscriminator: null\n"},
        {"lr_scheduler/default", ""},
        {"lr_scheduler/none", ""},
        {"lr_scheduler/step", "_target_: torch.optim.lr_scheduler.StepLR\nstep_size: ???\ngamma: 0.1\n"},
        {"lr_scheduler/cosine",
         "_target_: torch.optim.lr_scheduler.CosineAnnealingLR\nT_max: null  # null: the whole run\neta_min: 0\n"},
        {"lr_scheduler/one_cycle", R"yaml(_target_: torch.optim.lr_scheduler.OneCycleLR
max_lr: ${optimizer.lr}
total_steps: null  # null: the whole run
pct_start: 0.3
anneal_strategy: cos
div_factor: 25.0
final_div_factor: 10000.0
)yaml"},
        {"lr_scheduler/transformer",
         "_target_: audyn.optim.lr_scheduler.TransformerLRScheduler\nd_model: ???\nwarmup_steps: 4000\n"},
        {"lr_scheduler/plateau", R"yaml(_target_: torch.optim.lr_scheduler.ReduceLROnPlateau
mode: min
factor: 0.1
patience: 10
threshold: 1e-4
min_lr: 0
)yaml"},
        {"lr_scheduler/linear", "_target_: torch.optim.lr_scheduler.LinearLR\nstart_factor: "
                                "0.3333333333333333\nend_factor: 1.0\ntotal_iters: 5\n"},
    }};
    return files;
}

AUDYN_INLINE SearchPath builtin_search_path() {
    static const auto source = std::make_shared<const EmbeddedSource>("built-in groups", builtin_files());
    return SearchPath().add(source, "audyn");
}

} // namespace audyn::config
