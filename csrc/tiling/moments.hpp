// Sums over all pixels in float64, in an order that strides and threads do not change.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/array.hpp"
#include "core/parallel.hpp"
#include "core/vector.hpp"
#include "tiling/strided.hpp"

namespace stemzoo {

// Independent sums that a compiler may keep in vector registers without reordering anything.
inline constexpr std::size_t kLanes = 16;
using Lanes = std::array<double, kLanes>;

// Pixels are added panel by panel, each row by row.
inline constexpr Shape kPanel{16, 4096};
inline constexpr std::size_t kBlockPixels = std::size_t{1} << 16;

// Summing differences from one pixel keeps a large offset out of the sum.
struct Offsets {
    double origin;
    Lanes lanes{};

    void add(std::size_t lane, double x) { lanes[lane] += x - origin; }
};

struct Squares {
    double mean;
    Lanes lanes{};

    void add(std::size_t lane, double x) { lanes[lane] += (x - mean) * (x - mean); }
};

// In units of the standard deviation, so that no contrast over- or underflows.
struct FourthPowers {
    double mean, per_deviation;
    Lanes lanes{};

    void add(std::size_t lane, double x) {
        const double z = (x - mean) * per_deviation;
        lanes[lane] += (z * z) * (z * z);
    }
};

template <typename T, typename Sums>
void add_row(const T* in, std::size_t count, Sums& sums) {
    Sums local = sums;
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            local.add(lane, static_cast<double>(in[i + lane]));
        }
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) local.add(lane, static_cast<double>(in[i]));
    sums = local;
}

// Compilers vectorise the way from a byte to a double in two steps, not in one.
template <typename Byte, typename Sums>
void add_bytes(const Byte* in, std::size_t count, Sums& sums) {
    std::array<std::int16_t, 64 * kLanes> wide;
    for (std::size_t from = 0; from < count; from += wide.size()) {
        const std::size_t some = std::min(wide.size(), count - from);
        std::copy_n(in + from, some, wide.data());
        add_row(wide.data(), some, sums);
    }
}

template <typename Sums>
void add_row(const std::uint8_t* in, std::size_t count, Sums& sums) {
    add_bytes(in, count, sums);
}

template <typename Sums>
void add_row(const std::int8_t* in, std::size_t count, Sums& sums) {
    add_bytes(in, count, sums);
}

// The lowest and the highest pixel; NaN is neither. Compilers do not vectorise such comparisons of
// floats by themselves.
template <typename T>
struct Range {
    static constexpr std::size_t kWidth = 16 / sizeof(T), kVectors = 4;
    using Chunk = Vector<T, kWidth>;
    T low, high;

