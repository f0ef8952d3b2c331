// Frames of a chunk, measured and scaled on a GPU, and the sums over their overlaps.
#pragma once

#include "ncc/load_kernels.hpp"
#include "ncc/overlap_kernels.hpp"

namespace stemzoo::cuda {

inline constexpr unsigned all_finite = ~0u;

// Memory for `chunk` frames.
class FrameSums {
  public:
    FrameSums(const Queue& queue, const Geometry& geometry, std::size_t chunk);

    // How each frame is scaled; `first` is the number of the chunk's first frame.
    void measure(const Queue& queue, const Frames& frames, std::size_t first, unsigned* not_finite);
    // `scaled` is [row][f][x], padded.
    void scale(const Queue& queue, const Frames& frames, float* scaled);
    // For every lag, of what `scale` wrote.
    void sum_overlaps(const Queue& queue, const float* scaled);

    const Scaling* scalings() const { return scalings_.data(); }
    const OverlapSum* overlaps() const { return overlaps_.data(); }
    const double* energies() const { return energies_.data(); }
    std::size_t bytes() const;

  private:
    Geometry geometry_;
    std::size_t chunk_, lag_rows_at_once_;
    Buffer<MomentsSum> block_sums_;
    Buffer<Scaling> scalings_;
    Buffer<Moments> parts_, columns_, trimmed_;
    Buffer<OverlapSum> overlaps_;
    Buffer<double> energies_;
};

}  // namespace stemzoo::cuda
