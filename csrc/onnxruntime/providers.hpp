// Execution providers: where a network is computed, by ONNX Runtime's names and options.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "onnxruntime/runtime.hpp"

namespace stemzoo::onnxruntime {

struct Provider {
    std::string name;  // such as "CUDAExecutionProvider"
    std::vector<std::pair<std::string, std::string>> options;
    std::string library;  // the plug-in that brings it; empty if ONNX Runtime has it
};

// Adds them to the options of a session, the most wanted first. The CPU, which needs no adding, may
// only be the last. Throws Unavailable, with the reason, for one that cannot be used.
void append_providers(const Runtime& runtime, const std::vector<Provider>& providers,
                      OrtSessionOptions* options);

}  // namespace stemzoo::onnxruntime
