// A stack of images of one shape as kernels read it: pixels of any type, at any strides.
//
// The type is looked up pixel by pixel. All threads take the same branch, and the kernels wait for
// memory anyway; one kernel for all ten types keeps the module small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/array.hpp"
#include "core/portable.hpp"

namespace stemzoo::cuda {

enum class PixelType { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

constexpr std::size_t bytes_of(PixelType type) {
    switch (type) {
        case PixelType::u8:
        case PixelType::i8:
            return 1;
        case PixelType::u16:
        case PixelType::i16:
            return 2;
        case PixelType::u32:
        case PixelType::i32:
        case PixelType::f32:
            return 4;
        default:
            return 8;
    }
}

struct Frames {
    const void* data = nullptr;
    PixelType type = PixelType::f32;
    std::size_t count = 0;
    Shape shape;
    std::ptrdiff_t frame_stride = 0, row_stride = 0, col_stride = 1;  // in pixels

    STEMZOO_ANYWHERE double at(std::size_t frame, std::size_t row, std::size_t col) const {
        const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(frame) * frame_stride +
                                 static_cast<std::ptrdiff_t>(row) * row_stride +
                                 static_cast<std::ptrdiff_t>(col) * col_stride;
        switch (type) {
            case PixelType::u8:
                return static_cast<const std::uint8_t*>(data)[i];
            case PixelType::i8:
                return static_cast<const std::int8_t*>(data)[i];
            case PixelType::u16:
                return static_cast<const std::uint16_t*>(data)[i];
            case PixelType::i16:
                return static_cast<const std::int16_t*>(data)[i];
            case PixelType::u32:
                return static_cast<const std::uint32_t*>(data)[i];
            case PixelType::i32:
                return static_cast<const std::int32_t*>(data)[i];
            case PixelType::u64:
                return static_cast<double>(static_cast<const std::uint64_t*>(data)[i]);
            case PixelType::i64:
                return static_cast<double>(static_cast<const std::int64_t*>(data)[i]);
            case PixelType::f32:
                return static_cast<double>(static_cast<const float*>(data)[i]);
            default:
                return static_cast<const double*>(data)[i];
        }
    }

    std::size_t pixel_bytes() const { return bytes_of(type); }

    // Frames from number `first` on.
    Frames part(std::size_t first, std::size_t some) const {
        Frames frames = *this;
        frames.count = some;
        frames.data =
            static_cast<const char*>(data) + static_cast<std::ptrdiff_t>(first) * frame_stride *
                                                 static_cast<std::ptrdiff_t>(pixel_bytes());
        return frames;
    }

    // The same pixels, one after another from `memory` on.
    Frames packed(const void* memory) const {
        Frames frames = *this;
        frames.data = memory;
        frames.col_stride = 1;
        frames.row_stride = static_cast<std::ptrdiff_t>(shape.cols);
        frames.frame_stride = static_cast<std::ptrdiff_t>(shape.size());
        return frames;
    }
};

template <typename T>
constexpr PixelType pixel_type() {
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (std::is_same_v<T, double>) return PixelType::f64;
    if constexpr (std::is_same_v<T, float>) return PixelType::f32;
    if constexpr (sizeof(T) == 1) return is_signed ? PixelType::i8 : PixelType::u8;
    if constexpr (sizeof(T) == 2) return is_signed ? PixelType::i16 : PixelType::u16;
    if constexpr (sizeof(T) == 4) return is_signed ? PixelType::i32 : PixelType::u32;
    return is_signed ? PixelType::i64 : PixelType::u64;
}

// One image.
inline Frames frames_of(const AnyView& image) {
    return std::visit(
        [](const auto& view) {
            using Pixel = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
            return Frames{view.data,       pixel_type<Pixel>(), 1, view.shape, 0,
                          view.row_stride, view.col_stride};
        },
        image);
}

}  // namespace stemzoo::cuda
