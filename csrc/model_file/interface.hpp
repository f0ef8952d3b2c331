// What a network takes and gives: an image, a window of one, the surface or the look of a frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model_file/array.hpp"
#include "model_file/contract.hpp"

namespace stemzoo::model_file {

// px: what networks of any size are tried on, rounded up to what their input divides by.
inline constexpr std::int64_t kSmall = 64, kLarge = 1024;

// One input [N, channels, height, width] and the outputs, by name.
struct Interface {
    std::string input;
    std::vector<std::string> outputs;
    std::int64_t channels = 1;
    std::int64_t side = 0;      // the only height and width of the input; 0 where they are free
    std::vector<Sides> trials;  // inputs, small and large, that tell whether the network can run

    // The shape of every output for an input of that shape.
    Sides answer(const Sides& given) const;

    std::int64_t answer_channels = 0;  // 0: answers are a drift (dy, dx), and have no sides
};

// The kind of network that a contract describes, whose lengths are at most kLarge.
Interface interface_of(const Contract& contract);

}  // namespace stemzoo::model_file
