#include "cuda/open_module.hpp"

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "core/shared_library.hpp"

namespace stemzoo::cuda {
namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
constexpr const char* file_name = "stemzoo_cuda.dll";
#else
constexpr const char* file_name = "libstemzoo_cuda.so";
#endif

OpenedModule without(const std::string& reason) { return {nullptr, 0, reason}; }

OpenedModule opened() {
    const fs::path named = environment_path("STEMZOO_CUDA_MODULE");
    const fs::path own = file_of(reinterpret_cast<Function>(&opened_module));
    const fs::path file = named.empty() ? own.parent_path() / "cuda" / file_name : named;
    std::error_code error;
    if (!fs::exists(file, error)) {
        return without("this stemzoo was built without CUDA (" + text_of(file) +
                       " is not there); build it where nvcc is: make cuda");
    }
    const Opened library = open_library(file);
    if (library.library == nullptr) {
        return without(text_of(file) + " cannot be opened: " + library.error);
    }
    const auto open = reinterpret_cast<OpenModule>(function_of(library.library, open_module_name));
    const Module* const module = open == nullptr ? nullptr : open(STEMZOO_VERSION);
    if (module == nullptr) {
        return without(text_of(file) + " is not of this stemzoo, " STEMZOO_VERSION +
                       "; build both together: make cuda");
    }
    OpenedModule found;
    found.devices = module->devices(found.reason);
    if (found.devices > 0) found.module = module;
    return found;
}

}  // namespace

const OpenedModule& opened_module() {
    static const OpenedModule found = opened();
    return found;
}

const Module& module_for(int device) {
    const OpenedModule& found = opened_module();
    const std::string name = "device cuda:" + std::to_string(device);
    if (found.module == nullptr) {
        throw std::invalid_argument(name + " cannot be used: " + found.reason);
    }
    if (device < 0 || device >= found.devices) {
        throw std::invalid_argument(name + " is not there; this machine has " +
                                    std::to_string(found.devices) + ", counted from 0");
    }
    return *found.module;
}

}  // namespace stemzoo::cuda
