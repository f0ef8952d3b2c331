// Correlates a frame with itself, a few pixels away.
#include <cstdio>
#include <vector>

#include "ncc/ncc.hpp"

int main() {
    constexpr std::size_t side = 64, shift = 3;
    std::vector<float> frame(side * (side + shift));
    unsigned noise = 1;
    for (float& pixel : frame) {
        noise = noise * 1664525u + 1013904223u;
        pixel = static_cast<float>(noise >> 16);
    }
    const auto from_column = [&](std::size_t column) {
        return stemzoo::View<const float>{
            frame.data() + column, {side, side}, static_cast<std::ptrdiff_t>(side + shift), 1};
    };

    stemzoo::ncc::Settings settings;
    settings.max_dy = settings.max_dx = 4;
    const stemzoo::ncc::Reference reference(from_column(shift), settings);
    std::vector<float> surface(reference.surface_shape().size());
    reference.correlate(from_column(0), nullptr, surface.data(), 1);

    const float peak = surface[4 * 9 + 4 + shift];
    std::printf("correlation at the true shift: %.4f\n", static_cast<double>(peak));
    return peak > 0.999f ? 0 : 1;
}
