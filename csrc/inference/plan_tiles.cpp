#include "inference/plan_tiles.hpp"

namespace stemzoo::inference {

Geometry geometry_of(const model_file::Contract& contract) {
    if (contract.window > 0) return {1, 0, 0, contract.window, contract.step};
    return {contract.multiple, contract.halo, contract.whole, 0, 0};
}

Tiling plan_tiles(Shape image, const Geometry& network, std::size_t max_tile) {
    if (network.window > 0) {
        const Shape window{network.window, network.window}, step{network.step, network.step};
        return Tiling(image, window, step, Weights::hann);
    }
    // The larger the tiles, the less of them overlaps.
    const std::size_t most = network.whole > 0 ? network.whole : max_tile;
    return Tiling::for_model(image, network.multiple, network.halo, most);
}

}  // namespace stemzoo::inference
