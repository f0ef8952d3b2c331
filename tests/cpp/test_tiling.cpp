// The laws of tiling, against plain references written the long way round.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "tiling/tiling.hpp"

using namespace stemzoo;

namespace {

using Floats = std::vector<float>;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr Weights kAllWeights[] = {Weights::flat, Weights::triangular, Weights::hann,
                                   Weights::crop};

Floats random_pixels(std::size_t count) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    Floats pixels(count);
    for (float& pixel : pixels) pixel = uniform(random);
    return pixels;
}

AnyView view_of(const Floats& pixels, Shape shape) { return contiguous(pixels.data(), shape); }

// Steps back and forth between the edges, the way one would explain it.
std::size_t reflected(std::size_t position, std::size_t side) {
    std::size_t at = 0;
    bool forward = true;
    for (std::size_t i = 0; i < position && side > 1; ++i) {
        if (at == side - 1) forward = false;
        if (at == 0) forward = true;
        at = forward ? at + 1 : at - 1;
    }
    return at;
}

Floats split_all(const Tiling& tiling, const Floats& image, unsigned threads = 1) {
    Floats batch(tiling.windows() * tiling.tile().size(), kNaN);
    tiling.split(view_of(image, tiling.image()), 0, 1, 0, tiling.windows(), batch.data(), threads);
    return batch;
}

Floats blend_all(const Tiling& tiling, const Floats& batch, double gain = 1, float fill = 0,
                 unsigned threads = 1) {
    Floats out(tiling.image().size(), fill);
    tiling.blend(batch.data(), 0, tiling.windows(), gain, contiguous(out.data(), tiling.image()),
                 threads);
    return out;
}

double largest_difference(const Floats& a, const Floats& b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!(difference <= largest)) largest = difference;  // keeps NaN
    }
    return largest;
}

struct Case {
    Shape image, tile, step, multiple;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {{1, 1}, {1, 1}, {1, 1}, {1, 1}},         {{1, 1}, {8, 5}, {3, 5}, {1, 1}},
        {{1, 40}, {4, 9}, {2, 4}, {1, 1}},        {{3, 2}, {16, 16}, {8, 8}, {4, 8}},
        {{31, 37}, {7, 5}, {3, 2}, {1, 1}},       {{31, 37}, {7, 5}, {7, 5}, {1, 1}},
        {{31, 37}, {7, 5}, {1, 1}, {1, 1}},       {{64, 64}, {16, 16}, {8, 8}, {1, 1}},
        {{61, 67}, {16, 24}, {12, 16}, {4, 8}},   {{97, 101}, {97, 101}, {50, 101}, {1, 1}},
        {{97, 101}, {96, 100}, {95, 3}, {1, 1}},  {{60, 50}, {28, 28}, {2, 3}, {1, 1}},
        {{65, 33}, {32, 32}, {32, 32}, {32, 32}}, {{100, 9}, {33, 4}, {17, 3}, {1, 1}},
    };
    return all;
}

// Of numbers up to one: a few roundings of the weights, and half a unit in the last place for each
// window added to a pixel. Flat weights come close to it, as all their roundings go the same way.
double rounding(const Case& c) {
    const std::size_t rows = std::min(c.tile.rows, c.image.rows) / c.step.rows + 2;
    const std::size_t cols = std::min(c.tile.cols, c.image.cols) / c.step.cols + 2;
    return 4e-7 + 3e-8 * static_cast<double>(rows * cols);
}

// A 5 x 5 network of one layer, zeros around its input: every output pixel sees a halo of two.
Floats convolve(const float* in, Shape shape) {
    Floats out(shape.size());
    const auto rows = static_cast<std::ptrdiff_t>(shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(shape.cols);
    for (std::ptrdiff_t y = 0; y < rows; ++y) {
        for (std::ptrdiff_t x = 0; x < cols; ++x) {
            double sum = 0;
            for (std::ptrdiff_t dy = -2; dy <= 2; ++dy) {
                for (std::ptrdiff_t dx = -2; dx <= 2; ++dx) {
                    if (y + dy < 0 || y + dy >= rows || x + dx < 0 || x + dx >= cols) continue;
                    const double weight = 1.0 / static_cast<double>(7 + 3 * dy - 2 * dx * dx);
                    sum += weight * static_cast<double>(in[(y + dy) * cols + x + dx]);
                }
            }
            out[static_cast<std::size_t>(y * cols + x)] = static_cast<float>(sum);
        }
    }
    return out;
}

}  // namespace

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

