#include "tiling/tiling.hpp"

#include <stdexcept>
#include <string>

namespace stemzoo {
namespace {

std::size_t round_up(std::size_t value, std::size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Any more would be an image of its own, and sums below must not wrap.
constexpr std::size_t kWidestHalo = std::size_t{1} << 20;

void require_room(std::size_t multiple, std::size_t halo, std::size_t max_tile) {
    if (multiple < 1 || multiple > kWidestHalo || halo > kWidestHalo) {
        throw std::invalid_argument(
            "multiple is " + std::to_string(multiple) + " and halo is " + std::to_string(halo) +
            "; expected a multiple of at least 1 and both at most " + std::to_string(kWidestHalo));
    }
    const std::size_t least = round_up(2 * halo, multiple) + multiple;
    if (max_tile < least) {
        throw std::invalid_argument("max_tile is " + std::to_string(max_tile) +
                                    ", which leaves nothing between two halos of " +
                                    std::to_string(halo) + " px in multiples of " +
                                    std::to_string(multiple) + "; use at least " +
                                    std::to_string(least));
    }
}

}  // namespace

Tiling::Tiling(Shape image, Shape tile, Shape step, Weights weights, Shape multiple)
    : weights_(weights),
      rows_("rows", image.rows, tile.rows, step.rows, weights, multiple.rows),
      cols_("columns", image.cols, tile.cols, step.cols, weights, multiple.cols) {}

Tiling Tiling::for_model(Shape image, std::size_t multiple, std::size_t halo,
                         std::size_t max_tile) {
    require_room(multiple, halo, max_tile);
    const std::size_t largest = max_tile / multiple * multiple;
    const std::size_t overlap = round_up(2 * halo, multiple);
    const auto tile = [&](std::size_t side) {
        return side <= largest ? round_up(side, multiple) : largest;
    };
    const auto step = [&](std::size_t side) {
        return side <= largest ? tile(side) : largest - overlap;
    };
    return Tiling(image, {tile(image.rows), tile(image.cols)}, {step(image.rows), step(image.cols)},
                  Weights::crop, {multiple, multiple});
}

void Tiling::require_windows(std::size_t first, std::size_t count) const {
    if (first <= windows() && count <= windows() - first) return;
    throw std::invalid_argument(std::to_string(count) + " windows from number " +
                                std::to_string(first) + " on were asked for; this tiling has " +
                                std::to_string(windows()) + ", counted from 0");
}

void Tiling::require_image(const char* what, Shape given) const {
    if (given == image()) return;
    throw std::invalid_argument(std::string(what) + " is " + given.text() +
                                "; this tiling was made for " + image().text() +
                                ": make a Tiling for each image shape");
}

}  // namespace stemzoo
