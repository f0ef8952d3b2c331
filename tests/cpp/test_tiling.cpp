// Where windows lie, what they weigh and what is refused.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "check.hpp"
#include "tiling_cases.hpp"

using namespace tiling_cases;

TEST(tiling_windows_cover_the_padded_image) {
    for (const Case& c : cases()) {
        const Tiling tiling(c.image, c.tile, c.step, Weights::flat, c.multiple);
        for (const Axis* axis : {&tiling.rows(), &tiling.cols()}) {
            const std::size_t multiple = axis == &tiling.rows() ? c.multiple.rows : c.multiple.cols;
            CHECK(axis->padded() >= axis->image() && axis->padded() >= axis->tile());
            CHECK(axis->padded() % multiple == 0);
            CHECK(axis->padded() - axis->image() < std::max(axis->tile(), multiple));
            CHECK(axis->start(0) == 0);
            CHECK(axis->start(axis->windows() - 1) + axis->tile() == axis->padded());
            for (std::size_t w = 0; w < axis->windows(); ++w) {
                CHECK(axis->start(w) % multiple == 0);
                if (w + 1 == axis->windows()) continue;
                CHECK(axis->start(w) == w * axis->step());
                CHECK(axis->start(w + 1) > axis->start(w));
                CHECK(axis->start(w + 1) - axis->start(w) <= axis->step());
            }
            for (std::size_t p = 0; p < axis->image(); ++p) {
                std::size_t first = axis->windows(), last = 0;
                for (std::size_t w = 0; w < axis->windows(); ++w) {
                    if (axis->start(w) > p || axis->start(w) + axis->tile() <= p) continue;
                    first = std::min(first, w);
                    last = w;
                }
                CHECK(axis->first_window_over(p) == first);
                CHECK(axis->last_window_over(p) == last);
            }
        }
    }
}

TEST(tiling_floating_window_of_the_paper) {
    const Tiling tiling({512, 512}, {28, 28}, {2, 2}, Weights::flat);
    CHECK(tiling.windows() == 59049);
}

// The weight of every pixel of every window, read off by blending windows that hold a single one.
TEST(tiling_weights_sum_to_one) {
    for (const Case& c : cases()) {
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const Floats ones(tiling.windows() * tiling.tile().size(), 1.0f);
            const Floats sum = blend_all(tiling, ones);
            const double tolerance = rounding(c);
            CHECK_NEAR(largest_difference(sum, Floats(sum.size(), 1.0f)), 0, tolerance);
        }
    }
}

TEST(tiling_weights_are_positive_inside_windows) {
    for (const Case& c : cases()) {
        for (const Weights weights : {Weights::flat, Weights::triangular, Weights::hann}) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            for (std::size_t k = 0; k < tiling.windows(); k += 1 + tiling.windows() / 5) {
                const Floats ones(tiling.tile().size(), 1.0f);
                Floats out(c.image.size(), 0.0f);
                tiling.blend(ones.data(), k, 1, 1, contiguous(out.data(), c.image), 1);
                const std::size_t top = tiling.rows().start(k / tiling.cols().windows());
                const std::size_t left = tiling.cols().start(k % tiling.cols().windows());
                for (std::size_t y = 0; y < c.image.rows; ++y) {
                    for (std::size_t x = 0; x < c.image.cols; ++x) {
                        const bool inside = y >= top && y < top + c.tile.rows && x >= left &&
                                            x < left + c.tile.cols;
                        CHECK((out[y * c.image.cols + x] > 0) == inside);
                    }
                }
            }
        }
    }
}