TEST(tiling_split_shows_the_reflected_image) {
    for (const Case& c : cases()) {
        const Tiling tiling(c.image, c.tile, c.step, Weights::hann, c.multiple);
        const Floats image = random_pixels(c.image.size());
        const Floats batch = split_all(tiling, image);
        std::size_t wrong = 0, k = 0;
        for (std::size_t wr = 0; wr < tiling.rows().windows(); ++wr) {
            for (std::size_t wc = 0; wc < tiling.cols().windows(); ++wc) {
                for (std::size_t y = 0; y < c.tile.rows; ++y) {
                    const std::size_t row = reflected(tiling.rows().start(wr) + y, c.image.rows);
                    for (std::size_t x = 0; x < c.tile.cols; ++x, ++k) {
                        const std::size_t col =
                            reflected(tiling.cols().start(wc) + x, c.image.cols);
                        wrong += batch[k] != image[row * c.image.cols + col];
                    }
                }
            }
        }
        CHECK(wrong == 0);
        CHECK(k == batch.size());
    }
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

TEST(tiling_split_then_blend_is_the_identity) {
    for (const Case& c : cases()) {
        const Floats image = random_pixels(c.image.size());
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const Floats back = blend_all(tiling, split_all(tiling, image));
            CHECK_NEAR(largest_difference(back, image), 0,
                       weights == Weights::crop ? 0 : rounding(c));
        }
    }
}

TEST(tiling_normalise_and_undo_in_the_same_passes) {
    const Shape shape{61, 67};
    const double mean = 2e9, std = 3.5;
    std::vector<std::uint32_t> counts(shape.size());
    const Floats noise = random_pixels(shape.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] =
            static_cast<std::uint32_t>(2e9 + std::round(10 * static_cast<double>(noise[i])));
    }
    const Tiling tiling(shape, {16, 24}, {12, 16}, Weights::hann);
    Floats batch(tiling.windows() * tiling.tile().size());
    tiling.split(contiguous<const std::uint32_t>(counts.data(), shape), mean, 1 / std, 0,
                 tiling.windows(), batch.data(), 1);
    const Floats contrast = blend_all(tiling, batch, std);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        CHECK_NEAR(contrast[i], static_cast<double>(counts[i]) - mean, 1e-5);
    }
}

// float32 and small integers take a float32 path, which must be as good as float64.
TEST(tiling_split_rounds_once_or_twice) {
    const Shape shape{40, 50};
    const Tiling tiling(shape, shape, shape, Weights::crop);
    Floats image = random_pixels(shape.size());
    for (const double offset : {0.0, 0.1, -3.7, 1e6 + 0.3, 1.23456789e9, 1e29, 1e31}) {
        for (const double scale : {1.0, 1 / 3.0, 1e-30, 1e6, 1e-42}) {
            Floats shifted(image);
            for (float& x : shifted) x = static_cast<float>(static_cast<double>(x) + offset);
            Floats batch(image.size());
            tiling.split(view_of(shifted, shape), offset, scale, 0, 1, batch.data(), 1);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const double expected = (static_cast<double>(shifted[i]) - offset) * scale;
                CHECK_NEAR(batch[i], expected, 2.5e-7 * std::abs(expected) + 2e-45);
            }
        }
    }
}

TEST(tiling_crop_equals_the_network_on_the_whole_image) {
    for (const Shape shape : {Shape{100, 133}, Shape{20, 200}, Shape{64, 64}, Shape{5, 3}}) {
        const Tiling tiling = Tiling::for_model(shape, 4, 2, 32);
        const Shape padded{tiling.rows().padded(), tiling.cols().padded()};
        const Floats image = random_pixels(shape.size());

        Floats whole(padded.size());
        Tiling(shape, padded, padded, Weights::crop)
            .split(view_of(image, shape), 0, 1, 0, 1, whole.data(), 1);
        const Floats expected = convolve(whole.data(), padded);

        Floats batch = split_all(tiling, image);
        for (std::size_t k = 0; k < tiling.windows(); ++k) {
            float* window = batch.data() + k * tiling.tile().size();
            const Floats answer = convolve(window, tiling.tile());
            std::copy(answer.begin(), answer.end(), window);
        }
        const Floats blended = blend_all(tiling, batch);
        for (std::size_t y = 0; y < shape.rows; ++y) {
            for (std::size_t x = 0; x < shape.cols; ++x) {
                CHECK(blended[y * shape.cols + x] == expected[y * padded.cols + x]);
            }
        }
    }
}

