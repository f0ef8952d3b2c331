// What split and blend do to pixels, against plain references written the long way round.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "tiling_cases.hpp"

using namespace tiling_cases;

namespace {

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
