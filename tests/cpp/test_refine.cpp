// Refinement without Python: exact on scenes without noise, silent where nothing can be said.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "drift/peak_top.hpp"
#include "drift/refine.hpp"
#include "ncc_reference.hpp"

using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::drift::Frame;
using stemzoo::drift::refine;

namespace {

// Blobs at random places, moved by (dy, dx), under a little noise.
reference::Image<float> blobs(Shape shape, double dy, double dx, unsigned seed) {
    auto image = reference::noise<float>(shape, seed, 0, 0.01);
    const auto places = reference::noise<float>({60, 2}, 77, 0, 1);
    for (std::size_t i = 0; i < 60; ++i) {
        const double y = static_cast<double>(shape.rows) * (0.5 + 0.3 * places.pixels[2 * i]) + dy;
        const double x =
            static_cast<double>(shape.cols) * (0.5 + 0.3 * places.pixels[2 * i + 1]) + dx;
        for (std::size_t r = 0; r < shape.rows; ++r) {
            for (std::size_t c = 0; c < shape.cols; ++c) {
                const double away =
                    std::hypot(static_cast<double>(r) - y, static_cast<double>(c) - x);
                image.at(r, c) += static_cast<float>(std::exp(-away * away / 8));
            }
        }
    }
    return image;
}

Frame frame(const reference::Image<float>& image) {
    return Frame(AnyView(image.view()), nullptr, 1);
}

}  // namespace

TEST(refine_finds_the_drift_within_its_error) {
    for (const Shape shape : {Shape{64, 64}, Shape{49, 90}}) {
        const Frame a = frame(blobs(shape, 0, 0, 1)), b = frame(blobs(shape, 2.3, -1.6, 2));
        const auto d = refine(a, b, 2.0, -1.4);
        CHECK(d.has_value());
        if (!d) continue;
        CHECK_NEAR(d->dy, 2.3, 4 * std::sqrt(d->yy));
        CHECK_NEAR(d->dx, -1.6, 4 * std::sqrt(d->xx));
        CHECK(d->yy > 0 && d->yy < 1e-4 && d->xx > 0 && d->xx < 1e-4);
        CHECK(d->yx * d->yx < d->yy * d->xx);
    }
}

// A lattice that fills the frame: its edges fade out, and pull a peak towards zero.
reference::Image<float> lattice(Shape shape, double dy, double dx, unsigned seed) {
    auto image = reference::noise<float>(shape, seed, 0, 0.05);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = (static_cast<double>(r) - dy) / 14,
                         x = (static_cast<double>(c) - dx) / 16;
            image.at(r, c) +=
                static_cast<float>(std::cos(6.283185307 * y) * std::cos(6.283185307 * x));
        }
    }
    return image;
}

TEST(the_top_of_a_peak_is_where_the_drift_is) {
    const Shape shape{256, 300};
    const Frame a = frame(lattice(shape, 0, 0, 1)), b = frame(lattice(shape, 6.3, -4.6, 2));
    for (const double off : {-0.1, 0.0, 0.1}) {
        const auto top = stemzoo::drift::peak_top(a, b, {6.3 + off, -4.6 - off});
        CHECK(top.has_value());
        CHECK_NEAR((*top)[0], 6.3, 0.006);  // 0.02 nearer zero as it is
        CHECK_NEAR((*top)[1], -4.6, 0.006);
    }
    // No peak is there, or it is too far away.
    for (const stemzoo::drift::Vector at : {stemzoo::drift::Vector{13.3, -4.6}, {8.3, -4.6}}) {
        CHECK(!stemzoo::drift::peak_top(a, b, at));
    }
}

TEST(refine_says_nothing_of_what_is_not_there) {
    const Shape shape{48, 48};
    const Frame scene = frame(blobs(shape, 0, 0, 1));
    const Frame flat = frame(reference::Image<float>(shape));
    const Frame noise = frame(reference::noise<float>(shape, 9)),
                other = frame(reference::noise<float>(shape, 10));
    CHECK(!refine(scene, flat, 0, 0));
    CHECK(!refine(flat, flat, 0, 0));
    CHECK(!refine(noise, other, 0, 0));
    CHECK(!refine(scene, scene, 47, 0));
    CHECK(!refine(scene, scene, 0, -1e12));
}

TEST(refine_refuses_what_it_cannot_use) {
    using Error = std::invalid_argument;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Frame a = frame(reference::noise<float>({32, 32}, 1));
    const Frame b = frame(reference::noise<float>({32, 33}, 2));
    CHECK_THROWS(refine(a, b, 0, 0), Error, "expected equal shapes");
    CHECK_THROWS(refine(a, a, nan, 0), Error, "two finite numbers");
    CHECK_THROWS(frame(reference::noise<float>({15, 32}, 3)), Error, "at least 16");
}
