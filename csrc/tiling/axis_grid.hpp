// Where the windows of an axis lie. A GPU computes it for each pixel, in 32 bits.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/portable.hpp"

namespace stemzoo {

// The pixels that a window contributes to, counted from its start. From core_begin to core_end it
// is alone and its weight is exactly one; before core_begin it shares them with earlier windows,
// from core_end on with later ones.
template <typename Int>
struct SpanOf {
    Int begin, core_begin, core_end, end;
};

template <typename Int>
struct AxisGrid {
    Int image, tile, step, padded, windows;
    bool crop;

    template <typename Other>
    explicit constexpr operator AxisGrid<Other>() const {
        return {static_cast<Other>(image),  static_cast<Other>(tile),    static_cast<Other>(step),
                static_cast<Other>(padded), static_cast<Other>(windows), crop};
    }

    STEMZOO_ANYWHERE Int start(Int window) const {
        return window + 1 == windows ? padded - tile : window * step;
    }

    STEMZOO_ANYWHERE Int first_window_over(Int pixel) const {
        if (pixel < tile) return 0;
        const Int window = (pixel - tile) / step + 1;
        return window < windows ? window : windows - 1;
    }
    STEMZOO_ANYWHERE Int last_window_over(Int pixel) const {
        return pixel >= padded - tile ? windows - 1 : pixel / step;
    }

    // The pixel of the image that a position of the padded image shows.
    STEMZOO_ANYWHERE Int source(Int position) const {
        if (position < image) return position;
        if (image == 1) return 0;
        const Int period = 2 * (image - 1);
        const Int phase = position % period;
        return phase < image ? phase : period - phase;
    }

    STEMZOO_ANYWHERE SpanOf<Int> span(Int window) const {
        return crop ? cropped_span(window) : shared_span(window);
    }

  private:
    STEMZOO_ANYWHERE static Int least(Int a, Int b) { return a < b ? a : b; }
    STEMZOO_ANYWHERE static Int most(Int a, Int b) { return a < b ? b : a; }

    STEMZOO_ANYWHERE SpanOf<Int> shared_span(Int window) const {
        const Int from = start(window);
        const Int end = least(tile, image - from);
        const Int others_end = window == 0 ? 0 : start(window - 1) + tile - from;
        const Int others_begin = window + 1 == windows ? tile : start(window + 1) - from;
        const Int core_begin = least(others_end, end);
        return {0, core_begin, least(most(core_begin, others_begin), end), end};
    }

    // Neighbours meet in the middle of their overlap.
    STEMZOO_ANYWHERE SpanOf<Int> cropped_span(Int window) const {
        const Int from = start(window);
        const Int begin = window == 0 ? 0 : (start(window - 1) + tile + from) / 2 - from;
        const Int cut = window + 1 == windows ? tile : (from + tile + start(window + 1)) / 2 - from;
        const Int end = least(cut, image - from);
        return {least(begin, end), least(begin, end), end, end};
    }
};

}  // namespace stemzoo
