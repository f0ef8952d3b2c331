// One axis of a grid of overlapping windows: where windows start, what lies past the edge of the
// image, and how much each window contributes to a pixel. Rows and columns are planned apart, since
// the weight of a window at a pixel is the product of the two.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace stemzoo {

enum class Weights { flat, triangular, hann, crop };

Weights weights_from_name(const std::string& name);
std::string weights_name(Weights weights);

// The pixels that a window contributes to, counted from its start. From core_begin to core_end it
// is alone and its weight is exactly one; before core_begin it shares them with earlier windows,
// from core_end on with later ones.
struct Span {
    std::size_t begin, core_begin, core_end, end;
};

class Axis {
  public:
    Axis(const char* name, std::size_t image, std::size_t tile, std::size_t step, Weights weights,
         std::size_t multiple);

    std::size_t image() const { return image_; }
    std::size_t padded() const { return padded_; }
    std::size_t tile() const { return tile_; }
    std::size_t step() const { return step_; }
    std::size_t windows() const { return windows_; }

    std::size_t start(std::size_t window) const {
        return window + 1 == windows_ ? padded_ - tile_ : window * step_;
    }
    std::size_t first_window_over(std::size_t pixel) const;
    std::size_t last_window_over(std::size_t pixel) const;

    // The pixel of the image that a position of the padded image shows.
    std::size_t source(std::size_t position) const;

    Span span(std::size_t window) const;

    // Outside the core, the weight at pixel i of a window is profile()[i] * share(window)[i]: the
    // profile all windows have, over the sum of all profiles at that pixel of the image. Kept so,
    // weights need one number a pixel of the axis, however many windows there are.
    // A cropping axis has cores only, and neither array.
    const float* profile() const { return profile_.data(); }
    const float* share(std::size_t window) const {
        return crop_ ? nullptr : share_.data() + start(window);
    }

  private:
    Span cropped_span(std::size_t window) const;
    void plan_weights(Weights weights);

    std::size_t image_, tile_, step_, padded_, windows_;
    bool crop_;
    std::vector<float> profile_, share_;
};

}  // namespace stemzoo