TEST(tiling_crop_never_reads_what_it_cuts_away) {
    const Tiling tiling({60, 60}, {20, 20}, {10, 10}, Weights::crop);
    Floats batch(tiling.windows() * 400, 1.0f);
    // Interior windows keep [5, 15) of both axes.
    const std::size_t middle = 2 * tiling.cols().windows() + 2;
    for (std::size_t y = 0; y < 20; ++y) {
        for (std::size_t x = 0; x < 20; ++x) {
            const bool kept = y >= 5 && y < 15 && x >= 5 && x < 15;
            if (!kept) batch[middle * 400 + y * 20 + x] = kNaN;
        }
    }
    CHECK(blend_all(tiling, batch) == Floats(3600, 1.0f));
}

TEST(tiling_chunks_and_threads_change_no_bit) {
    for (const Case& c : cases()) {
        for (const Weights weights : kAllWeights) {
            const Tiling tiling(c.image, c.tile, c.step, weights, c.multiple);
            const Floats image = random_pixels(c.image.size());
            const Floats batch = split_all(tiling, image, 1);
            CHECK(split_all(tiling, image, 4) == batch);
            const Floats whole = blend_all(tiling, batch, 1.7, 0.3f);
            CHECK(blend_all(tiling, batch, 1.7, 0.3f, 4) == whole);

            const std::size_t tile = tiling.tile().size();
            for (const std::size_t chunk : {std::size_t{1}, std::size_t{5}, tiling.windows()}) {
                Floats added(c.image.size(), 0.3f), fresh(c.image.size(), kNaN), part(chunk * tile);
                for (std::size_t first = 0; first < tiling.windows(); first += chunk) {
                    const std::size_t count = std::min(chunk, tiling.windows() - first);
                    tiling.split(view_of(image, c.image), 0, 1, first, count, part.data(), 2);
                    tiling.blend(part.data(), first, count, 1.7, contiguous(added.data(), c.image),
                                 2);
                    tiling.blend_from(0.3f, part.data(), first, count, 1.7,
                                      contiguous(fresh.data(), c.image), 2);
                }
                CHECK(added == whole);
                CHECK(fresh == whole);
            }
        }
    }
}

TEST(tiling_large_images_use_threads_and_agree) {
    const Shape shape{700, 900};
    const Floats image = random_pixels(shape.size());
    const Tiling tiling(shape, {256, 256}, {100, 224}, Weights::hann);
    const Floats batch = split_all(tiling, image, 1);
    CHECK(split_all(tiling, image, 4) == batch);
    CHECK(blend_all(tiling, batch, 1, 0, 4) == blend_all(tiling, batch, 1, 0, 1));
}

TEST(tiling_reads_and_writes_any_strides) {
    const Shape shape{45, 83};
    const Tiling tiling(shape, {20, 32}, {13, 30}, Weights::triangular);
    const Floats image = random_pixels(shape.size());
    const Floats expected = split_all(tiling, image);

    Floats columns(shape.size()), reversed(shape.size());
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            columns[x * shape.rows + y] = image[y * shape.cols + x];
            reversed[shape.size() - 1 - (y * shape.cols + x)] = image[y * shape.cols + x];
        }
    }
    const View<const float> by_columns{columns.data(), shape, 1,
                                       static_cast<std::ptrdiff_t>(shape.rows)};
    const View<const float> backwards{reversed.data() + shape.size() - 1, shape,
                                      -static_cast<std::ptrdiff_t>(shape.cols), -1};
    for (const auto& view : {by_columns, backwards}) {
        Floats batch(expected.size());
        tiling.split(view, 0, 1, 0, tiling.windows(), batch.data(), 2);
        CHECK(batch == expected);
    }

    const Floats blended = blend_all(tiling, expected);
    Floats out(shape.size(), 0.0f);
    tiling.blend(expected.data(), 0, tiling.windows(), 1,
                 View<float>{out.data(), shape, 1, static_cast<std::ptrdiff_t>(shape.rows)}, 2);
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            CHECK(out[x * shape.rows + y] == blended[y * shape.cols + x]);
        }
    }
}

TEST(tiling_not_a_number_stays_where_it_is) {
    const Shape shape{30, 30};
    Floats image = random_pixels(shape.size());
    image[15 * 30 + 15] = kNaN;
    const Tiling tiling(shape, {12, 12}, {8, 8}, Weights::hann);
    const Floats back = blend_all(tiling, split_all(tiling, image));
    CHECK(std::count_if(back.begin(), back.end(), [](float x) { return std::isnan(x); }) == 1);
    CHECK(std::isnan(back[15 * 30 + 15]));
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
