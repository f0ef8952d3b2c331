// Maxima and how far they rise, against a direct search.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "ncc_reference.hpp"
#include "trust/prominence.hpp"

using stemzoo::Shape;
using stemzoo::trust::maxima;
using stemzoo::trust::Maximum;

namespace {

// The highest level at which `place` is connected to a higher pixel, by flooding from every level.
float saddle(const std::vector<float>& image, Shape shape, std::size_t place) {
    std::vector<float> levels = image;
    std::sort(levels.begin(), levels.end(), std::greater<>());
    for (const float level : levels) {
        if (level > image[place]) continue;
        std::vector<bool> wet(image.size(), false);
        std::vector<std::size_t> open{place};
        wet[place] = true;
        while (!open.empty()) {
            const std::size_t pixel = open.back();
            open.pop_back();
            if (image[pixel] > image[place]) return level;
            const std::size_t y = pixel / shape.cols, x = pixel % shape.cols;
            for (std::size_t v = y > 0 ? y - 1 : 0; v <= std::min(y + 1, shape.rows - 1); ++v) {
                for (std::size_t u = x > 0 ? x - 1 : 0; u <= std::min(x + 1, shape.cols - 1); ++u) {
                    const std::size_t next = v * shape.cols + u;
                    if (wet[next] || image[next] < level) continue;
                    wet[next] = true;
                    open.push_back(next);
                }
            }
        }
    }
    return levels.back();
}

}  // namespace

TEST(maxima_rise_over_the_saddle_that_a_flood_finds) {
    const Shape shape{13, 17};
    const auto noise = reference::noise<float>(shape, 4);
    const std::vector<float> image(noise.pixels.begin(), noise.pixels.end());
    const std::vector<Maximum> found = maxima(image.data(), shape, 0.0f);
    CHECK(found.size() > 5);
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i].saddle == saddle(image, shape, found[i].place));
        if (i > 0) CHECK(image[found[i].place] <= image[found[i - 1].place]);
    }
}

TEST(low_maxima_are_left_out) {
    const Shape shape{1, 7};
    const float image[] = {0, 3, 2, 2.5f, 1, 9, -4};
    const std::vector<Maximum> all = maxima(image, shape, 0.1f);
    CHECK(all.size() == 3);
    CHECK(all[0].place == 5 && all[0].saddle == -4);
    CHECK(all[1].place == 1 && all[1].saddle == 1);
    CHECK(all[2].place == 3 && all[2].saddle == 2);
    CHECK(maxima(image, shape, 1.0f).size() == 2);
}

TEST(a_flat_image_has_one_maximum) {
    const std::vector<float> image(30, 2.0f);
    CHECK(maxima(image.data(), Shape{5, 6}, 0.0f).size() == 1);
    CHECK(maxima(image.data(), Shape{0, 6}, 0.0f).empty());
}
