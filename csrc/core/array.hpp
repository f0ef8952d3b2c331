// Views of caller-owned 2-D arrays: a pointer, a shape and strides. Nothing here owns memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>

namespace stemzoo {

struct Shape {
    std::size_t rows = 0;
    std::size_t cols = 0;

    std::size_t size() const { return rows * cols; }
    bool operator==(const Shape& other) const { return rows == other.rows && cols == other.cols; }
    bool operator!=(const Shape& other) const { return !(*this == other); }
    std::string text() const { return std::to_string(rows) + " x " + std::to_string(cols); }
};

// Strides count elements, not bytes, and may be negative or zero.
template <typename T>
struct View {
    T* data = nullptr;
    Shape shape;
    std::ptrdiff_t row_stride = 0;
    std::ptrdiff_t col_stride = 1;

    T* row(std::size_t r) const { return data + static_cast<std::ptrdiff_t>(r) * row_stride; }
    T& at(std::size_t r, std::size_t c) const {
        return row(r)[static_cast<std::ptrdiff_t>(c) * col_stride];
    }
};

template <typename T>
View<T> contiguous(T* data, Shape shape) {
    return {data, shape, static_cast<std::ptrdiff_t>(shape.cols), 1};
}

// Every pixel type a detector or a file reader hands over. Kernels read them where they lie and
// subtract offsets in float64 *before* rounding to float32, so a 32-bit counter keeps its contrast.
using AnyView =
    std::variant<View<const std::uint8_t>, View<const std::int8_t>, View<const std::uint16_t>,
                 View<const std::int16_t>, View<const std::uint32_t>, View<const std::int32_t>,
                 View<const std::uint64_t>, View<const std::int64_t>, View<const float>,
                 View<const double>>;

inline Shape shape_of(const AnyView& image) {
    return std::visit([](const auto& view) { return view.shape; }, image);
}

}  // namespace stemzoo
