#include "tiling/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/parallel.hpp"
#include "tiling/strided.hpp"

namespace stemzoo {
namespace {

// Independent sums that a compiler may keep in vector registers without reordering anything.
constexpr std::size_t kLanes = 16;
using Lanes = std::array<double, kLanes>;

// Pixels are added panel by panel, each row by row.
constexpr Shape kPanel{16, 4096};
constexpr std::size_t kBlockPixels = std::size_t{1} << 16;

template <typename T, typename Term>
void add_row(const T* in, std::size_t count, const Term& term, Lanes& lanes) {
    Lanes sum = lanes;
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sum[lane] += term(static_cast<double>(in[i + lane]));
        }
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) {
        sum[lane] += term(static_cast<double>(in[i]));
    }
    lanes = sum;
}

// Compilers vectorise the way from a byte to a double in two steps, not in one.
template <typename Byte, typename Term>
void add_bytes(const Byte* in, std::size_t count, const Term& term, Lanes& lanes) {
    std::array<std::int16_t, 64 * kLanes> wide;
    for (std::size_t from = 0; from < count; from += wide.size()) {
        const std::size_t some = std::min(wide.size(), count - from);
        std::copy_n(in + from, some, wide.data());
        add_row(wide.data(), some, term, lanes);
    }
}

template <typename Term>
void add_row(const std::uint8_t* in, std::size_t count, const Term& term, Lanes& lanes) {
    add_bytes(in, count, term, lanes);
}

template <typename Term>
void add_row(const std::int8_t* in, std::size_t count, const Term& term, Lanes& lanes) {
    add_bytes(in, count, term, lanes);
}

// Strided pixels are gathered first, so that they are added in the very same order.
template <typename T, typename Term>
void add_panel(View<const T> panel, const Term& term, std::vector<T>& buffer, Lanes& lanes) {
    if (panel.col_stride != 1) {
        // A pitch that is a power of two would have all rows compete for the same cache lines.
        constexpr std::size_t pitch = kPanel.cols + 64 / sizeof(T);
        buffer.resize(kPanel.rows * pitch);
        read_rows(panel, [](T x) { return x; }, buffer.data(), pitch);
        panel.data = buffer.data();
        panel.row_stride = static_cast<std::ptrdiff_t>(pitch);
    }
    for (std::size_t row = 0; row < panel.shape.rows; ++row) {
        add_row(panel.row(row), panel.shape.cols, term, lanes);
    }
}

template <typename T, typename Term>
double sum_rows(const View<const T>& image, std::size_t begin, std::size_t end, const Term& term,
                std::vector<T>& buffer) {
    Lanes lanes{};
    for (std::size_t row = begin; row < end; row += kPanel.rows) {
        for (std::size_t col = 0; col < image.shape.cols; col += kPanel.cols) {
            const Shape shape{std::min(kPanel.rows, end - row),
                              std::min(kPanel.cols, image.shape.cols - col)};
            add_panel(part(image, row, col, shape), term, buffer, lanes);
        }
    }
    return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

// Blocks of rows follow from the shape alone and their sums are added in order.
template <typename T, typename Term>
double sum(const View<const T>& image, unsigned threads, const Term& term) {
    const std::size_t rows = image.shape.rows;
    const std::size_t height = std::max(kPanel.rows, kBlockPixels / image.shape.cols);
    std::vector<double> partial((rows + height - 1) / height);
    parallel_for(partial.size(), threads, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<T> buffer;
        for (std::size_t block = begin; block < end; ++block) {
            const std::size_t row = block * height;
            partial[block] = sum_rows(image, row, std::min(row + height, rows), term, buffer);
        }
    });
    return std::accumulate(partial.begin(), partial.end(), 0.0);
}

template <typename T>
Statistics measure_view(const View<const T>& image, unsigned threads) {
    const double count = static_cast<double>(image.shape.size());
    // Summing differences from one pixel keeps a large offset out of the sum.
    const double origin = static_cast<double>(image.at(0, 0));
    const double mean =
        origin + sum(image, threads, [origin](double x) { return x - origin; }) / count;
    if (!std::isfinite(mean)) return {mean, mean, false};

    const double squares =
        sum(image, threads, [mean](double x) { return (x - mean) * (x - mean); });
    const double deviation = std::sqrt(squares / count);
    return {mean, deviation, std::isfinite(deviation)};
}

}  // namespace

Statistics measure(const AnyView& image, unsigned threads) {
    if (shape_of(image).size() == 0) {
        throw std::invalid_argument("image is " + shape_of(image).text() +
                                    "; it needs at least one pixel to be measured");
    }
    return std::visit([threads](const auto& view) { return measure_view(view, threads); }, image);
}

}  // namespace stemzoo
