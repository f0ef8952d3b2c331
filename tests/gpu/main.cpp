// stemzoo_gpu check [PART OF A NAME]: tests on the GPU. stemzoo_gpu bench
// card|ncc|drift|tiling|large: figures, a JSON line each. Ends with 77 where there is no GPU.
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
        gpu::bench(argc > 2 ? argv[2] : "card");
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
