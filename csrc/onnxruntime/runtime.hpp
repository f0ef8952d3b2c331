// ONNX Runtime, found and loaded once a process.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "onnxruntime/api.hpp"

namespace stemzoo::onnxruntime {

// It is missing, too old, or lacks what was asked for.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// It reported an error.
struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Runtime {
  public:
    // The one that is loaded, or that is loaded now: of the file `path` (UTF-8) if it is not empty,
    // else of the one that STEMZOO_ORT names, else of the usual places (places.hpp). Throws
    // Unavailable if it cannot be had, or was loaded from elsewhere than `path`.
    static const Runtime& load(const std::string& path = "");

    // Throws Failed for a status that is an error, and releases it.
    void check(OrtStatus* status) const;

    Api api;
    std::optional<PluginApi> plugins;  // where the version has them
    std::string version, path;
    OrtEnv* env = nullptr;
    OrtMemoryInfo* memory = nullptr;  // of the CPU

  private:
    Runtime(const Entry* table, const ApiBase& base, std::string file);
    static const Runtime* opened(const std::string& path);
    static const Runtime* open_file(const std::string& path, std::string& reason);
};

}  // namespace stemzoo::onnxruntime
