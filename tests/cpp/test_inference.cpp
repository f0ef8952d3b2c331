// The loop around a network, with networks that are plain functions.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "inference/plan_tiles.hpp"
#include "inference/run_network.hpp"
#include "tiling_cases.hpp"

using namespace tiling_cases;
using namespace stemzoo::inference;

namespace {

const float* same(const Batch& batch) { return batch.pixels.get(); }

Floats ramp(Shape shape, float first = 3, float step = 0.25F) {
    Floats pixels(shape.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = first + step * static_cast<float>(i % 41);
    }
    return pixels;
}

Floats run(const Floats& image, const Tiling& tiling, const Network& network,
           const Options& options = {}) {
    Floats out(image.size(), kNaN);
    run_network(view_of(image, tiling.image()), tiling, network,
                contiguous(out.data(), tiling.image()), options);
    return out;
}

// The mean of each pixel and its neighbours within two pixels, which is a halo of two.
class Blur {
  public:
    const float* operator()(const Batch& batch) {
        const Shape tile = batch.tile;
        out_.assign(batch.count * tile.size(), 0.0F);
        for (std::size_t k = 0; k < batch.count; ++k) {
            blur(batch.pixels.get() + k * tile.size(), tile, out_.data() + k * tile.size());
        }
        return out_.data();
    }

  private:
    static void blur(const float* in, Shape tile, float* out) {
        for (std::size_t row = 0; row < tile.rows; ++row) {
            for (std::size_t col = 0; col < tile.cols; ++col) {
                for (std::size_t y = row < 2 ? 0 : row - 2; y < std::min(tile.rows, row + 3); ++y) {
                    const float* line = in + y * tile.cols;
                    const float* from = line + (col < 2 ? 0 : col - 2);
                    out[row * tile.cols + col] +=
                        std::accumulate(from, line + std::min(tile.cols, col + 3), 0.0F) / 25;
                }
            }
        }
    }

    Floats out_;
};

}  // namespace

TEST(inference_of_a_network_that_changes_nothing_gives_the_image) {
    for (const Case& c : cases()) {
        if (c.image.size() == 1) continue;
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const Floats image = ramp(c.image);
            CHECK(largest_difference(run(image, tiling, same), image) < 40 * rounding(c));
        }
    }
}

TEST(inference_shows_the_network_a_mean_of_zero_and_a_deviation_of_one) {
    const Shape shape{40, 41};
    double sum = 0, squares = 0;
    const Network network = [&](const Batch& batch) {
        for (std::size_t i = 0; i < shape.size(); ++i) {
            const double pixel = batch.pixels.get()[i];
            sum += pixel;
            squares += pixel * pixel;
        }
        return batch.pixels.get();
    };
    run(ramp(shape, 1e6F), plan_tiles(shape, {}), network);
    CHECK_NEAR(sum / static_cast<double>(shape.size()), 0, 1e-6);
    CHECK_NEAR(squares / static_cast<double>(shape.size()), 1, 1e-6);
}

TEST(inference_in_tiles_is_inference_in_one_piece) {
    const Shape shape{45, 67};
    const Floats image = random_pixels(shape.size());
    const Geometry geometry{4, 2, 0, 0, 0};
    const Floats whole = run(image, plan_tiles(shape, geometry), Blur());
    const Tiling tiles = plan_tiles(shape, geometry, 16);
    CHECK(tiles.windows() > 6);
    CHECK(largest_difference(run(image, tiles, Blur()), whole) < 1e-6);
}

TEST(inference_hands_over_small_tiles_together_and_few_at_a_time) {
    const Shape shape{300, 300};
    const Tiling tiling = plan_tiles(shape, {1, 0, 0, 8, 1});
    std::size_t most = 0, seen = 0, calls = 0, done = 0;
    const Network network = [&](const Batch& batch) {
        most = std::max(most, batch.count * batch.tile.size());
        seen += batch.count;
        ++calls;
        return batch.pixels.get();
    };
    Options options;
    options.progress = [&](std::size_t now, std::size_t total) {
        CHECK(now == seen && total == tiling.windows());
        done = now;
        return true;
    };
    run(ramp(shape), tiling, network, options);
    CHECK(most <= kBatchPixels && calls < 10);
    CHECK(seen == tiling.windows() && done == seen);
}

TEST(inference_takes_a_normalisation_that_is_given) {
    const Shape shape{20, 17};
    const Floats image = ramp(shape);
    float first = 0;
    const Network network = [&](const Batch& batch) {
        first = *batch.pixels;
        return batch.pixels.get();
    };
    Options options;
    options.normalisation = Normalisation{1, 4};
    CHECK(largest_difference(run(image, plan_tiles(shape, {}), network, options), image) < 1e-5);
    CHECK_NEAR(first, 0.5, 1e-6);
}

