// One axis of a grid of overlapping windows: where windows start, what lies past the edge of the
// image, and how much each window contributes to a pixel. Rows and columns are planned apart, since
// the weight of a window at a pixel is the product of the two.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tiling/axis_grid.hpp"

namespace stemzoo {

enum class Weights { flat, triangular, hann, crop };

Weights weights_from_name(const std::string& name);
std::string weights_name(Weights weights);

using Span = SpanOf<std::size_t>;

class Axis {
  public:
    Axis(const char* name, std::size_t image, std::size_t tile, std::size_t step, Weights weights,
         std::size_t multiple);

    std::size_t image() const { return grid_.image; }
    std::size_t padded() const { return grid_.padded; }
    std::size_t tile() const { return grid_.tile; }
    std::size_t step() const { return grid_.step; }
    std::size_t windows() const { return grid_.windows; }

    std::size_t start(std::size_t window) const { return grid_.start(window); }
    std::size_t first_window_over(std::size_t pixel) const {
        return grid_.first_window_over(pixel);
    }
    std::size_t last_window_over(std::size_t pixel) const { return grid_.last_window_over(pixel); }
    std::size_t source(std::size_t position) const { return grid_.source(position); }
    Span span(std::size_t window) const { return grid_.span(window); }
    const AxisGrid<std::size_t>& grid() const { return grid_; }

    // Outside the core, the weight at pixel i of a window is profile()[i] * share(window)[i]: the
    // profile all windows have, over the sum of all profiles at that pixel of the image. Kept so,
    // weights need one number a pixel of the axis, however many windows there are.
    // A cropping axis has cores only, and neither array.
    const float* profile() const { return profile_.data(); }
    const float* share(std::size_t window) const {
        return grid_.crop ? nullptr : share_.data() + start(window);
    }

    const float* whole_share() const { return share_.data(); }

  private:
    void plan_weights(Weights weights);

    AxisGrid<std::size_t> grid_;
    std::vector<float> profile_, share_;
};

}  // namespace stemzoo
