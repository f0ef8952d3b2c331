#include "check.hpp"
#include "ncc/direct.hpp"
#include "ncc_reference.hpp"

using namespace reference;
using stemzoo::ncc::ConstantCorners;
using stemzoo::ncc::direct_image;
using stemzoo::ncc::Rect;

TEST(constant_corners_are_exactly_the_constant_overlaps) {
    const Shape shape{9, 7};
    auto image = Image<std::uint8_t>(shape);
    image.at(3, 4) = 1;
    image.at(7, 1) = 2;
    const auto direct = direct_image(AnyView(image.view()), {});
    const ConstantCorners corners(direct);
    for (std::size_t rows = 1; rows <= shape.rows; ++rows) {
        for (std::size_t cols = 1; cols <= shape.cols; ++cols) {
            for (const std::size_t row0 : {std::size_t{0}, shape.rows - rows}) {
                for (const std::size_t col0 : {std::size_t{0}, shape.cols - cols}) {
                    const Rect rect{row0, row0 + rows, col0, col0 + cols};
                    bool same = true;
                    for (std::size_t r = rect.row0; r < rect.row1; ++r) {
                        for (std::size_t c = rect.col0; c < rect.col1; ++c) {
                            same = same && image.at(r, c) == image.at(row0, col0);
                        }
                    }
                    CHECK(corners.constant(rect) == same);
                }
            }
        }
    }
}

TEST(rounding_noise_on_a_constant_is_constant) {
    Image<double> almost({6, 6});
    for (std::size_t i = 0; i < 36; ++i) almost.pixels[i] = i % 3 == 0 ? 0.3 : 0.1 + 0.2;
    const auto other = noise<double>({6, 6}, 90);
    const auto a = direct_image(AnyView(almost.view()), {0.3, 1.0});
    const auto b = direct_image(AnyView(other.view()), {});
    const Rect all{0, 6, 0, 6};
    CHECK(stemzoo::ncc::direct_correlation(a, all, b, all) == 0.0);
    CHECK_NEAR(stemzoo::ncc::direct_correlation(b, all, b, all), 1.0, 1e-12);
}
