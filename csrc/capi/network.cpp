#include "capi/network.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "drift/look.hpp"
#include "inference/plan_tiles.hpp"

namespace stemzoo::capi {
namespace {

using model_file::Contract;
using model_file::ModelError;
using onnxruntime::Tensor;

std::int64_t side(std::size_t length) { return static_cast<std::int64_t>(length); }

// Counted, since compilers vectorise that.
bool all_finite(const Tensor& tensor) {
    std::uint32_t not_finite = 0;
    const std::size_t count = tensor.size();
    for (std::size_t i = 0; i < count; ++i) {
        not_finite += std::abs(tensor.data[i]) <= std::numeric_limits<float>::max() ? 0U : 1U;
    }
    return not_finite == 0;
}

std::string text(const std::vector<std::int64_t>& shape) {
    std::string sides;
    for (const std::int64_t each : shape)
        sides += (sides.empty() ? "" : ", ") + std::to_string(each);
    return "(" + sides + ")";
}

// Such a network answers with a drift instead of an image, for two frames that another network has
// denoised; Python has both.
std::string no_surfaces(const Contract& contract) {
    return contract.name +
           " reads the correlation of two frames, for which the C library has no call; use "
           "stemzoo.drift in Python, or here a drift model that makes features of a frame, such as "
           "drift-lattice";
}

}  // namespace

Network::Network(model_file::Bytes bytes, const std::string& where,
                 const onnxruntime::SessionOptions& options)
    : where_(where),
      examined_(model_file::examine(bytes, where)),
      interface_(model_file::interface_of(examined_.contract)),
      session_(bytes.data, bytes.size, options) {}

// The gate tried two shapes; what a network makes of another one it may not have shown.
void Network::require_room(const Sides& shape) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (followed_.count(shape) > 0) return;
    try {
        model_file::require_room(examined_, shape);
    } catch (const ModelError& error) {
        throw ModelError(where_ + " cannot be run: " + error.what());
    }
    followed_.insert(shape);
}

Tensor Network::infer(const float* data, const Sides& shape) const {
    require_room(shape);
    Tensor made =
        session_.run(interface_.input.c_str(), data, shape, interface_.outputs.front().c_str());
    if (all_finite(made)) return made;
    throw ModelError(where_ + ": " + examined_.contract.name + " " + examined_.contract.version +
                     " gave NaN or infinity for pixels that are numbers; the network is broken: "
                     "use another model or version");
}

void Network::run(const AnyView& image, const inference::Options& options,
                  const View<float>& out) const {
    const Contract& contract = examined_.contract;
    if (contract.surface > 0) throw std::invalid_argument(no_surfaces(contract));
    if (contract.features > 0) {
        throw std::invalid_argument(contract.name +
                                    " reads what is made of two frames, not images; use it by "
                                    "stemzoo_estimator_create or stemzoo_tracker_create");
    }
    Tensor answer;  // until the next batch
    const auto network = [&](const inference::Batch& batch) {
        const Sides shape{side(batch.count), 1, side(batch.tile.rows), side(batch.tile.cols)};
        answer = infer(batch.pixels.get(), shape);
        if (answer.shape == shape) return answer.data;
        throw ModelError(where_ + " gave an output of shape " + text(answer.shape) +
                         " for an input of shape " + text(shape) +
                         "; the model contract asks for the same shape");
    };
    const Tiling tiling = inference::plan_tiles(shape_of(image), inference::geometry_of(contract));
    inference::run_network(image, tiling, network, out, options);
}

drift::Maps Network::features(const float* look, Shape shape) const {
    const Sides sides{1, interface_.channels, side(shape.rows), side(shape.cols)};
    const auto maps = std::make_shared<const Tensor>(infer(look, sides));
    const Sides& made = maps->shape;
    if (made.size() != 4 || made[0] != 1) {
        throw ModelError(where_ + " gave an output of shape " + text(made) + " for an input of " +
                         text(sides) + "; expected (1, maps, rows, columns)");
    }
    const auto length = [&](int axis) { return static_cast<std::size_t>(made[axis]); };
    return {maps->data, length(1), {length(2), length(3)}, maps};
}

void Network::require_features() const {
    const Contract& contract = examined_.contract;
    if (contract.task != "drift") {
        throw std::invalid_argument(contract.name + " is a model for " + contract.task +
                                    "; drift needs one whose task is drift");
    }
    if (contract.features == 0) throw std::invalid_argument(no_surfaces(contract));
    if (contract.look != drift::look_version) {
        throw ModelError(
            contract.name + " " + contract.version + " reads looks of kind " +
            std::to_string(contract.look) + ", and this stemzoo makes kind " +
            std::to_string(drift::look_version) + "; use a later " +
            (contract.look > drift::look_version ? "stemzoo" : "version of the model"));
    }
}

}  // namespace stemzoo::capi
