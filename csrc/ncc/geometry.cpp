#include "ncc/geometry.hpp"

#include <stdexcept>
#include <string>

namespace stemzoo::ncc {
namespace {

// Relative time of an FFT of n points, or 0 if n has a factor without a fast pass. The weights of
// the factors are fits to ducc0's passes.
double cost(std::size_t n, bool real) {
    const std::size_t size = n;
    double per_point = 0.4;
    const auto divide = [&](std::size_t factor, double weight) {
        for (; n % factor == 0; n /= factor) per_point += weight;
    };
    divide(4, 1.0);
    divide(2, 0.8);
    divide(3, 1.0);
    divide(5, 1.5);
    if (!real) divide(7, 2.2);
    if (!real) divide(11, 3.6);
    return n == 1 ? per_point * static_cast<double>(size) : 0.0;
}

std::size_t fast_size(std::size_t least, bool real) {
    std::size_t best = 0;
    double best_cost = 0;
    // A power of two lies within twice the least size.
    for (std::size_t n = least; n <= 2 * least; ++n) {
        if (best != 0 && 4 * n > 5 * best) break;
        const double c = cost(n, real);
        if (c > 0 && (best == 0 || c < best_cost)) {
            best = n;
            best_cost = c;
        }
    }
    return best;
}

}  // namespace

Geometry make_geometry(Shape image, std::size_t max_dy, std::size_t max_dx) {
    if (image.rows < 2 || image.cols < 2) {
        throw std::invalid_argument("image of " + image.text() +
                                    " pixels; correlation needs at least 2 x 2");
    }
    if (max_dy >= image.rows || max_dx >= image.cols) {
        throw std::invalid_argument("max_shift (" + std::to_string(max_dy) + ", " +
                                    std::to_string(max_dx) + ") leaves no overlap of images of " +
                                    image.text() + " pixels; expected less than the image size");
    }
    return {image, max_dy, max_dx, fast_size(image.rows + max_dy, true),
            fast_size(image.cols + max_dx, false)};
}

}  // namespace stemzoo::ncc
