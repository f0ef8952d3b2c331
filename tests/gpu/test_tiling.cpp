// Splitting, blending and measuring on a GPU are those of the CPU.
#include "check.hpp"
#include "device.hpp"
#include "tiling/statistics.hpp"
#include "tiling_cases.hpp"

using namespace tiling_cases;

TEST(gpu_split_and_blend_in_two_batches) {
    for (const Case& c : cases()) {
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const auto tiles = gpu::tiles(tiling);
            const Floats image = random_pixels(c.image.size());
            const std::size_t windows = tiling.windows(), size = c.tile.size();
            const std::size_t middle = windows / 2;
            const Limits limits{-0.5, 0.75};
            const float fill = 0.25f;
            Floats expected(windows * size), sum(c.image.size(), kNaN);
            const gpu::Copy<float> there(image), batch(windows * size), blended(sum);
            const cuda::Frames frames = gpu::frames(there.data(), 1, c.image);
            const auto both = [&](std::size_t first, std::size_t count) {
                if (count == 0) return;
                float* const part = expected.data() + first * size;
                float* const on_gpu = batch.data() + first * size;
                tiling.split(view_of(image, c.image), 0.25, 3, first, count, part, 1, limits);
                tiling.blend_from(fill, part, first, count, 0.5, contiguous(sum.data(), c.image),
                                  1);
                tiles->split(frames, 0.25, 3, &limits, first, count, on_gpu, nullptr);
                tiles->blend(on_gpu, first, count, 0.5, &fill, contiguous(blended.data(), c.image),
                             nullptr);
            };
            both(0, middle);
            both(middle, windows - middle);
            CHECK(largest_difference(batch.values(), expected) < 1e-6);
            CHECK(largest_difference(blended.values(), sum) < 1e-6);
        }
    }
}

TEST(gpu_moments) {
    const Floats image = random_pixels(1000 * 777);
    const gpu::Copy<float> there(image);
    const cuda::PixelMoments found =
        gpu::module().moments(gpu::device, gpu::frames(there.data(), 1, {1000, 777}), nullptr);
    const Statistics expected = measure(view_of(image, {1000, 777}), 0);
    CHECK(found.finite);
    CHECK_NEAR(found.mean, expected.mean, 1e-12);
    CHECK_NEAR(found.std, expected.std, 1e-12);
}
