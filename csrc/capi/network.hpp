// A model file in the C library: examined, opened, and run on what its contract says.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "drift/network.hpp"
#include "inference/run_network.hpp"
#include "model_file/examine.hpp"
#include "model_file/interface.hpp"
#include "onnxruntime/session.hpp"

namespace stemzoo::capi {

// Threads may share it.
class Network {
  public:
    // `where` names the model in messages. Throws model_file::ModelError, onnxruntime::Unavailable
    // and onnxruntime::Failed.
    Network(model_file::Bytes bytes, const std::string& where,
            const onnxruntime::SessionOptions& options);

    const model_file::Properties& properties() const { return examined_.properties; }

    // Throws as inference::run_network does; std::invalid_argument for a drift model.
    void run(const AnyView& image, const inference::Options& options, const View<float>& out) const;

    // The maps of a look.
    drift::Maps features(const float* look, Shape shape) const;

    // Throws std::invalid_argument for a model that makes no features of frames.
    void require_features() const;

  private:
    using Sides = std::vector<std::int64_t>;
    onnxruntime::Tensor infer(const float* data, const Sides& shape) const;
    void require_room(const Sides& shape) const;

    std::string where_;
    model_file::Examined examined_;
    model_file::Interface interface_;
    onnxruntime::Session session_;
    mutable std::mutex mutex_;
    mutable std::set<Sides> followed_;  // shapes that are known to have room
};

}  // namespace stemzoo::capi
