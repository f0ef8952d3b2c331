// Mean, standard deviation and range on a GPU, and memory that is kept within its ceiling.
#include <cstdint>
#include <limits>

#include "check.hpp"
#include "cuda_backend.hpp"
#include "ncc_reference.hpp"
#include "tiling/statistics.hpp"

using namespace reference;
namespace cuda = stemzoo::cuda;

namespace {

cuda::PixelMoments on_gpu(const AnyView& image) {
    return cuda::moments_of(0, cuda::frames_of(image), nullptr);
}

template <typename T>
void check_like_the_cpu(const Image<T>& image) {
    const stemzoo::Statistics expected = stemzoo::measure(image.view(), 1);
    const cuda::PixelMoments found = on_gpu(image.view());
    CHECK(found.finite);
    CHECK_NEAR(found.mean, expected.mean, 1e-12 * (1 + std::abs(expected.mean)));
    CHECK_NEAR(found.std, expected.std, 1e-12 * expected.std);
}

}  // namespace

TEST(cuda_moments_are_those_of_the_cpu) {
    check_like_the_cpu(noise<float>({31, 47}, 1));
    check_like_the_cpu(noise<double>({300, 280}, 2, 1e9, 1e-3));
    check_like_the_cpu(noise<std::uint16_t>({64, 1000}, 3, 3e4, 100));
    check_like_the_cpu(noise<std::int32_t>({5, 3}, 4, -1e8, 10));
}

TEST(cuda_moments_of_a_constant_image_have_no_deviation_at_all) {
    Image<float> image({200, 300});
    for (float& pixel : image.pixels) pixel = 0.1f;
    const cuda::PixelMoments found = on_gpu(image.view());
    CHECK(found.std == 0.0);
    CHECK(found.mean == static_cast<double>(0.1f));
    CHECK(found.low == found.high);
}

TEST(cuda_moments_say_that_a_pixel_is_not_finite) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto image = noise<float>({40, 50}, 5);
        image.at(17, 3) = bad;
        CHECK(!on_gpu(image.view()).finite);
    }
}

TEST(cuda_moments_know_the_range) {
    auto image = noise<float>({100, 90}, 6);
    image.at(3, 88) = 1e6f;
    image.at(99, 0) = -2e6f;
    CHECK(on_gpu(image.view()).high == 1e6);
    CHECK(on_gpu(image.view()).low == -2e6);
}
