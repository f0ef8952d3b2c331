// stemzoo_gpu check [PART OF A NAME]: tests on the GPU. stemzoo_gpu bench: figures, a JSON line
// each. stemzoo_gpu large: one pair of 16,384 x 16,384 pixels. Ends with 77 where there is no GPU.
#include <exception>
#include <iostream>

#include "bench.hpp"
#include "check.hpp"
#include "cuda/open_module.hpp"

int main(int argc, char** argv) {
    const std::string task = argc > 1 ? argv[1] : "check";
    const stemzoo::cuda::OpenedModule& opened = stemzoo::cuda::opened_module();
    if (opened.module == nullptr) {
        std::cout << "skipped: " << opened.reason << std::endl;
        return 77;
    }
    if (task == "check") {
        std::cout << "GPU: " << opened.module->describe(0).name << std::endl;
        return check::run(argc > 2 ? argv[2] : nullptr) ? 0 : 1;
    }
    try {
        task == "large" ? gpu::bench_large(16384) : gpu::bench();
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
