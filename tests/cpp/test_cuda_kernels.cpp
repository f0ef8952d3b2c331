// Correlation, splitting and blending on an emulated GPU: like the CPU's, whatever the order of
// blocks and threads, frames at the same time, strides and memory.
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "cuda_backend.hpp"
#include "ncc_reference.hpp"
#include "tiling_cases.hpp"

namespace cuda = stemzoo::cuda;
namespace emulation = stemzoo::cuda::emulation;
using reference::Image;
using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::ncc::Settings;
using Floats = std::vector<float>;

namespace {

constexpr emulation::Order orders[] = {emulation::Order::forward, emulation::Order::backward,
                                       emulation::Order::shuffled};

struct InOrder {
    explicit InOrder(emulation::Order order) { emulation::order = order; }
    ~InOrder() { emulation::order = emulation::Order::shuffled; }
};

// Frames that lie one after the other.
template <typename T>
struct Stack {
    std::size_t count;
    Shape shape;
    std::vector<T> pixels;

    cuda::Frames frames() const {
        cuda::Frames all{pixels.data(), cuda::pixel_type<T>(), count, shape};
        return all.packed(pixels.data());
    }
    stemzoo::View<const T> view(std::size_t i) const {
        return stemzoo::contiguous(pixels.data() + i * shape.size(), shape);
    }
};

template <typename T>
Stack<T> stack_of(std::size_t count, Shape shape, unsigned seed) {
    Stack<T> stack{count, shape, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const auto frame = reference::noise<T>(shape, seed + static_cast<unsigned>(i), 100, 30);
        stack.pixels.insert(stack.pixels.end(), frame.pixels.begin(), frame.pixels.end());
    }
    return stack;
}

template <typename T>
Floats surfaces_on_gpu(const Stack<T>& stack, const Settings& settings, std::size_t working_bytes,
                       bool on_host) {
    const auto correlator = cuda::make_correlator(
        1, cuda::frames_of(stack.view(0)), on_host,
        cuda::correlator_settings(stack.shape, settings, working_bytes), nullptr);
    Floats surfaces(stack.count * (2 * settings.max_dy + 1) * (2 * settings.max_dx + 1), NAN);
    correlator->correlate(stack.frames(), on_host, surfaces.data(), on_host, nullptr);
    return surfaces;
}

template <typename T>
Floats surfaces_on_cpu(const Stack<T>& stack, const Settings& settings) {
    const stemzoo::ncc::Reference prepared(stack.view(0), settings, nullptr, 1);
    const std::size_t size = prepared.surface_shape().size();
    Floats surfaces(stack.count * size);
    for (std::size_t i = 0; i < stack.count; ++i) {
        prepared.correlate(stack.view(i), nullptr, surfaces.data() + i * size, 1);
    }
    return surfaces;
}

}  // namespace

TEST(cuda_ncc_is_within_1e_5_of_the_cpu) {
    const Settings settings{7, 11, 0.3};
    const auto floats = stack_of<float>(5, {60, 52}, 1);
    CHECK(tiling_cases::largest_difference(surfaces_on_gpu(floats, settings, 1 << 20, false),
                                           surfaces_on_cpu(floats, settings)) < 1e-5);
    const auto counts = stack_of<std::uint16_t>(2, {33, 70}, 9);
    CHECK(tiling_cases::largest_difference(surfaces_on_gpu(counts, settings, 1 << 20, true),
                                           surfaces_on_cpu(counts, settings)) < 1e-5);
}

TEST(cuda_ncc_does_not_depend_on_the_order_of_threads) {
    auto stack = stack_of<float>(3, {40, 36}, 2);
    // Vacuum, so that lags are left to the direct kernel.
    for (std::size_t i = 0; i < 2 * stack.shape.size(); i += 1) {
        if (i % 36 < 30) stack.pixels[stack.shape.size() + i] = 7;
    }
    const InOrder forward(emulation::Order::forward);
    const Floats expected = surfaces_on_gpu(stack, {9, 8, 0.1}, 1 << 20, false);
    for (const emulation::Order order : orders) {
        const InOrder in_order(order);
        CHECK(surfaces_on_gpu(stack, {9, 8, 0.1}, 1 << 20, false) == expected);
    }
    CHECK(tiling_cases::largest_difference(expected, surfaces_on_cpu(stack, {9, 8, 0.1})) < 1e-5);
}

TEST(cuda_ncc_does_not_depend_on_how_many_frames_are_done_at_once) {
    const auto stack = stack_of<std::int16_t>(7, {24, 30}, 3);
    const Floats one_by_one = surfaces_on_gpu(stack, {5, 5, 0.25}, 1, false);
    CHECK(surfaces_on_gpu(stack, {5, 5, 0.25}, 60000, false) == one_by_one);
    CHECK(surfaces_on_gpu(stack, {5, 5, 0.25}, 60000, true) == one_by_one);
    CHECK(surfaces_on_gpu(stack, {5, 5, 0.25}, 1 << 24, true) == one_by_one);
}

TEST(cuda_ncc_reads_any_stride) {
    const auto stack = stack_of<float>(1, {20, 26}, 4);
    Floats turned(stack.pixels.size());
    for (std::size_t r = 0; r < 20; ++r) {
        for (std::size_t c = 0; c < 26; ++c) {
            turned[(25 - c) * 20 + r] = stack.pixels[r * 26 + c];
        }
    }
    const stemzoo::View<const float> view{turned.data() + 25 * 20, {20, 26}, 1, -20};
    for (const bool on_host : {false, true}) {
        const auto correlator = cuda::make_correlator(
            0, cuda::frames_of(view), on_host,
            cuda::correlator_settings({20, 26}, {4, 3, 0.25}, 1 << 20), nullptr);
        Floats surface(9 * 7);
        correlator->correlate(cuda::frames_of(view), on_host, surface.data(), on_host, nullptr);
        CHECK(surface == surfaces_on_gpu(stack, {4, 3, 0.25}, 1 << 20, false));
    }
}

