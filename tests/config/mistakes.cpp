#include "mistake_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

TEST_CASE("mistakes that people make are told with file, line, column, caret, reason and the nearest name") {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(AUDYN_TEST_DATA_DIR "/config/mistakes")) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    CHECK(files.size() >= 40);
    for (const auto& file : files) {
        CAPTURE(file.filename().string());
        const mistakes::Case mistake = mistakes::read_case(read_file(file));
        const auto [error, warnings] = mistakes::run(mistake);
        CHECK(error == mistake.error);
        CHECK(warnings == mistake.warnings);
        CHECK_FALSE((error.empty() && warnings.empty()));
    }
}
