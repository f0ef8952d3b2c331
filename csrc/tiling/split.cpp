#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "core/number_text.hpp"
#include "core/parallel.hpp"
#include "tiling/affine.hpp"
#include "tiling/strided.hpp"
#include "tiling/tiling.hpp"

namespace stemzoo {
namespace {

// Whether every number in Affine<float> keeps its full precision and no difference overflows.
bool fits_float32(double offset, double scale) {
    return std::abs(offset) < 1e30 && std::abs(scale) >= std::numeric_limits<float>::min() &&
           std::abs(scale) <= std::numeric_limits<float>::max();
}

template <typename T>
constexpr bool kExactInFloat32 = std::is_same_v<T, float> || sizeof(T) <= 2;

// Strips of windows are the unit of work.
constexpr std::size_t kStrip = 16;

// Neighbouring rows of the image, from column `left` on and past its edge to the end of the window.
template <typename T, typename Map>
void cut_rows(const View<const T>& image, const Axis& cols, std::size_t top, std::size_t rows,
              std::size_t left, const Map& map, float* out) {
    const std::size_t inside = std::min(cols.tile(), cols.image() - left);
    read_rows(part(image, top, left, {rows, inside}), map, out, cols.tile());
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t col = inside; col < cols.tile(); ++col) {
            out[row * cols.tile() + col] = map(image.at(top + row, cols.source(left + col)));
        }
    }
}

// Rows of the padded image: those inside the image, then one by one those reflected.
template <typename T, typename Map>
void cut_strip(const Tiling& tiling, const View<const T>& image, std::size_t top, std::size_t rows,
               std::size_t left, const Map& map, float* out) {
    const Axis& cols = tiling.cols();
    const std::size_t image_rows = tiling.rows().image();
    const std::size_t inside = top < image_rows ? std::min(rows, image_rows - top) : 0;
    if (inside > 0) cut_rows(image, cols, top, inside, left, map, out);
    for (std::size_t row = inside; row < rows; ++row) {
        cut_rows(image, cols, tiling.rows().source(top + row), 1, left, map,
                 out + row * cols.tile());
    }
}

template <typename T, typename Map>
void cut(const Tiling& tiling, const View<const T>& image, const Map& map, std::size_t first,
         std::size_t count, float* batch, unsigned threads) {
    const Axis& rows = tiling.rows();
    const Axis& cols = tiling.cols();
    const std::size_t strips = (rows.tile() + kStrip - 1) / kStrip;
    const std::size_t grain = 1 + (std::size_t{1} << 16) / (kStrip * cols.tile());
    parallel_for(count * strips, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t strip = begin; strip < end; ++strip) {
            const std::size_t k = strip / strips;
            const std::size_t row = strip % strips * kStrip;
            const std::size_t window = first + k;
            cut_strip(tiling, image, rows.start(window / cols.windows()) + row,
                      std::min(kStrip, rows.tile() - row), cols.start(window % cols.windows()), map,
                      batch + (k * rows.tile() + row) * cols.tile());
        }
    });
}

}  // namespace

void Tiling::split(const AnyView& image, double offset, double scale, std::size_t first,
                   std::size_t count, float* batch, unsigned threads,
                   const std::optional<Limits>& limits) const {
    require_windows(first, count);
    require_image("image", shape_of(image));
    if (!std::isfinite(offset) || !std::isfinite(scale)) {
        throw std::invalid_argument(
            "offset " + number_text(offset) + " and scale " + number_text(scale) +
            " must be finite; mask or replace NaN and infinite pixels before normalising");
    }
    const auto with = [&](const auto& view, const auto& affine) {
        if (limits) {
            cut(*this, view, Clamped(affine, *limits), first, count, batch, threads);
        } else {
            cut(*this, view, affine, first, count, batch, threads);
        }
    };
    std::visit(
        [&](const auto& view) {
            using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
            if constexpr (kExactInFloat32<T>) {
                if (fits_float32(offset, scale)) return with(view, Affine<float>(offset, scale));
            }
            with(view, Affine<double>(offset, scale));
        },
        image);
}

}  // namespace stemzoo