TEST(cuda_ncc_says_which_frame_is_not_finite) {
    auto stack = stack_of<float>(5, {16, 16}, 5);
    stack.pixels[3 * 256 + 77] = std::numeric_limits<float>::infinity();
    stack.pixels[4 * 256] = NAN;
    CHECK_THROWS(surfaces_on_gpu(stack, {3, 3, 0.25}, 1, false), std::invalid_argument,
                 "moving image 3 has pixels that are NaN");
    stack.pixels[5] = NAN;
    CHECK_THROWS(surfaces_on_gpu(stack, {3, 3, 0.25}, 1, false), std::invalid_argument,
                 "reference has pixels that are NaN");
}

TEST(cuda_ncc_of_constant_frames_is_zero) {
    Stack<float> stack{2, {20, 20}, Floats(800, 3.25f)};
    for (const float value : surfaces_on_gpu(stack, {4, 4, 0.1}, 1 << 20, false)) {
        CHECK(value == 0.0f);
    }
}

TEST(cuda_ncc_keeps_to_the_memory_that_it_says) {
    const auto stack = stack_of<float>(9, {64, 64}, 6);
    const std::size_t before = emulation::usage.now;
    const auto correlator = cuda::make_correlator(
        0, cuda::frames_of(stack.view(0)), false,
        cuda::correlator_settings(stack.shape, {8, 8, 0.25}, 1 << 18), nullptr);
    CHECK(emulation::usage.now - before <= correlator->bytes());
    emulation::usage.peak = emulation::usage.now;
    Floats surfaces(9 * 17 * 17);
    for (const bool on_host : {false, true}) {
        correlator->correlate(stack.frames(), on_host, surfaces.data(), on_host, nullptr);
        CHECK(emulation::usage.peak - before <= correlator->bytes());
    }
}

// docs/gpu.md says so; the padding is a sixth here, and cuFFT's own memory is not emulated.
TEST(cuda_ncc_of_a_large_frame_needs_five_floats_a_pixel) {
    const Shape shape{512, 512};
    const auto stack = stack_of<float>(1, shape, 7);
    const std::size_t before = emulation::usage.now;
    emulation::usage.peak = before;
    const auto correlator =
        cuda::make_correlator(0, cuda::frames_of(stack.view(0)), false,
                              cuda::correlator_settings(shape, {8, 8, 0.25}, 1), nullptr);
    Floats surface(17 * 17);
    correlator->correlate(stack.frames(), false, surface.data(), false, nullptr);
    CHECK_NEAR(surface[17 * 8 + 8], 1, 1e-5);
    CHECK(emulation::usage.peak - before < shape.size() * 5 * sizeof(float) * 7 / 6);
}

TEST(cuda_split_and_blend_do_not_depend_on_the_order_of_threads) {
    using namespace tiling_cases;
    for (const Case& c : cases()) {
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const Floats image = random_pixels(c.image.size());
            const InOrder forward(emulation::Order::forward);
            const Floats batch = split_all(tiling, image), whole = blend_all(tiling, batch);
            for (const emulation::Order order : orders) {
                const InOrder in_order(order);
                CHECK(split_all(tiling, image) == batch);
                CHECK(blend_all(tiling, batch) == whole);
            }
        }
    }
}

TEST(cuda_split_and_blend_are_those_of_the_cpu) {
    using namespace tiling_cases;
    for (const Case& c : cases()) {
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const auto tiles = cuda_backend::tiles(tiling);
            const Floats image = random_pixels(c.image.size());
            const AnyView view = view_of(image, c.image);
            const stemzoo::Limits limits{-0.5, 0.75};
            const std::size_t windows = tiling.windows(), size = c.tile.size();
            Floats expected(windows * size), found(windows * size, kNaN);
            tiling.split(view, 0.25, 3, 0, windows, expected.data(), 1, limits);
            Floats sum(c.image.size(), kNaN), on_gpu(c.image.size(), kNaN);
            const float fill = 0.25f;
            // In two batches, as a large image is.
            const std::size_t middle = windows / 2;
            const auto both = [&](std::size_t first, std::size_t count) {
                tiles->split(cuda::frames_of(view), 0.25, 3, &limits, first, count,
                             found.data() + first * size, nullptr);
                tiling.blend_from(fill, expected.data() + first * size, first, count, 1.0 / 3,
                                  stemzoo::contiguous(sum.data(), c.image), 1);
                tiles->blend(expected.data() + first * size, first, count, 1.0 / 3, &fill,
                             stemzoo::contiguous(on_gpu.data(), c.image), nullptr);
            };
            if (middle > 0) both(0, middle);
            both(middle, windows - middle);
            CHECK(largest_difference(expected, found) < 1e-6);
            CHECK(largest_difference(sum, on_gpu) < 1e-6);
        }
    }
}

TEST(cuda_refuses_sides_beyond_its_arithmetic) {
    const stemzoo::Tiling tiling({1, 2000000000}, {1, 8}, {1, 8}, stemzoo::Weights::crop);
    CHECK_THROWS(cuda_backend::tiles(tiling), std::invalid_argument, "too long for a GPU");
}
