// stemzoo_gpu check [PART OF A NAME]: tests on the GPU. stemzoo_gpu bench: figures, a JSON line
// each. stemzoo_gpu large: one pair of 16,384 x 16,384 pixels. Ends with 77 where there is no GPU.
#include <cstring>
#include <exception>
#include <iostream>

#include "bench.hpp"
#include "check.hpp"
#include "cuda/open_module.hpp"

namespace {

int run_tests(const char* part) {
    int passed = 0, failed = 0;
    for (const check::Test& test : check::tests()) {
        if (part != nullptr && std::strstr(test.name, part) == nullptr) continue;
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

}  // namespace

int main(int argc, char** argv) {
    const std::string task = argc > 1 ? argv[1] : "check";
    const stemzoo::cuda::OpenedModule& opened = stemzoo::cuda::opened_module();
    if (opened.module == nullptr) {
        std::cout << "skipped: " << opened.reason << std::endl;
        return 77;
    }
    if (task == "check") {
        std::cout << "GPU: " << opened.module->describe(0).name << std::endl;
        return run_tests(argc > 2 ? argv[2] : nullptr);
    }
    try {
        task == "large" ? gpu::bench_large(16384) : gpu::bench();
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
