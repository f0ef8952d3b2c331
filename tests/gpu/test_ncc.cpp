// Correlation on a GPU is that of the CPU.
#include <cstdint>

#include "check.hpp"
#include "device.hpp"
#include "ncc_reference.hpp"
#include "tiling_cases.hpp"

using stemzoo::Shape;
using stemzoo::ncc::Settings;
using Floats = std::vector<float>;

namespace {

template <typename T>
std::vector<T> noise(std::size_t count, Shape shape, unsigned seed) {
    std::vector<T> pixels;
    for (std::size_t i = 0; i < count; ++i) {
        const auto frame = reference::noise<T>(shape, seed + static_cast<unsigned>(i), 100, 30);
        pixels.insert(pixels.end(), frame.pixels.begin(), frame.pixels.end());
    }
    return pixels;
}

template <typename T>
Floats on_cpu(const std::vector<T>& pixels, std::size_t count, Shape shape,
              const Settings& settings) {
    const auto view = [&](std::size_t i) {
        return stemzoo::AnyView(
            stemzoo::contiguous<const T>(pixels.data() + i * shape.size(), shape));
    };
    const stemzoo::ncc::Reference prepared(view(0), settings);
    const std::size_t size = prepared.surface_shape().size();
    Floats surfaces(count * size);
    for (std::size_t i = 0; i < count; ++i) {
        prepared.correlate(view(i), nullptr, surfaces.data() + i * size);
    }
    return surfaces;
}

template <typename T>
Floats on_gpu(const std::vector<T>& pixels, std::size_t count, Shape shape,
              const Settings& settings, bool on_host, std::size_t bytes = gpu::working_bytes) {
    const std::size_t size = (2 * settings.max_dy + 1) * (2 * settings.max_dx + 1) * count;
    if (on_host) {
        const auto correlator =
            gpu::correlator(gpu::frames(pixels.data(), 1, shape), true, settings, bytes);
        Floats surfaces(size);
        correlator->correlate(gpu::frames(pixels.data(), count, shape), true, surfaces.data(), true,
                              nullptr);
        return surfaces;
    }
    const gpu::Copy<T> copy(pixels);
    const gpu::Copy<float> surfaces(size);
    const auto correlator =
        gpu::correlator(gpu::frames(copy.data(), 1, shape), false, settings, bytes);
    correlator->correlate(gpu::frames(copy.data(), count, shape), false, surfaces.data(), false,
                          nullptr);
    return surfaces.values();
}

template <typename T>
void check_like_the_cpu(std::size_t count, Shape shape, const Settings& settings, unsigned seed) {
    const std::vector<T> pixels = noise<T>(count, shape, seed);
    const Floats expected = on_cpu(pixels, count, shape, settings);
    for (const bool on_host : {false, true}) {
        const Floats found = on_gpu(pixels, count, shape, settings, on_host);
        CHECK(tiling_cases::largest_difference(found, expected) < 1e-5);
        CHECK(found == on_gpu(pixels, count, shape, settings, on_host));  // to the last bit
    }
}

}  // namespace

TEST(gpu_ncc_of_every_type) {
    check_like_the_cpu<float>(9, {128, 128}, {16, 16, 0.25}, 1);
    check_like_the_cpu<double>(2, {97, 131}, {20, 9, 0.25}, 2);
    check_like_the_cpu<std::uint8_t>(3, {64, 200}, {7, 40, 0.25}, 3);
    check_like_the_cpu<std::int16_t>(3, {200, 64}, {60, 5, 0.25}, 4);
    check_like_the_cpu<std::uint32_t>(2, {65, 63}, {8, 8, 0.25}, 5);
}

TEST(gpu_ncc_of_many_frames_some_at_a_time) {
    const std::vector<float> pixels = noise<float>(40, {128, 96}, 6);
    const Settings settings{12, 12, 0.25};
    const Floats expected = on_gpu(pixels, 40, {128, 96}, settings, false);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{1} << 22}) {
        CHECK(on_gpu(pixels, 40, {128, 96}, settings, false, bytes) == expected);
        CHECK(on_gpu(pixels, 40, {128, 96}, settings, true, bytes) == expected);
    }
}

TEST(gpu_ncc_where_the_transforms_resolve_nothing) {
    std::vector<float> pixels = noise<float>(3, {96, 96}, 7);
    for (std::size_t i = 96 * 96; i < pixels.size(); ++i) {
        if (i % 96 < 80) pixels[i] = 7;  // vacuum
    }
    const Settings settings{30, 30, 0.1};
    CHECK(tiling_cases::largest_difference(on_gpu(pixels, 3, {96, 96}, settings, false),
                                           on_cpu(pixels, 3, {96, 96}, settings)) < 1e-5);
}

TEST(gpu_ncc_says_which_frame_is_not_finite) {
    std::vector<float> pixels = noise<float>(4, {32, 32}, 8);
    pixels[2 * 1024 + 5] = INFINITY;
    CHECK_THROWS(on_gpu(pixels, 4, {32, 32}, {4, 4, 0.25}, false), std::invalid_argument,
                 "moving image 2 has pixels");
}
