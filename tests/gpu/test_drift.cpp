// Drifts of a stack on a GPU are those of the CPU.
#include "check.hpp"
#include "device.hpp"
#include "drifts.hpp"

namespace {

using drift_cases::Scene;
using stemzoo::Shape;

bool near(double a, double b, double tolerance) {
    return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance;
}

void check_like_the_cpu(Shape shape, Scene scene, std::size_t count, std::size_t bytes) {
    const gpu::Drifts drifts(shape, drift_cases::series(shape, scene, count), bytes);
    const auto expected = drifts.on_cpu(count, 0);
    const gpu::Copy<float> there(drifts.pixels());
    const auto found = drifts.on_gpu(gpu::frames(there.data(), count, shape), false);
    const auto again = drifts.on_gpu(gpu::frames(drifts.pixels().data(), count, shape), true);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t axis = 0; axis < 2; ++axis) {
            CHECK(near(found[i].shift[axis], expected[i].shift[axis], 1e-3));
            CHECK(near(found[i].sigma[axis], expected[i].sigma[axis],
                       1e-5 + 1e-2 * expected[i].sigma[axis]));
            CHECK(found[i].shift[axis] == again[i].shift[axis]);  // to the last bit
        }
        CHECK(near(found[i].score, expected[i].score, 1e-4));
        CHECK(found[i].reason == expected[i].reason);
    }
}

}  // namespace

TEST(gpu_drift_of_particles_lattices_and_edges) {
    for (const Scene scene : {Scene::particles, Scene::lattice, Scene::edge}) {
        check_like_the_cpu({256, 192}, scene, 6, std::size_t{64} << 20);
    }
}

TEST(gpu_drift_of_odd_sides_some_at_a_time) {
    check_like_the_cpu({131, 173}, Scene::particles, 5, std::size_t{3} << 20);
}
