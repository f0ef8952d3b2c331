#include "capi/image.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "capi/status.hpp"

namespace stemzoo::capi {
namespace {

// 32768 x 32768. Beyond it, sizes are taken for what an uninitialised variable holds.
constexpr std::size_t most_pixels = std::size_t{1} << 30;

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument(message); }

std::string element(const char* name, const char* member) {
    return std::string(name) + "." + member;
}

std::size_t magnitude(std::ptrdiff_t stride) {
    const auto value = static_cast<std::size_t>(stride);
    return stride < 0 ? std::size_t{0} - value : value;
}

// A stride between `count` rows or columns whose farthest is still within an address space.
void require_stride(std::ptrdiff_t stride, std::size_t count, const std::string& name) {
    constexpr std::size_t farthest = std::numeric_limits<std::ptrdiff_t>::max() / 32;
    if (count == 1) return;
    if (stride == 0) refuse(name + " is 0; expected how many elements lie from one to the next");
    if (magnitude(stride) > farthest / (count - 1)) {
        refuse(name + " is " + std::to_string(stride) + ", which reaches beyond all memory");
    }
}

template <typename T>
void require_aligned(const T* pixels, const std::string& name) {
    if (reinterpret_cast<std::uintptr_t>(pixels) % alignof(T) == 0) return;
    refuse(name + " is not aligned to its elements of " + std::to_string(sizeof(T)) +
           " bytes; copy it to aligned memory");
}

template <typename T>
AnyView view_of(const stemzoo_image& image, const char* name) {
    const auto* const pixels = static_cast<const T*>(image.pixels);
    require_aligned(pixels, element(name, "pixels"));
    const Shape shape{image.rows, image.cols};
    // A stride between rows or columns of which there is one is never used.
    return View<const T>{pixels, shape, shape.rows == 1 ? 0 : image.row_stride,
                         shape.cols == 1 ? 1 : image.col_stride};
}

AnyView view_of(const stemzoo_image& image, const char* name) {
    switch (image.dtype) {
        case STEMZOO_U8:
            return view_of<std::uint8_t>(image, name);
        case STEMZOO_I8:
            return view_of<std::int8_t>(image, name);
        case STEMZOO_U16:
            return view_of<std::uint16_t>(image, name);
        case STEMZOO_I16:
            return view_of<std::int16_t>(image, name);
        case STEMZOO_U32:
            return view_of<std::uint32_t>(image, name);
        case STEMZOO_I32:
            return view_of<std::int32_t>(image, name);
        case STEMZOO_U64:
            return view_of<std::uint64_t>(image, name);
        case STEMZOO_I64:
            return view_of<std::int64_t>(image, name);
        case STEMZOO_F32:
            return view_of<float>(image, name);
        case STEMZOO_F64:
            return view_of<double>(image, name);
        default:
            break;
    }
    refuse(element(name, "dtype") + " is " + std::to_string(image.dtype) +
           "; expected STEMZOO_U8 (0) to STEMZOO_F64 (9)");
}

std::size_t count_set(const Mask& mask) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < mask.shape.rows; ++row) {
        const std::uint8_t* const first = mask.row(row);
        count += static_cast<std::size_t>(
            std::count_if(first, first + mask.shape.cols, [](auto flag) { return flag != 0; }));
    }
    return count;
}

}  // namespace

Shape shape_from(std::size_t rows, std::size_t cols, const char* name) {
    const Shape shape{rows, cols};
    if (rows == 0 || cols == 0) {
        refuse(std::string(name) + " is " + shape.text() + ", which holds no pixels");
    }
    if (rows > most_pixels / cols) {
        refuse(std::string(name) + " is " + shape.text() + " pixels; expected at most " +
               std::to_string(most_pixels) + " in all");
    }
    return shape;
}

Image image_from(const stemzoo_image* image, const char* name) {
    require(image, name);
    require(image->pixels, element(name, "pixels").c_str());
    const Shape shape = shape_from(image->rows, image->cols, name);
    require_stride(image->row_stride, shape.rows, element(name, "row_stride"));
    require_stride(image->col_stride, shape.cols, element(name, "col_stride"));
    Image found{view_of(*image, name), std::nullopt};
    if (image->mask == nullptr) return found;
    require_stride(image->mask_row_stride, shape.rows, element(name, "mask_row_stride"));
    const Mask mask{image->mask, shape, shape.rows == 1 ? 0 : image->mask_row_stride, 1};
    if (count_set(mask) > 0) found.masked = mask;
    return found;
}

bool all_masked(const Image& image) {
    return image.masked && count_set(*image.masked) == image.shape().size();
}

View<const float> floats_from(const float* pixels, Shape shape, std::ptrdiff_t row_stride,
                              const char* name) {
    require(pixels, name);
    require_aligned(pixels, name);
    require_stride(row_stride, shape.rows, std::string(name) + "'s row stride");
    return {pixels, shape, shape.rows == 1 ? 0 : row_stride, 1};
}

View<float> output_from(float* pixels, Shape shape, std::ptrdiff_t row_stride, const char* name) {
    const View<const float> view = floats_from(pixels, shape, row_stride, name);
    if (shape.rows > 1 && magnitude(row_stride) < shape.cols) {
        refuse(std::string(name) + "'s row stride is " + std::to_string(row_stride) +
               "; expected at least " + std::to_string(shape.cols) + ", so that no rows overlap");
    }
    return {pixels, shape, view.row_stride, 1};
}

void copy_rows(const float* from, const View<float>& to) {
    for (std::size_t row = 0; row < to.shape.rows; ++row) {
        std::copy_n(from + row * to.shape.cols, to.shape.cols, to.row(row));
    }
}

}  // namespace stemzoo::capi
