/// Compares the configuration layer with what Hydra 1.3.2 and OmegaConf 2.3.0 did:
/// `config_oracle [--deviations FILE] [--known-failures FILE] ORACLE.jsonl...`. Both formats of the oracle are
/// recognised. Prints each difference and at the end `N passed, N failed`.
///
/// The deviations are the cases in which we differ on purpose, `ID: REASON` a line; the known failures are cases not
/// reached yet, by their ids. Either kind of case must differ: one that passes has to leave its list.

#include "oracle_compose.hpp"
#include "oracle_overrides.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

std::set<std::string> read_ids(const std::string& name) {
    std::ifstream file(name);
    if (!file) {
        throw std::runtime_error("cannot read " + name);
    }
    std::set<std::string> ids;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line[0] != '#') {
            ids.insert(line.substr(0, line.find(':')));
        }
    }
    return ids;
}

struct Totals {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t expected = 0;
};

std::string difference(const oracle::Json& test) {
    try {
        return test.contains("in") ? oracle::check_override(test) : oracle::check_composition(test);
    } catch (const std::exception& error) {
        return std::string("unexpected exception: ") + error.what();
    }
}

void run_file(const std::string& name, const std::set<std::string>& expected, Totals& totals) {
    std::ifstream file(name);
    if (!file) {
        throw std::runtime_error("cannot read " + name);
    }
    for (std::string line; std::getline(file, line);) {
        const auto test = oracle::Json::parse(line);
        if (test.contains("header")) {
            continue;
        }
        const std::string id = test.contains("id") ? test["id"].get<std::string>() : test["in"].get<std::string>();
        const std::string what = difference(test);
        if (expected.contains(id)) {
            ++(what.empty() ? totals.failed : totals.expected);
            std::cout << (what.empty() ? id + ": passes, although it is listed as one that does not\n" : "");
        } else if (what.empty()) {
            ++totals.passed;
        } else {
            ++totals.failed;
            std::cout << id << ": " << what << "\n";
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        std::set<std::string> expected;
        std::vector<std::string> files;
        const std::vector<std::string> arguments(argv + 1, argv + argc);
        for (std::size_t index = 0; index < arguments.size(); ++index) {
            const bool list = arguments[index] == "--deviations" || arguments[index] == "--known-failures";
            if (list && index + 1 < arguments.size()) {
                expected.merge(read_ids(arguments[++index]));
            } else {
                files.push_back(arguments[index]);
            }
        }
        Totals totals;
        for (const std::string& name : files) {
            run_file(name, expected, totals);
        }
        if (totals.expected > 0) {
            std::cout << totals.expected << " differ as listed\n";
        }
        std::cout << totals.passed << " passed, " << totals.failed << " failed\n";
        return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 2;
    }
}
