#include "drift/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "core/kept.hpp"
#include "drift/classical.hpp"
#include "drift/decision.hpp"
#include "drift/look.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t blind = 4;  // features: how far a network and the blur look

struct PriorKey {
    Shape extent, reach, frame;
    std::size_t stride;
    bool operator==(const PriorKey& other) const {
        return std::tie(extent.rows, extent.cols, reach.rows, reach.cols, frame.rows, frame.cols,
                        stride) == std::tie(other.extent.rows, other.extent.cols, other.reach.rows,
                                            other.reach.cols, other.frame.rows, other.frame.cols,
                                            other.stride);
    }
};

std::shared_ptr<const std::vector<float>> prior_for(const PriorKey& key) {
    static Kept<PriorKey, std::vector<float>> kept;
    return kept.get(key, [](const PriorKey& k) {
        return std::make_shared<const std::vector<float>>(
            prior_surface(k.extent, k.reach, k.frame, k.stride));
    });
}

// Marks whatever is within `distance` of a marked element, along one axis of a mask.
void widen(const Flags& from, std::size_t lines, std::size_t line_step, std::size_t count,
           std::size_t step, std::size_t distance, Flags& to) {
    std::vector<std::uint32_t> sums(count + 1);
    for (std::size_t line = 0; line < lines; ++line) {
        const std::size_t start = line * line_step;
        for (std::size_t i = 0; i < count; ++i) sums[i + 1] = sums[i] + from[start + i * step];
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t end = std::min(i + distance + 1, count),
                              begin = i - std::min(i, distance);
            to[start + i * step] = sums[end] > sums[begin];
        }
    }
}

// The frame's band-pass has left the spectrum that a look begins with, if both see the same pixels.
Look look_at(const PreparedFrame& frame, unsigned threads) {
    const Shape shape = frame.shape();
    const bool whole = shape.rows % look_multiple == 0 && shape.cols % look_multiple == 0;
    if (whole && frame.clean().invalid.empty() && frame.counts() != nullptr) {
        Scratch<float> tapered = frame.counts()->take_tapered();
        if (tapered.data() != nullptr) return {shape, std::move(tapered)};
    }
    return {frame.clean().view(), threads};
}

std::shared_ptr<const Evidence> make_evidence(const PreparedFrame& prepared,
                                              const EvidenceSettings& settings,
                                              std::size_t stride) {
    const CleanFrame& frame = prepared.clean();
    const Shape shape = look_shape(frame.shape, stride);
    const std::size_t size = shape.size();
    const Scratch<float> look(3 * size);
    auto evidence = std::make_shared<Evidence>();
    {
        Look seen = look_at(prepared, settings.threads);
        evidence->needed = seen.stride();
        seen.channels(stride, look.data(), settings.threads);
    }
    std::vector<float> trust;
    if (!frame.missing.empty()) trust = trusted_features(frame.missing, frame.shape, stride);
    if (settings.network) {
        const Maps maps = settings.network(look.data(), shape);
        if (maps.shape != shape) {
            throw std::invalid_argument("the network made maps of " + maps.shape.text() +
                                        " from a look of " + shape.text() +
                                        "; expected maps of the same shape");
        }
        const Shape extent = lag_extent(settings.reach, frame.shape, stride);
        Scratch<float> weighted;
        if (!trust.empty()) {
            weighted = Scratch<float>(maps.count * size);
            for (std::size_t i = 0; i < maps.count * size; ++i) {
                weighted[i] = maps.data[i] * trust[i % size];
            }
        }
        evidence->maps.emplace(trust.empty() ? maps.data : weighted.data(), maps.count, shape,
                               extent, settings.threads);
    }
    float* const rest = look.data() + 2 * size;
    blur(rest, shape);
    for (std::size_t i = 0; i < trust.size(); ++i) rest[i] *= trust[i];
    evidence->rest.emplace(rest, 1, shape, lag_extent(settings.far, frame.shape, stride),
                           settings.threads);
    return evidence;
}

}  // namespace