TEST(tiling_for_a_model) {
    const Tiling small = Tiling::for_model({500, 90}, 16, 20, 512);
    CHECK(small.windows() == 1);
    CHECK((small.tile() == Shape{512, 96}));

    const Tiling large = Tiling::for_model({2000, 513}, 16, 20, 520);
    CHECK((large.tile() == Shape{512, 512}));
    CHECK((large.step() == Shape{464, 464}));
    CHECK(large.rows().padded() == 2000);
    CHECK(large.cols().padded() == 528);
    for (std::size_t w = 0; w + 1 < large.rows().windows(); ++w) {
        const std::size_t cut = large.rows().start(w) + large.rows().span(w).end;
        CHECK(large.rows().start(w) + 512 - cut >= 20);
        CHECK(cut - large.rows().start(w + 1) >= 20);
    }
}

TEST(tiling_refuses_what_cannot_be) {
    const auto make = [](Shape image, Shape tile, Shape step, Shape multiple) {
        return Tiling(image, tile, step, Weights::flat, multiple);
    };
    using Bad = std::invalid_argument;
    CHECK_THROWS(make({0, 5}, {2, 2}, {1, 1}, {1, 1}), Bad, "image has 0 rows");
    CHECK_THROWS(make({5, 5}, {2, 0}, {1, 1}, {1, 1}), Bad, "tile has 0 columns");
    CHECK_THROWS(make({5, 5}, {2, 2}, {3, 1}, {1, 1}), Bad, "expected 1 to 2");
    CHECK_THROWS(make({5, 5}, {2, 2}, {0, 1}, {1, 1}), Bad, "step is 0 rows");
    CHECK_THROWS(make({5, 5}, {6, 6}, {4, 4}, {4, 1}), Bad, "tile has 6 rows; expected a multiple");
    CHECK_THROWS(make({5, 5}, {8, 8}, {6, 4}, {4, 1}), Bad, "step has 6 rows; expected a multiple");
    CHECK_THROWS(make({5, 5}, {8, 8}, {4, 4}, {4, 0}), Bad, "multiple has 0 columns");
    CHECK_THROWS(make({5, std::size_t{1} << 40}, {8, 8}, {4, 4}, {1, 1}), Bad, "expected 1 to");
    CHECK_THROWS(weights_from_name("cosine"), Bad, "unknown weights 'cosine'");
    CHECK_THROWS(Tiling::for_model({99, 99}, 16, 30, 64), Bad, "use at least 80");
    CHECK_THROWS(Tiling::for_model({99, 99}, 0, 30, 64), Bad, "multiple is 0");
    CHECK_THROWS(Tiling::for_model({99, 99}, 1, ~std::size_t{0}, 64), Bad, "halo is");

    const Tiling tiling({10, 10}, {4, 4}, {3, 3}, Weights::flat);
    Floats image(100, 0.0f), batch(tiling.windows() * 16), small(90);
    const AnyView view = view_of(image, {10, 10});
    const auto split = [&](const AnyView& in, double offset, std::size_t first, std::size_t count) {
        tiling.split(in, offset, 1, first, count, batch.data(), 1);
        return 0;
    };
    CHECK_THROWS(split(view, 0, 0, 10), Bad, "this tiling has 9");
    CHECK_THROWS(split(view, 0, 10, 0), Bad, "this tiling has 9");
    CHECK_THROWS(split(view, 0, 2, ~std::size_t{0}), Bad, "this tiling has 9");
    CHECK_THROWS(split(view, std::nan(""), 0, 1), Bad, "must be finite");
    CHECK_THROWS(split(view_of(small, {9, 10}), 0, 0, 1), Bad, "was made for 10 x 10");
    const auto blend = [&](Shape shape, std::size_t count, double gain) {
        tiling.blend(batch.data(), 0, count, gain, contiguous(small.data(), shape), 1);
        return 0;
    };
    CHECK_THROWS(blend({9, 10}, 1, 1), Bad, "out is 9 x 10");
    CHECK_THROWS(blend({10, 10}, 10, 1), Bad, "this tiling has 9");
    CHECK_THROWS(blend({10, 10}, 1, std::nan("")), Bad, "must be finite");
    CHECK(split(view, 0, 9, 0) == 0);
}