TEST(inference_never_sees_masked_pixels) {
    const Shape shape{20, 17};
    Floats image = ramp(shape);
    std::vector<std::uint8_t> mask(shape.size(), 0);
    double sum = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
        mask[i] = i % 7 == 3;
        if (mask[i] != 0) image[i] = i % 2 == 0 ? kNaN : 1e30F;
        if (mask[i] == 0) sum += static_cast<double>(image[i]);
    }
    const auto known = static_cast<double>(std::count(mask.begin(), mask.end(), 0));
    Options options;
    options.mask = contiguous<const std::uint8_t>(mask.data(), shape);
    const Floats out = run(image, plan_tiles(shape, {}), same, options);
    for (std::size_t i = 0; i < image.size(); ++i) {
        CHECK_NEAR(out[i], mask[i] != 0 ? sum / known : static_cast<double>(image[i]), 1e-5);
    }
}

TEST(inference_where_everything_is_masked_gives_zeros) {
    const Shape shape{3, 5};
    const std::vector<std::uint8_t> mask(shape.size(), 1);
    Options options;
    options.mask = contiguous<const std::uint8_t>(mask.data(), shape);
    CHECK(run(Floats(15, kNaN), plan_tiles(shape, {}), same, options) == Floats(15, 0.0F));
}

TEST(inference_refuses_a_mask_of_another_shape) {
    const std::vector<std::uint8_t> mask(15, 1);
    Options options;
    options.mask = contiguous<const std::uint8_t>(mask.data(), {5, 3});
    CHECK_THROWS(run(Floats(15), plan_tiles({3, 5}, {}), same, options), std::invalid_argument,
                 "mask is 5 x 3 and image 3 x 5");
}

TEST(inference_refuses_what_it_cannot_normalise) {
    const auto run_on = [](const Floats& image) {
        return run(image, plan_tiles({1, image.size()}, {}), same);
    };
    CHECK_THROWS(run_on({1, kNaN}), std::invalid_argument, "holds NaN or infinity");
    CHECK_THROWS(run_on({1}), std::invalid_argument, "one pixel");
}

TEST(inference_refuses_results_beyond_float32) {
    const std::vector<double> image{0, 1e39};
    Floats out(2);
    const auto run_on = [&](const Network& network) {
        run_network(contiguous<const double>(image.data(), {1, 2}), plan_tiles({1, 2}, {}), network,
                    contiguous(out.data(), {1, 2}));
        return 0;
    };
    CHECK_THROWS(run_on(same), std::invalid_argument, "image reaches 1e+");
}

TEST(inference_is_cancelled_by_progress) {
    const Shape shape{1024, 2048};  // two tiles, each a batch
    std::size_t calls = 0;
    const Network network = [&](const Batch& batch) {
        ++calls;
        return batch.pixels.get();
    };
    Options options;
    options.progress = [](std::size_t, std::size_t) { return false; };
    CHECK_THROWS(run(ramp(shape), plan_tiles(shape, {}), network, options), stemzoo::Cancelled,
                 "cancelled");
    CHECK(calls == 1);
}

TEST(inference_lets_the_errors_of_a_network_through) {
    struct Broken {};
    bool caught = false;
    try {
        run(ramp({9, 9}), plan_tiles({9, 9}, {}),
            [](const Batch&) -> const float* { throw Broken(); });
    } catch (const Broken&) {
        caught = true;
    }
    CHECK(caught);
}

TEST(inference_leaves_a_batch_to_whoever_holds_it) {
    std::shared_ptr<float> held;
    run(Floats(12, 5.0F), plan_tiles({3, 4}, {}), [&](const Batch& batch) {
        held = batch.pixels;
        return batch.pixels.get();
    });
    CHECK(*held == 0.0F);
}

TEST(inference_plans_tiles_by_what_the_network_takes) {
    const Shape image{2048, 1100};
    CHECK((plan_tiles(image, {1, 0, 2048, 0, 0}).tile() == image));
    CHECK((plan_tiles(image, {}).tile() == Shape{1024, 1024}));
    CHECK((plan_tiles({40, 2049}, {1, 0, 2048, 0, 0}).tile() == Shape{40, 2048}));
    CHECK((plan_tiles({40, 700}, {1, 0, 512, 0, 0}).tile() == Shape{40, 512}));
    CHECK((plan_tiles({1500, 70}, {64, 256, 2048, 0, 0}).tile() == Shape{1536, 128}));
    CHECK((plan_tiles({1500, 70}, {64, 256, 0, 0, 0}).step() == Shape{512, 128}));
    const Tiling windows = plan_tiles({20, 30}, {1, 0, 0, 8, 3});
    CHECK((windows.tile() == Shape{8, 8} && windows.step() == Shape{3, 3}));
    CHECK(windows.weights() == Weights::hann && plan_tiles({9, 9}, {}).weights() == Weights::crop);
}
