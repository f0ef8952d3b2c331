// Mean, standard deviation and range of an image; hot pixels are the host's business.
#include <cmath>
#include <vector>

#include "cuda/sum_pixels.hpp"
#include "tiling/device_tiles.hpp"
#include "tiling/pixel_sums.hpp"

namespace stemzoo::cuda {
namespace {

template <typename Sum>
Sum sum_of(const Queue& queue, const Frames& image, const Sum& none) {
    const unsigned blocks = blocks_of_rows(image.shape);
    const Buffer<Sum> sums(queue, blocks);
    launch_sums(queue, {blocks, 1, 1}, PixelTerms<Sum>{image, none}, sums.data());
    std::vector<Sum> parts(blocks, none);
    queue.copy(parts.data(), sums.data(), sums.bytes());
    queue.wait();
    Sum total = none;
    for (const Sum& part : parts) total.join(part);
    return total;
}

double first_pixel(const Queue& queue, const Frames& image) {
    double memory = 0;  // as wide as any pixel
    queue.copy(&memory, image.data, image.pixel_bytes());
    queue.wait();
    return image.packed(&memory).at(0, 0, 0);
}

}  // namespace

PixelMoments moments_of(int device, const Frames& image, void* stream) {
    const Queue queue(device, stream);
    const auto count = static_cast<double>(image.shape.size());
    const double origin = first_pixel(queue, image);
    const double mean = origin + sum_of(queue, image, OffsetSum{origin, 0}).sum / count;
    if (!std::isfinite(mean)) return {mean, mean, mean, mean, false};
    const SpreadSum spread = sum_of(queue, image, SpreadSum{mean, 0, origin, origin});
    const double deviation = std::sqrt(spread.squares / count);
    return {mean, deviation, spread.low, spread.high, std::isfinite(deviation)};
}

}  // namespace stemzoo::cuda
