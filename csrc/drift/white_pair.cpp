#include "drift/white_pair.hpp"

namespace stemzoo::drift {
namespace {

// Correlation of the powers of two frames at single frequencies, from which on they are those of a
// scene. Of independent noise it is zero.
constexpr double scene = 0.3;

}  // namespace

std::optional<WhitePair> whitened(const PreparedFrame& reference, const PreparedFrame& moving,
                                  unsigned threads) {
    const auto still = reference.noise_colour(threads), moved = moving.noise_colour(threads);
    if (!still || !moved || still->in_common(*moved) >= scene) return std::nullopt;
    return WhitePair{reference.whitened(still, threads), moving.whitened(still, threads)};
}

}  // namespace stemzoo::drift
