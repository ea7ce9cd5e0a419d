#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

namespace {

/// Counts the cases that the filters left, so that a filter which names none does not pass for a success.
class CaseCount final : public doctest::IReporter {
public:
    explicit CaseCount(const doctest::ContextOptions&) {}

    void test_run_end(const doctest::TestRunStats& stats) override { cases = stats.numTestCasesPassingFilters; }

    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}

    inline static unsigned cases = 0;
};

REGISTER_LISTENER("case_count", 1, CaseCount);

} // namespace

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    const int result = context.run();
    if (result == EXIT_SUCCESS && !context.shouldExit() && CaseCount::cases == 0) {
        std::cerr << "no test case ran\n";
        return EXIT_FAILURE;
    }
    return result;
}
