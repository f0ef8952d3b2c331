// Every kernel once, on images so small that compute-sanitizer is done in seconds.
#include "check.hpp"
#include "cuda/run_masked.hpp"
#include "device.hpp"
#include "drifts.hpp"
#include "ncc_reference.hpp"
#include "tiling_cases.hpp"

namespace {

using gpu::Copy;
using stemzoo::AnyView;
using stemzoo::Shape;
using Floats = std::vector<float>;

constexpr Shape shape{48, 40};
constexpr std::size_t count = 3;
const stemzoo::ncc::Settings settings{9, 7, 0.2};
constexpr std::size_t lags = 19 * 15;

AnyView view(const Floats& frames, std::size_t i) {
    return AnyView(stemzoo::contiguous<const float>(frames.data() + i * shape.size(), shape));
}

// One half of each frame is vacuum, of which transforms resolve nothing.
Floats frames() {
    Floats pixels = drift_cases::series(shape, drift_cases::Scene::particles, count);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        if (i % shape.cols < 12) pixels[i] = 5;
    }
    return pixels;
}

}  // namespace

TEST(gpu_small_ncc) {
    const Floats pixels = frames();
    const stemzoo::ncc::Reference reference(view(pixels, 0), settings);
    Floats expected(count * lags);
    for (std::size_t i = 0; i < count; ++i) {
        reference.correlate(view(pixels, i), nullptr, expected.data() + i * lags);
    }
    const Copy<float> there(pixels), surfaces(count * lags);
    const auto correlator = gpu::correlator(gpu::frames(there.data(), 1, shape), false, settings);
    const auto all = gpu::frames(there.data(), count, shape);
    for (int time = 0; time < 3; ++time) {  // as it is, captured, and from what was captured
        correlator->correlate(all, false, surfaces.data(), false, nullptr);
        CHECK(tiling_cases::largest_difference(surfaces.values(), expected) < 1e-5);
    }
    // From and to the host, frame by frame, in pinned memory of two.
    const auto staged = gpu::correlator(gpu::frames(pixels.data(), 1, shape), true, settings, 1);
    Floats found(count * lags);
    staged->correlate(gpu::frames(pixels.data(), count, shape), true, found.data(), true, nullptr);
    CHECK(tiling_cases::largest_difference(found, expected) < 1e-5);
}

TEST(gpu_small_masked_ncc) {
    const Floats pixels = frames();
    std::vector<std::uint8_t> valid(count * shape.size());
    for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = i * 7 % 11 > 2 ? 1 : 0;
    std::vector<AnyView> views;
    std::vector<stemzoo::ncc::Mask> masks;
    for (std::size_t i = 0; i < count; ++i) {
        views.push_back(view(pixels, i));
        masks.push_back(
            stemzoo::contiguous<const std::uint8_t>(valid.data() + i * shape.size(), shape));
    }
    Floats expected(count * lags), found(count * lags);
    const stemzoo::ncc::Reference reference(views[0], settings, &masks[0]);
    reference.correlate(views, masks, expected.data());
    const stemzoo::cuda::OnDevice on{gpu::module(), gpu::device, nullptr};
    const stemzoo::cuda::MaskedRun run(on, views[0], &masks[0], settings, 1 << 22, 1);
    run.correlate(views, masks, found.data(), nullptr);
    CHECK(tiling_cases::largest_difference(found, expected) < 1e-5);
}

TEST(gpu_small_tiles) {
    const stemzoo::Tiling tiling(shape, {16, 16}, {12, 12}, stemzoo::Weights::hann);
    const auto tiles = gpu::tiles(tiling);
    const Floats image = tiling_cases::random_pixels(shape.size());
    const Copy<float> there(image), batch(tiling.windows() * 256), out(shape.size());
    const float fill = 0;
    tiles->split(gpu::frames(there.data(), 1, shape), 0, 1, nullptr, 0, tiling.windows(),
                 batch.data(), nullptr);
    tiles->blend(batch.data(), 0, tiling.windows(), 1, &fill,
                 stemzoo::contiguous(out.data(), shape), nullptr);
    CHECK(tiling_cases::largest_difference(out.values(), image) < 1e-5);
    CHECK(gpu::module().moments(gpu::device, gpu::frames(there.data(), 1, shape), nullptr).finite);
}

TEST(gpu_small_drift) {
    const Shape frame{64, 72};
    const gpu::Drifts drifts(frame, drift_cases::series(frame, drift_cases::Scene::lattice, count),
                             1 << 22);
    const auto expected = drifts.on_cpu(count, 1);
    const auto found = drifts.on_gpu(gpu::frames(drifts.pixels().data(), count, frame), true);
    for (std::size_t i = 0; i < count; ++i) {
        CHECK_NEAR(found[i].shift[0], expected[i].shift[0], 1e-3);
        CHECK_NEAR(found[i].shift[1], expected[i].shift[1], 1e-3);
    }
}
