// One network opened in ONNX Runtime. It was examined before (model_file/examine.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnxruntime/owned.hpp"
#include "onnxruntime/providers.hpp"

namespace stemzoo::onnxruntime {

struct SessionOptions {
    std::vector<Provider> providers;  // none: the CPU alone
    unsigned threads = 0;             // of the CPU; 0: all cores
};

// A float32 tensor, in memory of ONNX Runtime that it releases.
struct Tensor {
    Owned<OrtValue> value{nullptr, nullptr};
    const float* data = nullptr;
    std::vector<std::int64_t> shape;

    std::size_t size() const;
};

// Threads may share it. Does not survive a fork: what needs it then fails with words.
class Session {
  public:
    // The bytes are read during the call only. Throws Unavailable and Failed.
    Session(const void* model, std::size_t size, const SessionOptions& options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Runs the network from its one input to one of its outputs.
    Tensor run(const char* input, const float* data, const std::vector<std::int64_t>& shape,
               const char* output) const;

  private:
    const Runtime& runtime_;
    Owned<OrtSession> session_;
    long process_;
};

}  // namespace stemzoo::onnxruntime
