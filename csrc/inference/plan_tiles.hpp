// How a network is laid over an image: in one piece, in tiles, or as windows of one size.
#pragma once

#include <cstddef>

#include "model_file/contract.hpp"
#include "tiling/tiling.hpp"

namespace stemzoo::inference {

// What a network takes, as its contract says; all in pixels.
struct Geometry {
    std::size_t multiple = 1;  // height and width of its input divide by this
    std::size_t halo = 0;      // an output pixel depends on nothing farther away than this
    std::size_t whole = 0;   // images and tiles up to this side go in one piece; 0: up to max_tile
    std::size_t window = 0;  // side of the only input it takes; 0: any multiple of `multiple`
    std::size_t step = 0;    // between such windows
};

Geometry geometry_of(const model_file::Contract& contract);

// The largest tile, and the largest image in one piece unless the contract says more. It bounds the
// memory that a network takes.
inline constexpr std::size_t kMaxTile = 1024;

// Windows of one size are joined with Hann weights, which favour their middles: there the network
// sees most around a pixel. Tiles are cropped in the middle of their overlap. They start at
// multiples of `multiple`, so that what a network does block by block it does to the same blocks in
// a tile as in the whole image.
Tiling plan_tiles(Shape image, const Geometry& network, std::size_t max_tile = kMaxTile);

}  // namespace stemzoo::inference
