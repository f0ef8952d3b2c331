// Log-odds of every drift of one pair of frames, from features of each.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "drift/candidates.hpp"
#include "drift/network.hpp"
#include "drift/prepared_frame.hpp"

namespace stemzoo::drift {

// What the features of all frames of an estimator have in common.
struct EvidenceSettings {
    Shape shape, reach, far;
    const Network& network;
    unsigned threads;
};

// Features near invalid pixels do not count: one for features that have seen valid pixels only,
// else zero.
std::vector<float> trusted_features(const Flags& missing, Shape frame, std::size_t stride);

class PairEvidence {
  public:
    PairEvidence(const PreparedFrame& reference, const PreparedFrame& moving,
                 const EvidenceSettings& settings)
        : reference_(reference), moving_(moving), settings_(settings) {}

    // The stride at which both frames show all detail that they have in common.
    std::size_t needed_stride();

    // The posterior over peaks, and over the most probable shift of all. `extra` are log-odds that
    // the peaks have of themselves. Nothing where there is no candidate.
    std::optional<Posterior> posterior(const std::vector<Peak>& peaks,
                                       const std::vector<double>& extra, std::size_t stride);

    // Whether what is left without the lattice correlates at a drift by more than it does by chance
    // at all others.
    bool beyond_chance(const Vector& shift);

  private:
    struct Correlation {
        Scratch<float> values;
        Shape shape;
        double deviation = 0;
    };

    std::shared_ptr<const Evidence> of(const PreparedFrame& frame, std::size_t stride) const;
    // Of the frames without their lattice, at the coarse stride kept for the other question.
    const Correlation& coarse_correlation();
    Correlation correlate(std::size_t stride) const;
    Scratch<float> log_odds(const Correlation& rest, Shape extent, std::size_t stride) const;

    const PreparedFrame& reference_;
    const PreparedFrame& moving_;
    const EvidenceSettings settings_;
    std::optional<Correlation> coarse_;
};

}  // namespace stemzoo::drift
