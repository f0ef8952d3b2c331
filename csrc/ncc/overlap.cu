#include <algorithm>

#include "cuda/sum_pixels.hpp"
#include "ncc/device_load.hpp"

namespace stemzoo::cuda {
namespace {

std::size_t parts_of(const Geometry& g) { return blocks_for(g.image.rows, ScaleColumn::rows_each); }

// Rows of lags whose trimmed columns fit the memory that is worth spending on them.
std::size_t lag_rows_at_once(const Geometry& g, std::size_t chunk) {
    constexpr std::size_t most_bytes = std::size_t{256} << 20;
    const std::size_t row = chunk * g.image.cols * sizeof(Moments);
    return std::clamp<std::size_t>(most_bytes / row, 1, 2 * g.max_dy + 1);
}

}  // namespace

FrameSums::FrameSums(const Queue& queue, const Geometry& geometry, std::size_t chunk)
    : geometry_(geometry),
      chunk_(chunk),
      lag_rows_at_once_(lag_rows_at_once(geometry, chunk)),
      block_sums_(queue, chunk * blocks_of_rows(geometry.image)),
      scalings_(queue, chunk),
      parts_(queue, chunk * parts_of(geometry) * geometry.image.cols),
      columns_(queue, chunk * geometry.image.cols),
      trimmed_(queue, chunk * lag_rows_at_once_ * geometry.image.cols),
      overlaps_(queue, chunk * geometry.surface().size()),
      energies_(queue, chunk) {}

std::size_t FrameSums::bytes() const {
    return block_sums_.bytes() + scalings_.bytes() + parts_.bytes() + columns_.bytes() +
           trimmed_.bytes() + overlaps_.bytes() + energies_.bytes();
}

void FrameSums::measure(const Queue& queue, const Frames& frames, std::size_t first,
                        unsigned* not_finite) {
    const unsigned blocks = blocks_of_rows(geometry_.image);
    launch_sums(queue, {blocks, number(frames.count), 1}, PixelTerms<MomentsSum>{frames, {}},
                block_sums_.data());
    launch(queue, {number(frames.count), 1, 1},
           ChooseScaling{block_sums_.data(), blocks, static_cast<double>(geometry_.image.size()),
                         scalings_.data(), number(first), not_finite});
}

void FrameSums::scale(const Queue& queue, const Frames& frames, float* scaled) {
    const std::size_t row_parts = parts_of(geometry_), cols = geometry_.image.cols;
    launch(
        queue, {number(geometry_.fft_cols), number(row_parts), number(chunk_)},
        ScaleColumn{frames, scalings_.data(), geometry_.fft_cols, chunk_, scaled, parts_.data()});
    launch(queue, {number(cols), number(chunk_), 1},
           SumColumn{parts_.data(), row_parts, cols, columns_.data()});
}

void FrameSums::sum_overlaps(const Queue& queue, const float* scaled) {
    const std::size_t lag_rows = 2 * geometry_.max_dy + 1;
    for (std::size_t first = 0; first < lag_rows; first += lag_rows_at_once_) {
        const std::size_t count = std::min(lag_rows_at_once_, lag_rows - first);
        launch(queue, {number(geometry_.image.cols), number(chunk_), 2},
               TrimColumn{geometry_, scaled, geometry_.fft_cols, chunk_, columns_.data(), first,
                          count, trimmed_.data()});
        launch_blocks(queue, {number(count), number(chunk_), 1},
                      SumOverlaps{geometry_, trimmed_.data(), first, count, overlaps_.data(),
                                  energies_.data()});
    }
}

}  // namespace stemzoo::cuda
