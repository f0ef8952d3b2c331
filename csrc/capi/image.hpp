// The caller's pictures as views of the core, checked first: what is read and written afterwards
// lies within what the caller described.
#pragma once

#include <optional>

#include "capi/stemzoo.h"
#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::capi {

using Mask = View<const std::uint8_t>;

// `masked` is nonzero where a pixel holds no measurement; there is none where no pixel is masked.
struct Image {
    AnyView pixels;
    std::optional<Mask> masked;

    const Mask* mask() const { return masked ? &*masked : nullptr; }
    Shape shape() const { return shape_of(pixels); }
};

bool all_masked(const Image& image);

// These throw std::invalid_argument and call the picture `name`.
Image image_from(const stemzoo_image* image, const char* name);
View<const float> floats_from(const float* pixels, Shape shape, std::ptrdiff_t row_stride,
                              const char* name);
View<float> output_from(float* pixels, Shape shape, std::ptrdiff_t row_stride, const char* name);
Shape shape_from(std::size_t rows, std::size_t cols, const char* name);

// Results are made aside and copied when nothing can fail any more, so that they may overlap what
// they are made of, and nothing is written if it fails.
void copy_rows(const float* from, const View<float>& to);

}  // namespace stemzoo::capi
