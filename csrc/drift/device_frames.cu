#include <algorithm>
#include <cmath>

#include "core/taper.hpp"
#include "drift/device_frames.hpp"
#include "spectrum/whiteness_kernel.hpp"

namespace stemzoo::cuda {
namespace {

template <typename T>
Buffer<T> uploaded(const Queue& queue, const std::vector<T>& values) {
    Buffer<T> there(queue, values.size());
    queue.copy(there.data(), values.data(), there.bytes());
    queue.wait();
    return there;
}

template <typename T>
std::vector<T> downloaded(const Queue& queue, const Buffer<T>& there) {
    std::vector<T> values(there.size());
    queue.copy(values.data(), there.data(), there.bytes());
    queue.wait();
    return values;
}

// Every frequency that a ring has, among those that are held.
std::vector<std::uint32_t> held_places(const drift::Rings& rings, const FrameGrid& grid) {
    std::vector<std::uint32_t> places;
    for (const std::uint32_t place : rings.places) {
        std::size_t ky = place / grid.image.cols, kx = place % grid.image.cols;
        if (kx >= grid.half()) {
            ky = grid.opposite_row(ky);
            kx = grid.image.cols - kx;
        }
        places.push_back(static_cast<std::uint32_t>(ky * grid.half() + kx));
    }
    return places;
}

FftLayout rows_layout(const FrameGrid& grid, FftKind kind) {
    const bool to_real = kind == FftKind::complex_to_real;
    return {kind,
            false,
            grid.image.cols,
            grid.image.rows * grid.chunk,
            1,
            to_real ? grid.half() : grid.image.cols,
            1,
            to_real ? grid.image.cols : grid.half()};
}

FftLayout columns_layout(const FrameGrid& grid, FftKind kind) {
    const std::size_t columns = grid.chunk * grid.half();
    return {kind, false, grid.image.rows, columns, columns, 1, columns, 1};
}

}  // namespace

DriftTables::DriftTables(const Queue& queue, const DriftSettings& settings)
    : taper_down_(uploaded(queue, taper(settings.image.rows))),
      taper_across_(uploaded(queue, taper(settings.image.cols))),
      x2_(uploaded(queue, settings.band.x2)),
      y2_(uploaded(queue, settings.band.y2)),
      along_(uploaded(queue, settings.band.along)),
      band_down_(uploaded(queue, settings.band.down)),
      places_(uploaded(queue, held_places(settings.rings, {settings.image, 1}))),
      slow2_(settings.band.slow2),
      loud_(settings.band.loud),
      shown2_(settings.band.shown2),
      patches_(settings.patches),
      standing_out_(settings.standing_out) {
    std::copy_n(settings.rings.begin, Rings::count + 1, rings_.begin);
    std::copy_n(settings.rings.twice, Rings::count, rings_.twice);
}

DeviceBand DriftTables::band() const {
    return {x2_.data(), y2_.data(), along_.data(), band_down_.data(), slow2_, loud_, shown2_};
}

DeviceRings DriftTables::rings() const {
    DeviceRings rings = rings_;
    rings.places = places_.data();
    return rings;
}

std::size_t DriftTables::bytes() const {
    return taper_down_.bytes() + taper_across_.bytes() + x2_.bytes() + y2_.bytes() +
           along_.bytes() + band_down_.bytes() + places_.bytes();
}

ChunkFft::ChunkFft(const Queue& queue, const FrameGrid& grid)
    : to_rows_(queue, rows_layout(grid, FftKind::real_to_complex)),
      to_columns_(queue, columns_layout(grid, FftKind::forward)),
      from_columns_(queue, columns_layout(grid, FftKind::backward)),
      from_rows_(queue, rows_layout(grid, FftKind::complex_to_real)),
      work_(queue, std::max({to_rows_.work_bytes(), to_columns_.work_bytes(),
                             from_columns_.work_bytes(), from_rows_.work_bytes()})) {
    for (const Fft* fft : {&to_rows_, &to_columns_, &from_columns_, &from_rows_}) {
        fft->set_work(work_.data());
    }
}

void ChunkFft::forward(const Queue& queue, const float* images, Complex<float>* spectra) const {
    to_rows_.run(queue, images, spectra);
    to_columns_.run(queue, spectra, spectra);
}

void ChunkFft::backward(const Queue& queue, Complex<float>* spectra, float* images) const {
    from_columns_.run(queue, spectra, spectra);
    from_rows_.run(queue, spectra, images);
}

DriftFrames::DriftFrames(const Queue& queue, const FrameGrid& grid)
    : grid_(grid),
      clean_(queue, grid.pixels()),
      pixels_(queue, grid.pixels()),
      scalings_(queue, grid.chunk),
      spectra_(queue, grid.places()),
      faded_(queue, grid.places()),
      lines_(queue, grid.places()),
      excess_(queue, grid.places()),
      heights_(queue, grid.places()),
      scales_(queue, grid.chunk * grid.half()),
      corners_(queue, grid.chunk * parts),
      noise_(queue, grid.chunk),
      log_powers_(queue, grid.chunk * 4),
      bands_(queue, grid.chunk * parts),
      ring_powers_(queue, grid.chunk * Rings::count) {}

std::size_t DriftFrames::bytes() const {
    return clean_.bytes() + pixels_.bytes() + scalings_.bytes() + spectra_.bytes() +
           faded_.bytes() + lines_.bytes() + excess_.bytes() + heights_.bytes() + scales_.bytes() +
           corners_.bytes() + noise_.bytes() + log_powers_.bytes() + bands_.bytes() +
           ring_powers_.bytes();
}

std::vector<DriftSummary> DriftFrames::load(const Queue& queue, const DriftTables& tables,
                                            const ChunkFft& fft, const float* clean,
                                            const std::vector<ncc::Scaling>& scalings,
                                            float* spare) {
    const std::size_t count = scalings.size();
    queue.copy(clean_.data(), clean, count * grid_.image.size() * sizeof(float));
    queue.copy(scalings_.data(), scalings.data(), count * sizeof scalings[0]);
    launch(queue, {number(grid_.image.cols), number(grid_.chunk), number(grid_.image.rows)},
           ScaleAndFade{grid_, clean_.data(), count, scalings_.data(), tables.down(),
                        tables.across(), pixels_.data(), spare});
    fft.forward(queue, pixels_.data(), spectra_.data());
    fft.forward(queue, spare, faded_.data());
    measure_power(queue);
    measure_band(queue, tables);
    measure_rings(queue, tables);
    const auto noise = downloaded(queue, noise_), log_powers = downloaded(queue, log_powers_);
    const auto bands = downloaded(queue, bands_);
    const auto rings = downloaded(queue, ring_powers_);
    std::vector<DriftSummary> found(count);
    for (std::size_t f = 0; f < count; ++f) {
        found[f].noise = noise[f];
        BandSum band = bands[f * parts];
        for (unsigned part = 1; part < parts; ++part) band.join(bands[f * parts + part]);
        found[f].band = band;
        std::copy_n(log_powers.data() + f * 4, 4, found[f].log_powers.data());
        for (std::size_t ring = 0; ring < Rings::count; ++ring) {
            found[f].power += rings[f * Rings::count + ring].total;
        }
    }
    return found;
}

void DriftFrames::measure_power(const Queue& queue) {
    const Index places{number(grid_.half()), number(grid_.chunk), number(grid_.image.rows)};
    launch(queue, places, PowerLine{grid_, spectra_.data(), lines_.data()});
    launch_sums(queue, {parts, number(grid_.chunk), 1}, CornerPower{grid_, lines_.data()},
                corners_.data());
    launch(
        queue, {places.x, places.y, 1},
        ScaleColumns{grid_, lines_.data(), corners_.data(), parts, noise_.data(), scales_.data()});
    launch(queue, places, Excess{grid_, lines_.data(), scales_.data(), excess_.data()});
}

void DriftFrames::measure_band(const Queue& queue, const DriftTables& tables) {
    launch_sums(queue, {parts, number(grid_.chunk), 1},
                BandTerms{grid_, faded_.data(), noise_.data(), tables.band()}, bands_.data());
    LogPower colours{grid_, faded_.data(), {}, {}, log_powers_.data()};
    for (std::size_t i = 0; i < 4; ++i) {
        colours.patches[i] = tables.patches()[i];
        colours.rough_steps[i] = tables.patches()[i].rough_step();
    }
    launch_blocks(queue, {4, number(grid_.chunk), 1}, colours);
}

void DriftFrames::measure_rings(const Queue& queue, const DriftTables& tables) {
    constexpr double pi = 3.14159265358979323846;
    const double down = pi / static_cast<double>(grid_.image.rows),
                 along = pi / static_cast<double>(grid_.image.cols);
    const auto re = [](double angle) { return static_cast<float>(std::cos(angle)); };
    const auto im = [](double angle) { return static_cast<float>(std::sin(angle)); };
    launch(queue, {number(grid_.half()), number(grid_.chunk), number(grid_.image.rows)},
           HannHeight{grid_, spectra_.data(), re(down), im(down), re(along), im(along),
                      heights_.data()});
    launch_blocks(queue, {Rings::count, number(grid_.chunk), 1},
                  RingLevel{grid_, tables.rings(), heights_.data(), tables.standing_out(),
                            ring_powers_.data()});
}

}  // namespace stemzoo::cuda
