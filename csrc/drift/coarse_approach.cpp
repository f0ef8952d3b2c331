#include "drift/coarse_approach.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "drift/frame.hpp"
#include "drift/refine.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t factors[] = {4, 2};  // px of a frame to one of a shrunk frame, in turn
constexpr int most_rounds = 3;             // on each
constexpr double small_step = 1;           // px of a shrunk frame: the last step

Frame shrunk(const CleanFrame& frame, std::size_t factor, unsigned threads) {
    const Shape shape{frame.shape.rows / factor, frame.shape.cols / factor};
    const Scratch<float> pixels(shape.size());
    Flags valid(frame.invalid.empty() ? 0 : shape.size(), 1);
    const auto area = static_cast<float>(factor * factor);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            float sum = 0;
            for (std::size_t y = 0; y < factor; ++y) {
                const std::size_t at = (r * factor + y) * frame.shape.cols + c * factor;
                for (std::size_t x = 0; x < factor; ++x) {
                    sum += frame.pixels[at + x];
                    if (!valid.empty() && frame.invalid[at + x] != 0) valid[r * shape.cols + c] = 0;
                }
            }
            pixels[r * shape.cols + c] = sum / area;
        }
    }
    const AnyView view = contiguous<const float>(pixels.data(), shape);
    if (valid.empty()) return Frame(view, nullptr, threads);
    const Frame::Mask mask = contiguous<const std::uint8_t>(valid.data(), shape);
    return Frame(view, &mask, threads);
}

}  // namespace

Vector coarse_approach(const CleanFrame& reference, const CleanFrame& moving, const Vector& start,
                       unsigned threads) {
    Vector place = start;
    for (const std::size_t factor : factors) {
        if (std::min(reference.shape.rows, reference.shape.cols) < least_side * factor) continue;
        const Frame still = shrunk(reference, factor, threads),
                    moved = shrunk(moving, factor, threads);
        const auto scale = static_cast<double>(factor);
        for (int round = 0; round < most_rounds; ++round) {
            const std::optional<Refined> found =
                refine(still, moved, place[0] / scale, place[1] / scale);
            if (!found) break;
            const double dy = found->dy * scale - place[0], dx = found->dx * scale - place[1];
            place[0] += dy;
            place[1] += dx;
            if (std::max(std::abs(dy), std::abs(dx)) < small_step * scale) break;
        }
    }
    return place;
}

}  // namespace stemzoo::drift
