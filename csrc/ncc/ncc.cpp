#include "ncc/ncc.hpp"

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/once.hpp"
#include "core/parallel.hpp"
#include "ncc/geometry.hpp"
#include "ncc/least_pixels.hpp"
#include "ncc/plain.hpp"
#include "ncc/transform.hpp"

namespace stemzoo::ncc {
namespace {

// A contiguous copy in the image's own type, and a view of it.
AnyView copy_pixels(const AnyView& image, Scratch<unsigned char>& memory) {
    return std::visit(
        [&](const auto& view) -> AnyView {
            using Pixel = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
            memory = Scratch<unsigned char>(view.shape.size() * sizeof(Pixel));
            auto* const pixels = reinterpret_cast<Pixel*>(memory.data());
            Pixel* to = pixels;
            for (std::size_t r = 0; r < view.shape.rows; ++r, to += view.shape.cols) {
                if (view.col_stride == 1) {
                    std::memcpy(to, view.row(r), view.shape.cols * sizeof(Pixel));
                    continue;
                }
                for (std::size_t c = 0; c < view.shape.cols; ++c) to[c] = view.at(r, c);
            }
            return contiguous<const Pixel>(pixels, view.shape);
        },
        image);
}

}  // namespace

// The three ways to correlate. Those that few callers need are made when first called for.
struct Reference::State {
    Geometry geometry;
    double min_pixels = 0;
    Scratch<unsigned char> memory;
    AnyView image;
    Scaling scaling;
    std::optional<Plain<float>> plain;
    Once plain_double_once, masked_once;
    std::optional<Plain<double>> plain_double;
    std::optional<Masked> masked;

    // On one thread: others may be waiting for this, and among them the pool that would help.
    const Plain<double>& in_double() {
        plain_double_once([&] { plain_double.emplace(geometry, image, scaling, 1); });
        return *plain_double;
    }

    const Masked& with_mask(const Mask* mask, unsigned threads) {
        masked_once(
            [&] { masked.emplace(geometry, masked_image(image, mask, "reference"), threads); });
        return *masked;
    }
};

Reference::Reference(const AnyView& image, const Settings& settings, const Mask* mask,
                     unsigned threads, Pixels pixels)
    : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.geometry = make_geometry(shape_of(image), settings.max_dy, settings.max_dx);
    s.min_pixels = least_pixels(settings.min_overlap, s.geometry.image);
    s.image = image;
    if (mask != nullptr) {
        s.with_mask(mask, threads);
        return;
    }
    const unsigned some = transform_threads(s.geometry.image, threads);
    s.scaling = measure_scaling(*spectral_for<float>(s.geometry), image, "reference", some);
    s.plain.emplace(s.geometry, image, s.scaling, some);
    if (pixels == Pixels::copy) s.image = copy_pixels(image, s.memory);
}

Reference::~Reference() = default;
Reference::Reference(Reference&&) noexcept = default;
Reference& Reference::operator=(Reference&&) noexcept = default;

Shape Reference::image_shape() const { return state_->geometry.image; }
Shape Reference::surface_shape() const { return state_->geometry.surface(); }

void Reference::correlate(const AnyView& moving, const Mask* mask, float* surface,
                          unsigned threads) const {
    State& s = *state_;
    if (shape_of(moving) != s.geometry.image) {
        throw std::invalid_argument("moving image is " + shape_of(moving).text() +
                                    " pixels but the reference is " + s.geometry.image.text() +
                                    "; expected equal shapes");
    }
    if (mask != nullptr || !s.plain) {
        const DirectImage frame = masked_image(moving, mask, "moving image");
        s.with_mask(nullptr, 1).correlate(frame, s.min_pixels, surface, threads);
        return;
    }
    const Scaling scaling =
        measure_scaling(*spectral_for<float>(s.geometry), moving, "moving image",
                        transform_threads(s.geometry.image, threads));
    if (s.plain->correlate(s.image, moving, scaling, s.min_pixels, surface, threads)) return;
    s.in_double().correlate(s.image, moving, scaling, s.min_pixels, surface, threads);
}

void Reference::correlate(const std::vector<AnyView>& moving, const std::vector<Mask>& masks,
                          float* surfaces, unsigned threads) const {
    if (!masks.empty() && masks.size() != moving.size()) {
        throw std::invalid_argument(std::to_string(moving.size()) + " frames but " +
                                    std::to_string(masks.size()) +
                                    " masks; expected one for each frame, or none");
    }
    const std::size_t size = surface_shape().size();
    const auto one = [&](std::size_t i, unsigned inner) {
        correlate(moving[i], masks.empty() ? nullptr : &masks[i], surfaces + i * size, inner);
    };
    if (moving.size() == 1) return one(0, threads);
    parallel_for(moving.size(), threads, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) one(i, 1);
    });
}

}  // namespace stemzoo::ncc
