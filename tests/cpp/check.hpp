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

// What the macros below do is here, so that it is compiled once rather than at each of them.
inline void that(const char* file, int line, bool holds, const char* text) {
    if (!holds) fail(file, line, std::string("failed: ") + text);
}

inline void near(const char* file, int line, double actual, double expected, double tolerance,
                 const char* text) {
    if (std::abs(actual - expected) <= tolerance) return;
    fail(file, line,
         std::string(text) + " is " + std::to_string(actual) + ", expected " +
             std::to_string(expected) + " within " + std::to_string(tolerance));
}

inline void message(const char* file, int line, const std::exception& error,
                    const std::string& part) {
    if (std::string(error.what()).find(part) != std::string::npos) return;
    fail(file, line, std::string("unexpected message: ") + error.what());
}

inline void no_exception(const char* file, int line, const char* text) {
    fail(file, line, std::string("did not throw: ") + text);
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

#define CHECK(condition) check::that(__FILE__, __LINE__, static_cast<bool>(condition), #condition)

#define CHECK_NEAR(actual, expected, tolerance)                                                 \
    check::near(__FILE__, __LINE__, static_cast<double>(actual), static_cast<double>(expected), \
                static_cast<double>(tolerance), #actual)

// The expression throws Exception and its message contains `part`.
#define CHECK_THROWS(expression, Exception, part)                 \
    do {                                                          \
        try {                                                     \
            (void)(expression);                                   \
            check::no_exception(__FILE__, __LINE__, #expression); \
        } catch (const Exception& error) {                        \
            check::message(__FILE__, __LINE__, error, part);      \
        }                                                         \
    } while (false)
