// Features of frames, and what two frames' features say of every drift.
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "core/fft2d.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

// Maps of one frame, transformed once to be compared with many. Immutable: threads may share it.
class Features {
  public:
    // `maps` are `count` contiguous maps, one or an even number: the second half count against a
    // drift.
    // Lags are looked for up to `reach`. Throws std::invalid_argument for sizes that do not fit.
    Features(const float* maps, std::size_t count, Shape shape, Shape reach, unsigned threads);

    // (2 reach + 1) log-odds along either axis, zero lag in the middle: the sums over each overlap
    // of the products of the frames' maps.
    void log_odds(const Features& moving, float* surface, unsigned threads) const;

    Shape surface_shape() const { return {2 * reach_.rows + 1, 2 * reach_.cols + 1}; }

  private:
    std::size_t count_;
    Shape shape_, reach_;
    Fft2d fft_;
    Scratch<float> spectra_;
};

}  // namespace stemzoo::drift
