// The whole test framework: TEST registers, CHECK* count failures and carry on.
#pragma once

#include <cmath>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace check {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

inline int failures = 0;

inline bool registered(const char* name, void (*body)()) {
    tests().push_back({name, body});
    return true;
}

inline void fail(const char* file, int line, const std::string& what) {
    ++failures;
    std::cerr << file << ':' << line << ": " << what << '\n';
}

// Runs every test, or those whose name contains `part`; whether all passed, and any was run. Each
// line is flushed, so that the log of a hang ends with the test before. The closing line is the one
// that continuous integration reads.
inline bool run(const char* part = nullptr) {
    int passed = 0, failed = 0;
    for (const Test& test : tests()) {
        if (part != nullptr && std::strstr(test.name, part) == nullptr) continue;
        const int before = failures;
        try {
            test.body();
        } catch (const std::exception& error) {
            fail(test.name, 0, std::string("uncaught exception: ") + error.what());
        }
        const bool ok = failures == before;
        ++(ok ? passed : failed);
        std::cout << (ok ? "ok     " : "FAILED ") << test.name << std::endl;
    }
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 && passed > 0;
}

}  // namespace check

#define TEST(name)                                                               \
    static void test_##name();                                                   \
    static const bool registered_##name = check::registered(#name, test_##name); \
    static void test_##name()

#define CHECK(condition) \
    ((condition) ? void() : check::fail(__FILE__, __LINE__, "failed: " #condition))

#define CHECK_NEAR(actual, expected, tolerance)                                                  \
    do {                                                                                         \
        const double actual_ = static_cast<double>(actual);                                      \
        const double expected_ = static_cast<double>(expected);                                  \
        if (!(std::abs(actual_ - expected_) <= static_cast<double>(tolerance)))                  \
            check::fail(__FILE__, __LINE__,                                                      \
                        #actual " is " + std::to_string(actual_) + ", expected " +               \
                            std::to_string(expected_) + " within " + std::to_string(tolerance)); \
    } while (false)

// The expression throws Exception and its message contains `part`.
#define CHECK_THROWS(expression, Exception, part)                                \
    do {                                                                         \
        try {                                                                    \
            (void)(expression);                                                  \
            check::fail(__FILE__, __LINE__, "did not throw: " #expression);      \
        } catch (const Exception& error) {                                       \
            if (std::string(error.what()).find(part) == std::string::npos)       \
                check::fail(__FILE__, __LINE__,                                  \
                            std::string("unexpected message: ") + error.what()); \
        }                                                                        \
    } while (false)
