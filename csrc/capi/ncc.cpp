#include "ncc/ncc.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "capi/image.hpp"
#include "capi/status.hpp"
#include "capi/stemzoo.h"

using stemzoo::Shape;
using stemzoo::capi::guarded;
using stemzoo::capi::Image;
using stemzoo::capi::image_from;
using stemzoo::capi::require;

struct stemzoo_ncc {
    stemzoo::ncc::Reference reference;
    unsigned threads;
};

namespace {

// The correlation's own masks say where a pixel is valid.
class ValidMask {
  public:
    explicit ValidMask(const Image& image) : valid_(image.masked ? image.shape().size() : 0) {
        if (!image.masked) return;
        const Shape shape = image.shape();
        for (std::size_t row = 0; row < shape.rows; ++row) {
            const std::uint8_t* const masked = image.masked->row(row);
            std::transform(masked, masked + shape.cols, valid_.begin() + row * shape.cols,
                           [](auto flag) { return static_cast<std::uint8_t>(flag == 0); });
        }
        view_ = stemzoo::contiguous<const std::uint8_t>(valid_.data(), shape);
    }
    const stemzoo::ncc::Mask* get() const { return valid_.empty() ? nullptr : &view_; }

  private:
    std::vector<std::uint8_t> valid_;
    stemzoo::ncc::Mask view_;
};

}  // namespace

extern "C" {

int stemzoo_ncc_create(const stemzoo_image* reference, size_t max_dy, size_t max_dx,
                       double min_overlap, int threads, stemzoo_ncc** ncc) {
    return guarded([&] {
        const Image image = image_from(reference, "reference");
        const unsigned workers = stemzoo::capi::threads_from(threads);
        require(ncc, "ncc");
        stemzoo::ncc::Settings settings;
        settings.max_dy = max_dy;
        settings.max_dx = max_dx;
        if (min_overlap != 0) settings.min_overlap = min_overlap;
        const ValidMask mask(image);
        *ncc = new stemzoo_ncc{{image.pixels, settings, mask.get(), workers}, workers};
    });
}

int stemzoo_ncc_run(const stemzoo_ncc* ncc, const stemzoo_image* moving, float* surface) {
    return guarded([&] {
        require(ncc, "ncc");
        const Image image = image_from(moving, "moving");
        const Shape shape = ncc->reference.surface_shape();
        const auto out = stemzoo::capi::output_from(
            surface, shape, static_cast<std::ptrdiff_t>(shape.cols), "surface");
        const stemzoo::Scratch<float> result(shape.size());
        ncc->reference.correlate(image.pixels, ValidMask(image).get(), result.data(), ncc->threads);
        stemzoo::capi::copy_rows(result.data(), out);
    });
}

int stemzoo_ncc_close(stemzoo_ncc* ncc) {
    return guarded([&] { delete ncc; });
}
}
