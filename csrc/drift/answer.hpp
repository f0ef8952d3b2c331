// What is said of a pair of frames: the drift, its standard deviation, and what else it could be.
#pragma once

#include <array>
#include <limits>
#include <vector>

namespace stemzoo::drift {

// Along y and x, in pixels.
using Vector = std::array<double, 2>;

struct Candidate {
    Vector shift;
    double probability;
};

// Why a drift is not to be trusted. The first that holds is told.
enum class Reason { none, nothing, chance, limit, others, broad, no_peak };

// The sentence for people; empty for Reason::none.
const char* text(Reason reason);

// Features moved by `shift`: moving(r) = reference(r - shift).
struct Drift {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    static constexpr double infinite = std::numeric_limits<double>::infinity();

    Vector shift{unknown, unknown};
    Vector sigma{infinite, infinite};
    double score = 0;                   // Pearson's correlation of the overlap at that drift
    std::vector<Candidate> candidates;  // other drifts, the most probable first
    Reason reason = Reason::nothing;

    bool ambiguous() const { return reason != Reason::none; }
    // Whether the frames correlate anywhere.
    bool known() const;
    // What the candidates leave of one; 0 without an answer.
    double probability() const;
};

}  // namespace stemzoo::drift
