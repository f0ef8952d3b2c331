#include "model_file/interface.hpp"

namespace stemzoo::model_file {
namespace {

constexpr std::int64_t look_channels = 3;

std::vector<Sides> squares(std::int64_t channels, std::int64_t multiple) {
    std::vector<Sides> found;
    for (const std::int64_t size : {kSmall, kLarge}) {
        const std::int64_t side = (size + multiple - 1) / multiple * multiple;
        found.push_back({1, channels, side, side});
    }
    return found;
}

std::vector<Sides> windows(std::int64_t side) { return {{1, 1, side, side}, {3, 1, side, side}}; }

}  // namespace

Sides Interface::answer(const Sides& given) const {
    if (answer_channels == 0) return {given.at(0), 2};
    return {given.at(0), answer_channels, given.at(2), given.at(3)};
}

Interface interface_of(const Contract& contract) {
    const auto multiple = static_cast<std::int64_t>(contract.multiple);
    const auto surface = static_cast<std::int64_t>(contract.surface);
    const auto features = static_cast<std::int64_t>(contract.features);
    const auto window = static_cast<std::int64_t>(contract.window);
    if (surface > 0) return {"surface", {"drift", "sigma"}, 1, surface, windows(surface), 0};
    if (features > 0) {
        const std::vector<Sides> trials = squares(look_channels, multiple);
        return {"look", {"features"}, look_channels, 0, trials, features};
    }
    const std::vector<Sides> trials = window > 0 ? windows(window) : squares(1, multiple);
    return {"image", {"output"}, 1, window, trials, 1};
}

}  // namespace stemzoo::model_file
