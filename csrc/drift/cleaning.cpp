#include "drift/cleaning.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "drift/coarse_approach.hpp"
#include "drift/fill.hpp"
#include "drift/hot.hpp"
#include "drift/stripes.hpp"
#include "drift/survey.hpp"
#include "tiling/strided.hpp"

namespace stemzoo::drift {
namespace {

constexpr int hot_rounds = 3;       // beside a very hot pixel no other is found
constexpr double smallest = 1e-12;  // the least magnitude that float32 can square and sum
constexpr double largest = 1e12;    // and the greatest

// Integers of at most 16 bits and float32 are exact in float32.
template <typename T>
using Exact = std::conditional_t<sizeof(T) <= 2 || std::is_same_v<T, float>, float, double>;

// The mean of the pixels that are not missing.
template <typename T>
double mean_of(const View<const T>& image, double sum, const Flags& missing) {
    const auto missed =
        std::count_if(missing.begin(), missing.end(), [](auto f) { return f != 0; });
    const double count = static_cast<double>(image.shape.size()) - static_cast<double>(missed);
    if (missing.empty() && std::isfinite(sum)) return sum / count;
    const auto total = [&](double share) {
        double found = 0;
        std::size_t i = 0;
        for (std::size_t r = 0; r < image.shape.rows; ++r) {
            for (std::size_t c = 0; c < image.shape.cols; ++c) {
                if (!missing.empty() && missing[i++] != 0) continue;
                found += static_cast<double>(image.at(r, c)) * share;
            }
        }
        return found;
    };
    const double plain = total(1);
    return std::isfinite(plain) ? plain / count : total(1 / count);  // huge pixels overflow a sum
}

template <typename T>
void subtract_mean(const View<const T>& image, double mean, float* out) {
    const auto offset = static_cast<Exact<T>>(mean);
    const auto centred = [offset](T pixel) {
        return static_cast<float>(static_cast<Exact<T>>(pixel) - offset);
    };
    read_rows(image, centred, out, image.shape.cols);
}

void clear(const Flags& missing, float* pixels) {
    for (std::size_t i = 0; i < missing.size(); ++i) {
        if (missing[i] != 0) pixels[i] = 0;
    }
}

// Divides by the greatest magnitude; whether there is one.
template <typename T>
bool scale(const View<const T>& image, double mean, const Flags& missing, float* out) {
    const auto offset = static_cast<Exact<T>>(mean);
    // So that the difference of two huge pixels does not overflow.
    const auto part = static_cast<Exact<T>>(std::abs(mean) > 1 ? 0.5 : 1.0);
    const std::size_t cols = image.shape.cols;
    const auto each = [&](auto f) {
        for (std::size_t i = 0; i < image.shape.size(); ++i) {
            if (!missing.empty() && missing[i] != 0) continue;
            const auto pixel = static_cast<Exact<T>>(image.at(i / cols, i % cols));
            f(out[i], part * pixel - part * offset);
        }
    };
    Exact<T> greatest = 0;
    each([&](float, Exact<T> value) { greatest = std::max(greatest, std::abs(value)); });
    if (!(greatest > 0)) return false;
    each([&](float& pixel, Exact<T> value) { pixel = static_cast<float>(value / greatest); });
    return true;
}

bool any(const std::vector<std::int32_t>& flags) {
    return std::find(flags.begin(), flags.end(), 1) != flags.end();
}

bool all(const std::vector<std::int32_t>& flags) {
    return std::find(flags.begin(), flags.end(), 0) == flags.end();
}

// Marks rows and columns of one value, in a frame that is not of one value throughout.
void mark_dead_lines(const Survey& survey, Flags& invalid) {
    const auto &rows = survey.same_rows, &columns = survey.same_columns;
    if (!(any(rows) || any(columns)) || all(rows) || all(columns)) return;
    const std::size_t cols = columns.size();
    invalid.resize(rows.size() * cols);
    const Flags across(columns.begin(), columns.end());
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::uint8_t* const line = invalid.data() + r * cols;
        if (rows[r] != 0) {
            std::fill_n(line, cols, std::uint8_t{1});
        } else {
            for (std::size_t c = 0; c < cols; ++c) line[c] |= across[c];
        }
    }
}

}  // namespace

void CleanFrame::measure(const Survey& survey) {
    statistics = {survey.mean, survey.mean_square, survey.lowest, survey.highest};
}

CleanFrame CleanFrame::copy() const {
    CleanFrame other{shape, Scratch<float>(shape.size()), invalid, missing, statistics};
    std::copy_n(pixels.data(), shape.size(), other.pixels.data());
    return other;
}

bool shows_something(const CleanFrame& frame) {
    if (std::min(frame.shape.rows, frame.shape.cols) < least_side) return false;
    return frame.statistics.lowest != 0 || frame.statistics.highest != 0;
}

CleanFrame clean(const AnyView& image, const MaskView* masked, const std::string& name) {
    const double sum = pixel_sum(image);
    CleanFrame frame{shape_of(image), {}, {}, missing_pixels(image, masked, sum, name), {}};
    frame.pixels = Scratch<float>(frame.shape.size());
    float* const pixels = frame.pixels.data();
    const View<float> area = contiguous(pixels, frame.shape);
    const double mean =
        std::visit([&](const auto& view) { return mean_of(view, sum, frame.missing); }, image);
    std::visit([&](const auto& view) { subtract_mean(view, mean, pixels); }, image);
    clear(frame.missing, pixels);
    Survey survey(frame.view());
    const auto magnitude = static_cast<double>(std::max(survey.highest, -survey.lowest));
    if (!(magnitude > smallest && magnitude < largest)) {
        const bool scaled = std::visit(
            [&](const auto& view) { return scale(view, mean, frame.missing, pixels); }, image);
        if (scaled) survey = Survey(frame.view());
    }
    frame.invalid = frame.missing;
    mark_dead_lines(survey, frame.invalid);
    if (!frame.invalid.empty()) {
        fill(area, frame.invalid);
        survey = Survey(frame.view());
    }
    for (int round = 0; round < hot_rounds && cool(area, survey); ++round) {
        fill(area, frame.invalid);  // what was hot was in the mean
        survey = Survey(frame.view());
    }
    if (subtract_stripes(area, survey)) survey = Survey(frame.view());
    frame.measure(survey);
    return frame;
}

}  // namespace stemzoo::drift
