// Follows a frame with the classes of stemzoo.hpp.
#include <cmath>
#include <cstdio>
#include <stemzoo.hpp>
#include <vector>

int main() {
    constexpr std::size_t side = 96;
    std::vector<std::uint16_t> wide(side * (side + 8));
    unsigned noise = 1;
    for (auto& pixel : wide) {
        noise = noise * 1664525u + 1013904223u;
        pixel = static_cast<std::uint16_t>(noise >> 20);
    }
    auto still = stemzoo::image(wide.data() + 5, side, side), moved = still;
    still.row_stride = moved.row_stride = side + 8;
    moved.pixels = wide.data();  // features lie 5 px further along

    stemzoo::DriftTracker tracker(still);
    const stemzoo_drift drift = tracker.push(moved);
    const stemzoo_drift pair = stemzoo::Estimator(side, side).run(still, moved);
    std::printf("drift (%.2f, %.2f)\n", drift.dy, drift.dx);
    try {
        stemzoo::Model("no such file");
        return 1;
    } catch (const stemzoo::Error& error) {
        if (error.status() != STEMZOO_CANNOT_READ) return 1;
    }
    const stemzoo::Prediction next = tracker.predict();
    if (!(next.sigma_x > 0) || std::abs(next.dx - 10) > 3 * next.sigma_x) return 1;
    std::vector<float> pilot(side * side), out(side * side);
    for (std::size_t i = 0; i < pilot.size(); ++i) {
        pilot[i] = 50 + 9 * std::sin(0.5f * static_cast<float>(i % side));
    }
    const auto rows = stemzoo::find_rows(pilot.data(), pilot.data(), side, side);
    stemzoo::apply_rows(pilot.data(), side, rows, out.data());
    if (std::abs(out[40 * side + 40] - pilot[40 * side + 40]) > 1) return 1;
    std::vector<float> surface(13 * 13);
    stemzoo::Ncc(still, 6, 6).run(moved, surface.data());
    const bool right =
        std::abs(drift.dx - 5) < 0.1 && std::abs(pair.dx - 5) < 0.1 && surface[6 * 13 + 11] > 0.99f;
    return right ? 0 : 1;
}
