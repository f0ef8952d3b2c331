#include "bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "device.hpp"
#include "drifts.hpp"

namespace gpu {
namespace {

using Floats = std::vector<float>;

// A pattern that is no lattice; random numbers would take longer than what is measured.
Floats pattern(std::size_t count) {
    Floats pixels(count);
    for (std::size_t i = 0; i < count; ++i) {
        pixels[i] = static_cast<float>(i * 2654435761u % 1000003u) * 1e-6f;
    }
    return pixels;
}

// Seconds, the median of several runs after one that does not count. Calls end when work is done.
template <typename F>
double seconds(F run, int runs = 11) {
    run();
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        run();
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        times.push_back(time.count());
    }
    std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
    return times[static_cast<std::size_t>(runs / 2)];
}

void print(const std::string& name, double time, double bytes) {
    std::cout << "{\"name\": \"" << name << "\", \"seconds\": " << time << ", \"bytes\": " << bytes
              << "}" << std::endl;
}

double bytes_of(std::size_t floats) { return static_cast<double>(floats * sizeof(float)); }

void bench_copy() {
    const std::size_t count = std::size_t{1} << 27;
    const Copy<float> from(count), to(count);
    const auto run = [&] {
        module().copy(device, to.data(), from.data(), count * sizeof(float), nullptr);
    };
    print("copy", seconds(run), 2 * bytes_of(count));
}

void bench_ncc(std::size_t count, Shape shape, std::size_t most) {
    const ncc::Settings settings{most, most, 0.25};
    const Floats host = pattern(count * shape.size());
    const std::size_t surface = (2 * most + 1) * (2 * most + 1);
    const std::string size = std::to_string(shape.rows);
    // Every frame is read, every surface written.
    const double floor = bytes_of(count * (shape.size() + surface));
    {
        const Copy<float> there(host), surfaces(count * surface);
        const auto prepared = correlator(frames(there.data(), 1, shape), false, settings);
        const cuda::Frames all = frames(there.data(), count, shape);
        print("ncc gpu " + size,
              seconds([&] { prepared->correlate(all, false, surfaces.data(), false, nullptr); }),
              floor);
    }
    Floats surfaces(count * surface);
    const auto prepared = correlator(frames(host.data(), 1, shape), true, settings);
    const cuda::Frames all = frames(host.data(), count, shape);
    print("ncc host to host " + size,
          seconds([&] { prepared->correlate(all, true, surfaces.data(), true, nullptr); }, 3),
          floor);
    const auto view = [&](std::size_t i) {
        return AnyView(contiguous<const float>(host.data() + i * shape.size(), shape));
    };
    const ncc::Reference on_cpu(view(0), settings);
    constexpr std::size_t some = 32;
    std::vector<AnyView> views;
    for (std::size_t i = 0; i < std::min(some, count); ++i) views.push_back(view(i));
    const double time = seconds([&] { on_cpu.correlate(views, {}, surfaces.data(), 2); }, 3);
    print("ncc cpu, two threads " + size,
          time * static_cast<double>(count) / static_cast<double>(views.size()), floor);
}

void bench_tiling(std::size_t side) {
    const Shape image{side, side};
    const Tiling tiling(image, {512, 512}, {448, 448}, Weights::hann);
    const auto on_gpu = tiles(tiling);
    const std::size_t size = tiling.windows() * tiling.tile().size();
    const Copy<float> there(pattern(image.size())), batch(size), out(image.size());
    const float fill = 0;
    const auto split = [&] {
        on_gpu->split(frames(there.data(), 1, image), 0.5, 2, nullptr, 0, tiling.windows(),
                      batch.data(), nullptr);
    };
    const auto blend = [&] {
        on_gpu->blend(batch.data(), 0, tiling.windows(), 1, &fill, contiguous(out.data(), image),
                      nullptr);
    };
    const std::string name = std::to_string(side);
    print("split " + name, seconds(split), bytes_of(image.size() + size));
    print("blend " + name, seconds(blend), bytes_of(image.size() + size));
    print("split and blend " + name, seconds([&] {
              split();
              blend();
          }),
          2 * bytes_of(image.size() + size));
}

// A few frames again and again: making them takes longer than what is measured.
void bench_drift(std::size_t count, Shape shape, drift_cases::Scene scene,
                 const std::string& name) {
    constexpr std::size_t some = 8;
    Floats pixels = drift_cases::series(shape, scene, some);
    pixels.resize(count * shape.size());
    for (std::size_t i = some * shape.size(); i < pixels.size(); ++i) {
        pixels[i] = pixels[i - some * shape.size()];
    }
    const Drifts drifts(shape, std::move(pixels), std::size_t{768} << 20);
    const Drifts two(shape, drifts.pixels(), std::size_t{768} << 20, 2);
    const Copy<float> there(drifts.pixels());
    const cuda::Frames all = frames(there.data(), count, shape);
    const double bytes = bytes_of(count * shape.size());
    print(name + " gpu, all threads", seconds([&] { drifts.on_gpu(all, false); }, 5), bytes);
    print(name + " gpu, two threads", seconds([&] { two.on_gpu(all, false); }, 3), bytes);
    constexpr std::size_t timed = 32;
    const double share = static_cast<double>(count) / static_cast<double>(timed);
    print(name + " cpu, two threads", share * seconds([&] { drifts.on_cpu(timed, 2); }, 3), bytes);
    print(name + " cpu, all threads", share * seconds([&] { drifts.on_cpu(timed, 0); }, 3), bytes);
}

void bench_large(std::size_t side) {
    const Shape shape{side, side};
    const std::size_t before = module().describe(device).free_bytes;
    const Copy<float> there(pattern(shape.size())), surface(65 * 65);
    const auto prepared = correlator(frames(there.data(), 1, shape), false, {32, 32, 0.25});
    const cuda::Frames frame = frames(there.data(), 1, shape);
    const double time =
        seconds([&] { prepared->correlate(frame, false, surface.data(), false, nullptr); }, 3);
    print("ncc gpu " + std::to_string(side), time, bytes_of(shape.size() + 65 * 65));
    const std::size_t used = before - module().describe(device).free_bytes;
    std::cout << "{\"name\": \"memory " << side << "\", \"bytes\": " << used
              << ", \"correlator\": " << prepared->bytes() << "}" << std::endl;
    const float value = surface.values()[65 * 32 + 32];
    if (!(std::abs(value - 1) < 1e-5f)) throw std::runtime_error("a frame is unlike itself");
}

void name_card() {
    std::cout << "{\"name\": \"card\", \"card\": \"" << module().describe(device).name << "\"}"
              << std::endl;
    bench_copy();
}

}  // namespace

void bench(const std::string& what) {
    if (what == "card") return name_card();
    if (what == "ncc") return bench_ncc(256, {512, 512}, 32);
    if (what == "tiling") return bench_tiling(4096);
    if (what == "large") return bench_large(16384);
    if (what != "drift") throw std::invalid_argument("there is no figure called " + what);
    bench_drift(256, {512, 512}, drift_cases::Scene::particles, "drift of particles 512");
    bench_drift(256, {512, 512}, drift_cases::Scene::lattice, "drift of a lattice 512");
}

}  // namespace gpu
