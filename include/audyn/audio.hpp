#pragma once

/// Everything of the component `audyn::audio`, which needs libsndfile.
#include <audyn/adapter/audio.hpp>
#include <audyn/audio/audio_file.hpp>
#include <audyn/audio/audio_folder.hpp>
#include <audyn/audio/mel_spectrogram.hpp>
#include <audyn/audio/mu_law.hpp>