    void add(T x) {
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    void add(const T* in, std::size_t count) {
        Chunk lows[kVectors], highs[kVectors];  // std::array would drop the attribute
        for (std::size_t v = 0; v < kVectors; ++v) {
            lows[v] = Chunk{} + low;
            highs[v] = Chunk{} + high;
        }
        std::size_t i = 0;
        for (; i + kVectors * kWidth <= count; i += kVectors * kWidth) {
            for (std::size_t v = 0; v < kVectors; ++v) {
                Chunk x;
                std::memcpy(&x, in + i + v * kWidth, sizeof x);
                lows[v] = x < lows[v] ? x : lows[v];
                highs[v] = x > highs[v] ? x : highs[v];
            }
        }
        for (; i < count; ++i) add(in[i]);
        for (std::size_t v = 0; v < kVectors; ++v) {
            for (std::size_t lane = 0; lane < kWidth; ++lane) {
                add(lows[v][lane]);
                add(highs[v][lane]);
            }
        }
    }
};

// Both from one reading of the image.
template <typename T>
struct Spread {
    Squares squares;
    Range<T> range;
};

template <typename T, typename Sums>
void add_to(Sums& sums, const T* in, std::size_t count) {
    add_row(in, count, sums);
}

template <typename T>
void add_to(Spread<T>& spread, const T* in, std::size_t count) {
    add_row(in, count, spread.squares);
    spread.range.add(in, count);
}

// Strided pixels are gathered first, so that they are added in the very same order.
template <typename T, typename Sums>
void add_panel(View<const T> panel, std::vector<T>& buffer, Sums& sums) {
    if (panel.col_stride != 1) {
        // A pitch that is a power of two would have all rows compete for the same cache lines.
        constexpr std::size_t pitch = kPanel.cols + 64 / sizeof(T);
        buffer.resize(kPanel.rows * pitch);
        read_rows(panel, [](T x) { return x; }, buffer.data(), pitch);
        panel.data = buffer.data();
        panel.row_stride = static_cast<std::ptrdiff_t>(pitch);
    }
    for (std::size_t row = 0; row < panel.shape.rows; ++row) {
        add_to(sums, panel.row(row), panel.shape.cols);
    }
}

template <typename T, typename Sums>
Sums sum_rows(const View<const T>& image, std::size_t begin, std::size_t end, Sums sums,
              std::vector<T>& buffer) {
    for (std::size_t row = begin; row < end; row += kPanel.rows) {
        for (std::size_t col = 0; col < image.shape.cols; col += kPanel.cols) {
            const Shape shape{std::min(kPanel.rows, end - row),
                              std::min(kPanel.cols, image.shape.cols - col)};
            add_panel(part(image, row, col, shape), buffer, sums);
        }
    }
    return sums;
}

// Blocks of rows follow from the shape alone; each has sums of its own, in order.
template <typename T, typename Sums>
std::vector<Sums> sums_of(const View<const T>& image, unsigned threads, const Sums& none) {
    const std::size_t rows = image.shape.rows;
    const std::size_t height = std::max(kPanel.rows, kBlockPixels / image.shape.cols);
    std::vector<Sums> blocks((rows + height - 1) / height, none);
    parallel_for(blocks.size(), threads, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<T> buffer;
        for (std::size_t block = begin; block < end; ++block) {
            const std::size_t row = block * height;
            blocks[block] = sum_rows(image, row, std::min(row + height, rows), none, buffer);
        }
    });
    return blocks;
}

inline double total(const Lanes& lanes) { return std::accumulate(lanes.begin(), lanes.end(), 0.0); }

struct Moments {
    double mean, std;
    double low, high;  // the range of the pixels
    bool finite;

    double farthest() const { return std::max(mean - low, high - mean); }
};

template <typename T>
Moments moments_of(const View<const T>& image, unsigned threads) {
    const double count = static_cast<double>(image.shape.size());
    const T first = image.at(0, 0);
    const double origin = static_cast<double>(first);
    double sum = 0, squares = 0;
    for (const Offsets& block : sums_of(image, threads, Offsets{origin})) {
        sum += total(block.lanes);
    }
    const double mean = origin + sum / count;
    if (!std::isfinite(mean)) return {mean, mean, mean, mean, false};

    Range<T> range{first, first};
    for (const Spread<T>& block : sums_of(image, threads, Spread<T>{{mean}, range})) {
        squares += total(block.squares.lanes);
        range.add(block.range.low);
        range.add(block.range.high);
    }
    const double deviation = std::sqrt(squares / count);
    return {mean, deviation, static_cast<double>(range.low), static_cast<double>(range.high),
            std::isfinite(deviation)};
}

// The height of the rare events that make up most of the variance: of sparse counts, one count,
// where the standard deviation is far less; of Gaussian noise, sqrt(3) standard deviations.
template <typename T>
double event_height(const View<const T>& image, const Moments& of, unsigned threads) {
    double fourth = 0;
    for (const auto& block : sums_of(image, threads, FourthPowers{of.mean, 1 / of.std})) {
        fourth += total(block.lanes);
    }
    return of.std * std::sqrt(fourth / static_cast<double>(image.shape.size()));
}

}  // namespace stemzoo
