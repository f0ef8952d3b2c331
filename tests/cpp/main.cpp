// Runs every test, or those whose name contains the first argument. Each line is flushed, so that
// the log of a hang ends with the test before. The closing line is the one
// that continuous integration reads.
#include <cstring>
#include <stdexcept>

#include "check.hpp"
#include "core/isa.hpp"

int main(int argc, char** argv) {
    try {
        std::cout << "instruction set: " << stemzoo::isa_name(stemzoo::chosen_isa()) << '\n';
    } catch (const std::invalid_argument& error) {
        std::cout << "skipped: " << error.what() << std::endl;
        return 77;
    }
    int passed = 0, failed = 0;
    for (const check::Test& test : check::tests()) {
        if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
        const int before = check::failures;
        try {
            test.body();
        } catch (const std::exception& error) {
            check::fail(test.name, 0, std::string("uncaught exception: ") + error.what());
        }
        const bool ok = check::failures == before;
        ++(ok ? passed : failed);
        std::cout << (ok ? "ok     " : "FAILED ") << test.name << std::endl;
    }
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 && passed > 0 ? 0 : 1;
}