std::vector<float> trusted_features(const Flags& missing, Shape frame, std::size_t stride) {
    const Shape look = look_shape(frame, stride), seen{look.rows * stride, look.cols * stride};
    Flags lost(seen.size()), wide(seen.size());
    for (std::size_t r = 0; r < seen.rows; ++r) {
        for (std::size_t c = 0; c < seen.cols; ++c) {
            lost[r * seen.cols + c] = missing[r * frame.cols + c] != 0;
        }
    }
    widen(lost, seen.cols, 1, seen.rows, seen.cols, blind * stride, wide);
    widen(wide, seen.rows, seen.cols, seen.cols, 1, blind * stride, lost);
    std::vector<float> trust;
    for (std::size_t r = 0; r < look.rows; ++r) {
        for (std::size_t c = 0; c < look.cols; ++c) {
            trust.push_back(lost[r * stride * seen.cols + c * stride] != 0 ? 0.0f : 1.0f);
        }
    }
    return trust;
}

std::shared_ptr<const Evidence> PairEvidence::of(const PreparedFrame& frame,
                                                 std::size_t stride) const {
    return frame.evidence(
        stride, [&](std::size_t wanted) { return make_evidence(frame, settings_, wanted); });
}

std::size_t PairEvidence::needed_stride() {
    // A frame that shows all its detail at the fine stride needs no more than the other has.
    return std::min(of(reference_, coarse_stride)->needed, of(moving_, coarse_stride)->needed);
}

PairEvidence::Correlation PairEvidence::correlate(std::size_t stride) const {
    const auto still = of(reference_, stride), moved = of(moving_, stride);
    Correlation found;
    found.shape = still->rest->surface_shape();
    found.values = Scratch<float>(found.shape.size());
    still->rest->log_odds(*moved->rest, found.values.data(), settings_.threads);
    found.deviation = standard_deviation(found.values.data(), found.shape.size());
    return found;
}

const PairEvidence::Correlation& PairEvidence::coarse_correlation() {
    if (!coarse_) coarse_ = correlate(coarse_stride);
    return *coarse_;
}

// The middle of the correlation as log-odds, and those of the network.
Scratch<float> PairEvidence::log_odds(const Correlation& rest, Shape extent,
                                      std::size_t stride) const {
    const Shape shape{2 * extent.rows + 1, 2 * extent.cols + 1};
    const std::size_t top = rest.shape.rows / 2 - extent.rows,
                      left = rest.shape.cols / 2 - extent.cols;
    Scratch<float> odds(shape.size());
    for (std::size_t r = 0; r < shape.rows; ++r) {
        std::copy_n(rest.values.data() + (top + r) * rest.shape.cols + left, shape.cols,
                    odds.data() + r * shape.cols);
    }
    classical_log_odds(odds.data(), shape.size(), rest.deviation);
    const auto still = of(reference_, stride), moved = of(moving_, stride);
    if (still->maps && moved->maps) {
        const Scratch<float> more(shape.size());
        still->maps->log_odds(*moved->maps, more.data(), settings_.threads);
        for (std::size_t i = 0; i < shape.size(); ++i) odds[i] += more[i];
    }
    return odds;
}

std::optional<Posterior> PairEvidence::posterior(const std::vector<Peak>& peaks,
                                                 const std::vector<double>& extra,
                                                 std::size_t stride) {
    const Shape extent = lag_extent(settings_.reach, settings_.shape, stride),
                shape{2 * extent.rows + 1, 2 * extent.cols + 1};
    std::optional<Correlation> fine;
    if (stride != coarse_stride) fine = correlate(stride);
    const Scratch<float> odds = log_odds(fine ? *fine : coarse_correlation(), extent, stride);
    const Surface surface{odds.data(), shape, stride};
    std::vector<Vector> shifts;
    for (const Peak& peak : peaks) {
        shifts.push_back({static_cast<double>(peak.dy), static_cast<double>(peak.dx)});
    }
    if (settings_.network || peaks.empty()) {
        add_most_probable(shifts, surface,
                          *prior_for({extent, settings_.reach, settings_.shape, stride}));
    }
    if (shifts.empty()) return std::nullopt;
    Posterior found = drift::posterior(shifts, surface, settings_.shape, extra);
    if (found.candidates.empty()) return std::nullopt;  // the maps of a network held NaN
    return found;
}

bool PairEvidence::beyond_chance(const Vector& shift) {
    const Correlation& rest = coarse_correlation();
    const double there = Surface{rest.values.data(), rest.shape, coarse_stride}.at(shift),
                 deviation = std::max(rest.deviation, 1e-30),
                 root = std::sqrt(static_cast<double>(rest.shape.size()));
    return drift::beyond_chance(there / deviation / root, 1 / root, rest.shape.size());
}

}  // namespace stemzoo::drift
