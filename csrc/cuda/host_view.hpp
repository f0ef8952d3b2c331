// Frames in memory of the host as the core's own views.
#pragma once

#include "cuda/frames.hpp"

namespace stemzoo::cuda {

inline AnyView host_view(const Frames& frames, std::size_t frame = 0) {
    const Frames one = frames.part(frame, 1);
    const auto as = [&](auto pixel) -> AnyView {
        using Pixel = decltype(pixel);
        return View<const Pixel>{static_cast<const Pixel*>(one.data), one.shape, one.row_stride,
                                 one.col_stride};
    };
    switch (one.type) {
        case PixelType::u8:
            return as(std::uint8_t{});
        case PixelType::i8:
            return as(std::int8_t{});
        case PixelType::u16:
            return as(std::uint16_t{});
        case PixelType::i16:
            return as(std::int16_t{});
        case PixelType::u32:
            return as(std::uint32_t{});
        case PixelType::i32:
            return as(std::int32_t{});
        case PixelType::u64:
            return as(std::uint64_t{});
        case PixelType::i64:
            return as(std::int64_t{});
        case PixelType::f32:
            return as(float{});
        default:
            return as(double{});
    }
}

}  // namespace stemzoo::cuda
