// The inner loops of cleaning and masks, over a row of pixels, compiled once for each instruction
// set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stemzoo::drift {

struct RowSurvey {
    float sum = 0, square = 0, lowest = 0, highest = 0;
};

struct RowSums {
    float sum = 0, square = 0, count = 0;
};

class PixelKernels {
  public:
    virtual ~PixelKernels() = default;
    virtual double sum(const float* row, std::size_t cols) const = 0;
    virtual RowSurvey survey(const float* row, std::size_t cols) const = 0;
    virtual void add(const float* row, std::size_t cols, float* sums) const = 0;
    // Clears marks where the row differs from the first one; whether any is left.
    virtual bool compare(const float* row, const float* first, std::size_t cols,
                         std::int32_t* same) const = 0;
    // Of differences along the row of its differences from the one below, every other one; squared
    // and summed.
    virtual float differences(const float* row, const float* below, std::size_t cols) const = 0;
    // Of the pixels that are not lost; all are finite.
    virtual RowSums sums(const float* row, const std::uint8_t* lost, std::size_t cols) const = 0;
    // (pixel - mean) scale, and 0 where it is lost; all are finite. `out` may be `row`.
    virtual void centre(const float* row, const std::uint8_t* lost, std::size_t cols, float mean,
                        float scale, float* out) const = 0;
    // Multiplies values by counts times `down` times `across`.
    virtual void weigh(const std::uint8_t* counts, const float* across, float down,
                       std::size_t count, float* values) const = 0;
    // Each of `width` values from its place on, as far as the last sum needs them.
    virtual void window_sums(const std::uint8_t* values, std::size_t width, std::size_t count,
                             std::uint8_t* sums) const = 0;
};

const PixelKernels& pixel_kernels();

}  // namespace stemzoo::drift
