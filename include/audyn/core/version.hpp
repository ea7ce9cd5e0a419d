#pragma once

/// Version of the toolkit; CMake reads it from here.
#define AUDYN_VERSION_MAJOR 0
#define AUDYN_VERSION_MINOR 1
#define AUDYN_VERSION_PATCH 0

namespace audyn {

/// The same version as text, "major.minor.patch".
inline constexpr const char* version = "0.1.0";

} // namespace audyn
