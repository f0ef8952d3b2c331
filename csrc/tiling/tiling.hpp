// An image cut into overlapping windows and put together again.
#pragma once

#include <cstddef>
#include <optional>

#include "core/array.hpp"
#include "tiling/axis.hpp"
#include "tiling/statistics.hpp"

namespace stemzoo {

// Windows start every `step` pixels; the last is moved back to end with the padded image: the image
// reflected past its bottom and right edge up to one tile and a multiple of `multiple`. At every
// pixel the weights of all windows sum to one. Windows are counted row by row.
class Tiling {
  public:
    Tiling(Shape image, Shape tile, Shape step, Weights weights, Shape multiple = {1, 1});

    // For a network that needs sides in multiples of `multiple` and whose output pixel sees `halo`
    // pixels around it: blended tiles equal the network's answer to the whole padded image.
    static Tiling for_model(Shape image, std::size_t multiple, std::size_t halo,
                            std::size_t max_tile);

    const Axis& rows() const { return rows_; }
    const Axis& cols() const { return cols_; }
    Shape image() const { return {rows_.image(), cols_.image()}; }
    Shape tile() const { return {rows_.tile(), cols_.tile()}; }
    Shape step() const { return {rows_.step(), cols_.step()}; }
    Weights weights() const { return weights_; }
    std::size_t windows() const { return rows_.windows() * cols_.windows(); }

    // batch[k] = (window first + k of the image - offset) * scale. NaN and infinity pass through.
    // With limits, pixels beyond them are given their value first (NaN still passes through).
    void split(const AnyView& image, double offset, double scale, std::size_t first,
               std::size_t count, float* batch, unsigned threads,
               const std::optional<Limits>& limits = std::nullopt) const;

    // out += gain * weight * batch, over the pixels these windows cover. An image filled with the
    // mean and blended with gain = std is un-normalised in the same pass.
    void blend(const float* batch, std::size_t first, std::size_t count, double gain,
               const View<float>& out, unsigned threads) const;

    // The same on an image whose contents are undefined: a pixel that no window before it covers
    // starts from `fill`. Windows must then come in order, from the first to the last.
    void blend_from(float fill, const float* batch, std::size_t first, std::size_t count,
                    double gain, const View<float>& out, unsigned threads) const;

    void require_windows(std::size_t first, std::size_t count) const;

  private:
    void require_image(const char* what, Shape given) const;
    void run_blend(const float* fill, const float* batch, std::size_t first, std::size_t count,
                   double gain, const View<float>& out, unsigned threads) const;

    Weights weights_;
    Axis rows_, cols_;
};

}  // namespace stemzoo
