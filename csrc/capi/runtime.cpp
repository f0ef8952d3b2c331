#include "onnxruntime/runtime.hpp"

#include "capi/status.hpp"
#include "capi/stemzoo.h"

extern "C" {

int stemzoo_runtime_load(const char* path) {
    return stemzoo::capi::guarded(
        [&] { stemzoo::onnxruntime::Runtime::load(path == nullptr ? "" : path); });
}

int stemzoo_runtime_info(const char** version, const char** path) {
    return stemzoo::capi::guarded([&] {
        const auto& runtime = stemzoo::onnxruntime::Runtime::load();
        if (version != nullptr) *version = runtime.version.c_str();
        if (path != nullptr) *path = runtime.path.c_str();
    });
}
}
