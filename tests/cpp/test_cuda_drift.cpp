// Drifts of a stack on an emulated GPU are those of the CPU, to rounding.
#include <limits>
#include <string>

#include "check.hpp"
#include "cuda/emulation.hpp"
#include "cuda/run_drift.hpp"
#include "drift/estimator.hpp"
#include "drift_cases.hpp"

extern "C" const stemzoo::cuda::Module* stemzoo_cuda_module(const char* version);

namespace cuda = stemzoo::cuda;
namespace drift = stemzoo::drift;
using drift_cases::Scene;
using stemzoo::AnyView;
using stemzoo::Shape;
using Floats = std::vector<float>;

namespace {

constexpr std::size_t working_bytes = std::size_t{1} << 20;

struct Stack {
    Shape shape;
    Floats pixels;

    std::size_t count() const { return pixels.size() / shape.size(); }
    AnyView view(std::size_t i) const {
        return AnyView(stemzoo::contiguous<const float>(pixels.data() + i * shape.size(), shape));
    }
    cuda::Frames frames() const {
        return cuda::Frames{pixels.data(), cuda::PixelType::f32, count(), shape}.packed(
            pixels.data());
    }
};

struct Answers {
    std::vector<drift::Drift> cpu, gpu;
};

Answers answers(const Stack& stack, const drift::Network& network, bool on_host,
                std::size_t bytes = working_bytes) {
    const drift::Estimator estimator(stack.shape, drift::Estimator::usual_reach(stack.shape),
                                     network, 1);
    const auto reference = estimator.prepare(stack.view(0), nullptr, "reference");
    std::vector<AnyView> views;
    for (std::size_t i = 0; i < stack.count(); ++i) views.push_back(stack.view(i));
    const cuda::OnDevice on{*stemzoo_cuda_module(STEMZOO_VERSION), 0, nullptr};
    cuda::DriftRun run(on, estimator, *reference, bytes);
    return {estimator.compare_all(*reference, views, "stack"),
            run.compare_all(stack.frames(), on_host, "stack")};
}

bool near(double a, double b, double tolerance) {
    return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance;
}

void check_alike(const Answers& found) {
    CHECK(found.cpu.size() == found.gpu.size());
    for (std::size_t i = 0; i < found.cpu.size(); ++i) {
        const drift::Drift &a = found.cpu[i], &b = found.gpu[i];
        for (std::size_t axis = 0; axis < 2; ++axis) {
            CHECK(near(a.shift[axis], b.shift[axis], 1e-4));
            // A frame beside itself has a sigma of rounding alone.
            CHECK(near(a.sigma[axis], b.sigma[axis], 1e-6 + 1e-3 * a.sigma[axis]));
        }
        CHECK(near(a.score, b.score, 1e-5));
        CHECK(a.reason == b.reason);
        CHECK(a.candidates.size() == b.candidates.size());
        CHECK(near(a.probability(), b.probability(), 1e-3));
    }
}

// Maps that are a look's own channels.
drift::Maps own_channels(const float* look, Shape shape) {
    auto held = std::make_shared<Floats>(look, look + 2 * shape.size());
    for (float& value : *held) value *= 0.05f;
    return {held->data(), 2, shape, held};
}

}  // namespace

TEST(cuda_drift_is_that_of_the_cpu) {
    for (const Scene scene : {Scene::particles, Scene::lattice, Scene::edge}) {
        const Stack stack{{96, 80}, drift_cases::series({96, 80}, scene, 4)};
        check_alike(answers(stack, {}, false));
        check_alike(answers(stack, own_channels, true));
    }
}

TEST(cuda_drift_of_odd_sides_and_fine_detail) {
    check_alike(answers({{71, 93}, drift_cases::series({71, 93}, Scene::particles, 3)}, {}, false));
    Stack sharp{{64, 64}, drift_cases::series({64, 64}, Scene::particles, 3)};
    for (std::size_t i = 0; i < sharp.pixels.size(); ++i) {  // beyond what every other pixel shows
        if ((i % 64 + i / 64) % 3 == 0) sharp.pixels[i] += 60;
    }
    check_alike(answers(sharp, {}, false));
}

TEST(cuda_drift_leaves_to_the_host_what_is_the_hosts) {
    const Shape shape{80, 96};
    Stack stack{shape, drift_cases::series(shape, Scene::particles, 6)};
    float* const pixels = stack.pixels.data();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < 5 * shape.cols; ++i) pixels[shape.size() + i] = nan;  // a border
    for (std::size_t i = 0; i < shape.size(); ++i) pixels[2 * shape.size() + i] = 3;  // blank
    pixels[3 * shape.size() + 1234] = 1e6f;                                           // hot
    for (std::size_t frame = 0; frame < 6; frame += 5) {  // rows that wander
        for (std::size_t r = 0; r < shape.rows; ++r) {
            const float step = static_cast<float>((r * 37 + frame) % 11) * 3;
            for (std::size_t c = 0; c < shape.cols; ++c) {
                pixels[frame * shape.size() + r * shape.cols + c] += step;
            }
        }
    }
    check_alike(answers(stack, {}, true));
}

TEST(cuda_drift_of_coloured_noise) {
    const Shape shape{96, 96};
    Stack stack{shape, drift_cases::series(shape, Scene::particles, 3)};
    for (std::size_t i = stack.pixels.size() - 1; i > 0; --i) {
        stack.pixels[i] = (stack.pixels[i] + stack.pixels[i - 1]) / 2;
    }
    check_alike(answers(stack, {}, false));
}

TEST(cuda_drift_does_not_depend_on_order_or_chunk) {
    const Stack stack{{64, 72}, drift_cases::series({64, 72}, Scene::particles, 3)};
    const Answers one = answers(stack, {}, false, 1), many = answers(stack, {}, false, 1 << 24);
    for (const auto order : {cuda::emulation::Order::forward, cuda::emulation::Order::backward}) {
        cuda::emulation::order = order;
        const Answers other = answers(stack, {}, false, 1 << 24);
        cuda::emulation::order = cuda::emulation::Order::shuffled;
        for (std::size_t i = 0; i < stack.count(); ++i) {
            CHECK(one.gpu[i].shift == many.gpu[i].shift);
            CHECK(other.gpu[i].shift == many.gpu[i].shift);
            CHECK(other.gpu[i].sigma == many.gpu[i].sigma);
        }
    }
}

TEST(cuda_drift_says_which_frame_is_not_finite) {
    Stack stack{{32, 32}, drift_cases::series({32, 32}, Scene::particles, 3)};
    stack.pixels[2 * 1024 + 500] = std::numeric_limits<float>::infinity();
    CHECK_THROWS(answers(stack, {}, false), std::invalid_argument,
                 "stack[2] holds NaN or infinity");
}
