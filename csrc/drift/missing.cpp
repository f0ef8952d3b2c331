#include "drift/missing.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "drift/pixel_kernels.hpp"

namespace stemzoo::drift {
namespace {

// In eight sums, which a compiler keeps in vectors.
template <typename T>
double row_sum(const T* row, std::ptrdiff_t stride, std::size_t count) {
    if constexpr (std::is_same_v<T, float>) {
        if (stride == 1) return pixel_kernels().sum(row, count);
    }
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    std::size_t i = 0;
    if (stride == 1) {
        for (; i + lanes <= count; i += lanes) {
            for (std::size_t k = 0; k < lanes; ++k) sums[k] += static_cast<double>(row[i + k]);
        }
    }
    double total = 0;
    for (; i < count; ++i) {
        total += static_cast<double>(row[static_cast<std::ptrdiff_t>(i) * stride]);
    }
    for (const double sum : sums) total += sum;
    return total;
}

// From the first row or column on, and from the last one back, as long as pixels are unknown.
class Border {
  public:
    Border(const Flags& unknown, Shape shape)
        : unknown_(unknown), shape_(shape), found_(unknown.size()) {
        for (std::size_t r = 0; r < shape.rows; ++r) {
            walk(r * shape.cols, shape.cols, [](std::size_t at) { return at + 1; });
            walk((r + 1) * shape.cols - 1, shape.cols, [](std::size_t at) { return at - 1; });
        }
        const std::size_t cols = shape.cols;
        for (std::size_t c = 0; c < cols; ++c) {
            walk(c, shape.rows, [cols](std::size_t at) { return at + cols; });
            walk(shape.size() - cols + c, shape.rows, [cols](std::size_t at) { return at - cols; });
        }
    }

    const Flags& pixels() const { return found_; }

  private:
    template <typename Next>
    void walk(std::size_t at, std::size_t most, Next next) {
        for (std::size_t i = 0; i < most && unknown_[at] != 0; ++i) {
            found_[at] = 1;
            if (i + 1 < most) at = next(at);
        }
    }

    const Flags& unknown_;
    Shape shape_;
    Flags found_;
};

template <typename T>
Flags with_border(const View<const T>& image, const Flags& masked, const std::string& name) {
    const std::size_t cols = image.shape.cols;
    Flags unknown = masked.empty() ? Flags(image.shape.size()) : masked;
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        if (std::isnan(static_cast<double>(image.at(i / cols, i % cols)))) unknown[i] = 1;
    }
    Flags missing = Border(unknown, image.shape).pixels();
    bool all = true, finite = true;
    for (std::size_t i = 0; i < missing.size(); ++i) {
        if (!masked.empty() && masked[i] != 0) missing[i] = 1;
        if (missing[i] != 0) continue;
        all = false;
        finite = finite && std::isfinite(static_cast<double>(image.at(i / cols, i % cols)));
    }
    if (all) {
        throw std::invalid_argument("every pixel of " + name +
                                    " is NaN or masked; there is nothing to correlate");
    }
    if (!finite) {
        throw NotFinite(name + " holds NaN or infinity; replace those pixels, or mask them");
    }
    return missing;
}

}  // namespace

double pixel_sum(const AnyView& image) {
    return std::visit(
        [](const auto& view) {
            double total = 0;
            for (std::size_t r = 0; r < view.shape.rows; ++r) {
                total += row_sum(view.row(r), view.col_stride, view.shape.cols);
            }
            return total;
        },
        image);
}

Flags missing_pixels(const AnyView& image, const MaskView* masked, double sum,
                     const std::string& name) {
    const Shape shape = shape_of(image);
    if (shape.rows < 2 || shape.cols < 2) {
        throw std::invalid_argument(name + " has shape (" + std::to_string(shape.rows) + ", " +
                                    std::to_string(shape.cols) +
                                    "), which shows no drift along both axes; expected at least 2 "
                                    "x 2 pixels");
    }
    Flags missing;
    if (masked != nullptr) {
        if (masked->shape != shape) {
            throw std::invalid_argument(name + " is " + shape.text() + " pixels but its mask is " +
                                        masked->shape.text() + "; expected equal shapes");
        }
        missing.resize(shape.size());
        for (std::size_t i = 0; i < missing.size(); ++i) {
            missing[i] = masked->at(i / shape.cols, i % shape.cols) != 0;
        }
        if (std::all_of(missing.begin(), missing.end(), [](auto flag) { return flag != 0; })) {
            throw std::invalid_argument("every pixel of " + name +
                                        " is masked, so there is nothing to correlate");
        }
    }
    if (!std::isfinite(sum)) {
        std::visit(
            [&](const auto& view) {
                using T = std::decay_t<decltype(view.at(0, 0))>;
                if constexpr (std::is_floating_point_v<T>) {
                    missing = with_border(view, missing, name);
                }
            },
            image);
    }
    if (std::none_of(missing.begin(), missing.end(), [](auto flag) { return flag != 0; })) {
        missing.clear();
    }
    return missing;
}

}  // namespace stemzoo::drift
