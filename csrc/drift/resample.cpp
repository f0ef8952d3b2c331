#include "drift/resample.hpp"

#include <algorithm>

#include "core/scratch.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {
namespace {

// Of `length` neighbours, the first of which is `first`, those that lie in [0, size).
struct Inside {
    Inside(std::int64_t first, std::size_t length, std::size_t size) {
        const auto wanted = static_cast<std::int64_t>(length);
        const std::int64_t low = std::clamp<std::int64_t>(-first, 0, wanted);
        const std::int64_t high =
            std::clamp<std::int64_t>(static_cast<std::int64_t>(size) - first, low, wanted);
        begin = static_cast<std::size_t>(low);
        end = static_cast<std::size_t>(high);
        from = begin == end ? 0 : static_cast<std::size_t>(first + low);
    }
    std::size_t begin, end, from;
};

}  // namespace

void move_rows(const float* image, Shape shape, const Taps& taps, float* result) {
    const Kernels& k = kernels();
    for (std::size_t r = 0; r < shape.rows; ++r) {
        const Inside rows(taps.first[r], taps.count, shape.rows);
        k.weighted_sum(image + rows.from * shape.cols, shape.cols,
                       taps.weights + r * taps.count + rows.begin, rows.end - rows.begin,
                       shape.cols, result + r * shape.cols);
    }
}

void slide_rows(const float* image, Shape shape, const Taps& taps, float* result) {
    const Kernels& k = kernels();
    const std::size_t length = shape.cols + taps.count;
    const Scratch<float> line(length);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        const Inside columns(taps.first[r], length, shape.cols);
        std::fill_n(line.data(), length, 0.0f);
        std::copy_n(image + r * shape.cols + columns.from, columns.end - columns.begin,
                    line.data() + columns.begin);
        k.weighted_sum(line.data(), 1, taps.weights + r * taps.count, taps.count, shape.cols,
                       result + r * shape.cols);
    }
}

}  // namespace stemzoo::drift
