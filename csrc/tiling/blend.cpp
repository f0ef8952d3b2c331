#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "core/number_text.hpp"
#include "core/parallel.hpp"
#include "tiling/tiling.hpp"

namespace stemzoo {
namespace {

struct Blend {
    const Axis& rows;
    const Axis& cols;
    const float* batch;
    std::size_t first, last;
    double gain;
    View<float> out;
    const float* fill;  // null: add to what is there
};

// The stride is a type where it is known to be one, so that loops vectorise.
using Unit = std::integral_constant<std::ptrdiff_t, 1>;

template <typename Stride>
float& pixel(float* out, Stride stride, std::size_t i) {
    return out[static_cast<std::ptrdiff_t>(i) * stride];
}

template <typename Stride>
void add(float* __restrict out, Stride stride, const float* __restrict in, std::size_t begin,
         std::size_t end, float factor, const float* fill) {
    if (fill) {
        const float base = *fill;
        for (std::size_t i = begin; i < end; ++i) pixel(out, stride, i) = base + factor * in[i];
    } else {
        for (std::size_t i = begin; i < end; ++i) pixel(out, stride, i) += factor * in[i];
    }
}

template <typename Stride>
void add_weighted(float* __restrict out, Stride stride, const float* __restrict in,
                  const float* __restrict profile, const float* __restrict share, std::size_t begin,
                  std::size_t end, float factor, const float* fill) {
    if (fill) {
        const float base = *fill;
        for (std::size_t i = begin; i < end; ++i) {
            pixel(out, stride, i) = base + factor * (profile[i] * share[i]) * in[i];
        }
    } else {
        for (std::size_t i = begin; i < end; ++i) {
            pixel(out, stride, i) += factor * (profile[i] * share[i]) * in[i];
        }
    }
}

// Rows [begin, end) of the image receive one window. Earlier windows left no mark on a pixel right
// of their last column in a row below their last row: there, `fill` is still to come.
template <typename Stride>
void add_window(const Blend& job, Stride stride, std::size_t window_row, std::size_t window_col,
                const float* in, std::size_t begin, std::size_t end) {
    const std::size_t top = job.rows.start(window_row);
    const Span down = job.rows.span(window_row);
    const Span across = job.cols.span(window_col);
    const float* share = job.cols.share(window_col);
    const std::ptrdiff_t left =
        static_cast<std::ptrdiff_t>(job.cols.start(window_col)) * job.out.col_stride;

    for (std::size_t y = std::max(begin, top + down.begin); y < std::min(end, top + down.end);
         ++y) {
        const std::size_t i = y - top;
        const bool alone = i >= down.core_begin && i < down.core_end;
        const double weight =
            alone ? 1.0 : double{job.rows.profile()[i]} * double{job.rows.share(window_row)[i]};
        const float factor = static_cast<float>(job.gain * weight);
        const float* fill = i >= down.core_begin ? job.fill : nullptr;

        const float* line = in + i * job.cols.tile();
        float* out = job.out.row(y) + left;
        add_weighted(out, stride, line, job.cols.profile(), share, across.begin, across.core_begin,
                     factor, nullptr);
        add(out, stride, line, across.core_begin, across.core_end, factor, fill);
        add_weighted(out, stride, line, job.cols.profile(), share, across.core_end, across.end,
                     factor, fill);
    }
}

template <typename Stride>
void blend_rows(const Blend& job, Stride stride, std::size_t begin, std::size_t end) {
    const std::size_t across = job.cols.windows();
    const std::size_t tile = job.rows.tile() * job.cols.tile();
    const std::size_t last = job.rows.last_window_over(end - 1);
    for (std::size_t row = job.rows.first_window_over(begin); row <= last; ++row) {
        const std::size_t from = std::max(job.first, row * across);
        const std::size_t to = std::min(job.last, (row + 1) * across);
        for (std::size_t window = from; window < to; ++window) {
            add_window(job, stride, row, window - row * across,
                       job.batch + (window - job.first) * tile, begin, end);
        }
    }
}

// Bands of rows stay in the second-level cache while all their windows are added.
void blend_in_bands(const Blend& job, unsigned threads) {
    const std::size_t begin = job.rows.start(job.first / job.cols.windows());
    const std::size_t bottom = job.rows.start((job.last - 1) / job.cols.windows());
    const std::size_t end = std::min(job.rows.image(), bottom + job.rows.tile());

    constexpr std::size_t kBandPixels = std::size_t{1} << 16;
    const std::size_t height = std::clamp<std::size_t>(kBandPixels / job.cols.image(), 1, 64);
    const std::size_t bands = (end - begin + height - 1) / height;
    const std::size_t work = (job.last - job.first) * job.rows.tile() * job.cols.tile() / bands;
    const std::size_t grain = 1 + kBandPixels / (work + 1);

    parallel_for(bands, threads, grain, [&](std::size_t band, std::size_t last_band) {
        for (; band < last_band; ++band) {
            const std::size_t from = begin + band * height;
            const std::size_t to = std::min(from + height, end);
            if (job.out.col_stride == 1) {
                blend_rows(job, Unit{}, from, to);
            } else {
                blend_rows(job, job.out.col_stride, from, to);
            }
        }
    });
}

}  // namespace

void Tiling::run_blend(const float* fill, const float* batch, std::size_t first, std::size_t count,
                       double gain, const View<float>& out, unsigned threads) const {
    require_windows(first, count);
    require_image("out", out.shape);
    if (!std::isfinite(gain) || (fill && !std::isfinite(*fill))) {
        throw std::invalid_argument("gain " + number_text(gain) +
                                    " and fill must be finite numbers");
    }
    if (count == 0) return;
    blend_in_bands({rows_, cols_, batch, first, first + count, gain, out, fill}, threads);
}

void Tiling::blend(const float* batch, std::size_t first, std::size_t count, double gain,
                   const View<float>& out, unsigned threads) const {
    run_blend(nullptr, batch, first, count, gain, out, threads);
}

void Tiling::blend_from(float fill, const float* batch, std::size_t first, std::size_t count,
                        double gain, const View<float>& out, unsigned threads) const {
    run_blend(&fill, batch, first, count, gain, out, threads);
}

}  // namespace stemzoo
