// Where ONNX Runtime may be on this machine.
#pragma once

#include <filesystem>
#include <vector>

namespace stemzoo::onnxruntime {

// In the order in which they are to be tried, all but the last existing files:
// 1. beside this library;
// 2. in the package `onnxruntime` of the Python environment that this library lies in, and of those
//    that VIRTUAL_ENV and CONDA_PREFIX name;
// 3. by its name alone, which the system looks for.
std::vector<std::filesystem::path> usual_places();

}  // namespace stemzoo::onnxruntime
