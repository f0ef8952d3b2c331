#include "drift/estimator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/parallel.hpp"
#include "drift/chance.hpp"
#include "drift/classical.hpp"
#include "drift/coarse_approach.hpp"
#include "drift/decision.hpp"
#include "drift/evidence.hpp"
#include "drift/look.hpp"
#include "drift/peak_top.hpp"
#include "drift/refine.hpp"
#include "drift/white_pair.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t most_told = 256, few_told = 16;  // the answer and its candidates
constexpr double plain_evidence = 12;  // of coarse features, with which fine ones cannot disagree
constexpr double peak_width = 1;       // px: a refined drift farther from its peak is none
constexpr double located_sigma = 0.5;  // px, at most, where a broad peak is refined

Vector place(const Peak& peak) {
    return {static_cast<double>(peak.dy), static_cast<double>(peak.dx)};
}

double distance(const Refined& found, const Vector& from) {
    return std::hypot(found.dy - from[0], found.dx - from[1]);
}

// Whether it is a peak, and nothing else comes near: fine features would say the same.
bool is_plain(const Posterior& found, const std::vector<Peak>& peaks) {
    const Candidate& best = found.candidates[0];
    const bool at_peak = std::any_of(peaks.begin(), peaks.end(),
                                     [&](const Peak& peak) { return place(peak) == best.shift; });
    return at_peak && best.probability >= sure_posterior && found.evidence >= plain_evidence;
}

// Coarse features first, and fine ones where these leave doubt and the frames have more to show.
std::optional<Posterior> weigh(PairEvidence& pair, const std::vector<Peak>& peaks,
                               const std::vector<double>& extra) {
    std::optional<Posterior> found = pair.posterior(peaks, extra, coarse_stride);
    if (pair.needed_stride() == coarse_stride || (found && is_plain(*found, peaks))) return found;
    return pair.posterior(peaks, extra, fine_stride);
}

// Whether the counts say where in a broad peak the drift is.
bool located(const std::optional<Refined>& exact) {
    return exact && std::max(exact->yy, exact->xx) <= located_sigma * located_sigma;
}

}  // namespace

bool far_from(const std::optional<Refined>& found, const Vector& peak) {
    return !found || distance(*found, peak) > peak_width;
}

namespace {

// The drift on the counts; nothing where they do not tell it to better than the peak's width. In a
// live series, where a drift is expected, the very top of the peak saves a pass of most frames.
std::optional<Refined> refine_peak(const PreparedFrame& reference, const PreparedFrame& moving,
                                   const Vector& peak, bool sharp, bool live, unsigned threads) {
    const Frame &still = *reference.counts(), &moved = *moving.counts();
    const std::optional<Vector> top = live ? peak_top(still, moved, peak) : std::nullopt;
    const Vector start = top.value_or(peak);
    std::optional<Refined> found =
        refine(still, moved, start[0], start[1], threads, top ? Start::exact : Start::rough);
    if (!sharp && far_from(found, peak)) {
        const Vector near = coarse_approach(reference.clean(), moving.clean(), peak, threads);
        found = refine(still, moved, near[0], near[1], threads);
    }
    if (sharp && far_from(found, peak)) return std::nullopt;
    return found;
}

}  // namespace

Estimator::Estimator(Shape shape, Shape reach, Network network, unsigned threads)
    : shape_(shape), reach_(reach), network_(std::move(network)), threads_(threads) {
    const Shape usual = usual_reach(shape);
    far_ = {std::max(reach.rows, usual.rows), std::max(reach.cols, usual.cols)};
}

Shape Estimator::usual_reach(Shape frame) {
    return {std::max<std::size_t>(1, frame.rows / 3), std::max<std::size_t>(1, frame.cols / 3)};
}

FramePointer Estimator::prepare(const AnyView& image, const MaskView* masked,
                                const std::string& name) const {
    const Shape shape = shape_of(image);
    if (shape != shape_) {
        throw std::invalid_argument(name + " is " + shape.text() + " pixels; expected " +
                                    shape_.text());
    }
    return prepare(drift::clean(image, masked, name));
}

FramePointer Estimator::prepare(CleanFrame clean) const {
    return std::make_shared<const PreparedFrame>(std::move(clean), threads_);
}

Drift Estimator::compare(const PreparedFrame& reference, const PreparedFrame& moving,
                         const Expectation* expected) const {
    return decide(reference, moving, expected, true);
}

Drift Estimator::compare_coarsely(const PreparedFrame& reference,
                                  const PreparedFrame& moving) const {
    return decide(reference, moving, nullptr, false);
}

Drift Estimator::decide(const PreparedFrame& reference, const PreparedFrame& moving,
                        const Expectation* expected, bool refined) const {
    const std::optional<WhitePair> white = whitened(reference, moving, threads_);
    if (!white) return decide_white(reference, moving, expected, refined);
    Drift answer = decide_white(*white->reference, *white->moving, expected, refined);
    if (answer.known()) answer.score = correlation(reference, moving, answer.shift);
    return answer;
}

PairEvidence Estimator::evidence(const PreparedFrame& reference,
                                 const PreparedFrame& moving) const {
    return {reference, moving, {shape_, reach_, far_, network_, threads_}};
}

Drift Estimator::decide_white(const PreparedFrame& reference, const PreparedFrame& moving,
                              const Expectation* expected, bool refined) const {
    const Frame *const still = reference.counts(), *const moved = moving.counts();
    if (still == nullptr || moved == nullptr) return {};
    const auto correlation_at = [&](const Vector& shift) {
        return correlation(reference, moving, shift);
    };
    PairEvidence pair = evidence(reference, moving);
    std::vector<Peak> peaks;
    with_work_ahead(
        worthwhile_threads(shape_.size(), pixels_a_thread, threads_),
        [&] { peaks = drift::peaks(*still, *moved, reach_, most_peaks, threads_); },
        [&] {
            still->powers();
            moved->powers();
        });
    const std::optional<Choice> choice = choose(peaks, pair, expected, correlation_at);
    if (!choice) return {};
    Measured found{};
    if (refined) {
        found.exact = refine_peak(reference, moving, choice->peak, choice->sharp,
                                  expected != nullptr, threads_);
    }
    const Vector shift = place(*choice, found.exact);
    found.score = correlation_at(shift);
    found.by_chance = chance(*still, *moved, shift[0], shift[1]);
    return conclude(*choice, found, pair, refined);
}

std::optional<Estimator::Choice> Estimator::choose(const std::vector<Peak>& peaks,
                                                   PairEvidence& pair, const Expectation* expected,
                                                   const Correlation& correlation_at) const {
    Choice choice{{}, {}, false, peaks.size()};
    if (const auto only = unrivalled_peak(peaks, expected)) {
        choice.found = {{{drift::place(peaks[*only]), 1}}, std::numeric_limits<double>::infinity()};
    } else {
        // A network's features have seen what the heights of peaks tell.
        std::vector<double> extra;
        if (!network_ && !peaks.empty()) {
            extra = peak_log_odds(peaks, correlation_at(drift::place(peaks[0])), shape_);
        }
        std::optional<Posterior> weighed = weigh(pair, peaks, extra);
        if (!weighed) return std::nullopt;
        choice.found = std::move(*weighed);
    }
    choice.peak = choice.found.candidates[0].shift;
    choice.sharp = at_sharp_peak(peaks, choice.peak);
    return choice;
}

Vector Estimator::place(const Choice& choice, const std::optional<Refined>& exact) {
    return exact ? Vector{exact->dy, exact->dx} : choice.peak;
}

Drift Estimator::conclude(const Choice& choice, const Measured& measured, PairEvidence& pair,
                          bool refined) const {
    const Posterior& found = choice.found;
    const std::optional<Refined>& exact = measured.exact;
    Drift answer{place(choice, exact), {peak_sigma, peak_sigma}, measured.score, {}, Reason::none};
    if (exact) answer.sigma = {std::sqrt(exact->yy), std::sqrt(exact->xx)};
    const Vector reach{static_cast<double>(reach_.rows), static_cast<double>(reach_.cols)};
    if (!drift::beyond_chance(answer.score, measured.by_chance, choice.peaks) &&
        !pair.beyond_chance(answer.shift)) {
        answer.reason = Reason::chance;
    } else if (at_limit(answer.shift, reach)) {
        answer.reason = Reason::limit;
    } else if (found.candidates[0].probability < sure_posterior || found.evidence < sure_evidence) {
        answer.reason = Reason::others;
    } else if (refined && !choice.sharp && !located(exact)) {
        answer.reason = Reason::broad;
    }
    const std::size_t told = std::min(found.candidates.size(), refined ? most_told : few_told);
    answer.candidates.assign(found.candidates.begin() + 1,
                             found.candidates.begin() + static_cast<std::ptrdiff_t>(told));
    return answer;
}

std::vector<Drift> Estimator::compare_all(const PreparedFrame& reference,
                                          const std::vector<AnyView>& moving,
                                          const std::string& name) const {
    const Estimator alone = on_one_thread();
    std::vector<Drift> found(moving.size());
    parallel_for(moving.size(), threads_, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const FramePointer frame =
                alone.prepare(moving[i], nullptr, name + "[" + std::to_string(i) + "]");
            found[i] = alone.compare(reference, *frame, nullptr);
        }
    });
    return found;
}

std::optional<Drift> Estimator::confirm(const PreparedFrame& reference, const PreparedFrame& moving,
                                        const Expectation& expected) const {
    const std::optional<WhitePair> white = whitened(reference, moving, threads_);
    if (!white) return confirm_white(reference, moving, expected);
    std::optional<Drift> answer = confirm_white(*white->reference, *white->moving, expected);
    if (answer) answer->score = correlation(reference, moving, answer->shift);
    return answer;
}

std::optional<Drift> Estimator::confirm_white(const PreparedFrame& reference,
                                              const PreparedFrame& moving,
                                              const Expectation& expected) const {
    const Frame *const still = reference.counts(), *const moved = moving.counts();
    if (still == nullptr || moved == nullptr) return std::nullopt;
    const auto around = [&](std::size_t axis, std::size_t most) {
        const double excluded_from = excluded * std::hypot(expected.sigma[axis], peak_sigma),
                     farthest = std::ceil(std::abs(expected.shift[axis]) + excluded_from);
        return farthest < static_cast<double>(most) ? static_cast<std::size_t>(farthest) : most;
    };
    const Shape reach{around(0, reach_.rows), around(1, reach_.cols)};
    const std::vector<Peak> peaks = drift::peaks(*still, *moved, reach, most_peaks, threads_);
    const auto only = expected_peak(peaks, expected);
    if (!only) return std::nullopt;
    const Vector shift = drift::place(peaks[*only]);
    Drift answer{shift, {peak_sigma, peak_sigma}, 0, {}, Reason::none};
    answer.score = correlation(reference, moving, shift);
    const double by_chance = chance(*still, *moved, shift[0], shift[1]);
    PairEvidence pair = evidence(reference, moving);
    if (!drift::beyond_chance(answer.score, by_chance, most_peaks) && !pair.beyond_chance(shift)) {
        answer.reason = Reason::chance;
    }
    return answer;
}

double Estimator::correlation(const PreparedFrame& reference, const PreparedFrame& moving,
                              const Vector& shift) const {
    const Frame *const still = reference.counts(), *const moved = moving.counts();
    if (still == nullptr || moved == nullptr) return 0;
    return overlap_correlation(*still, *moved, shift[0], shift[1]);
}

bool Estimator::beyond_chance(const PreparedFrame& reference, const PreparedFrame& moving,
                              const Vector& shift, std::size_t places) const {
    const std::optional<WhitePair> white = whitened(reference, moving, threads_);
    if (!white) return white_beyond_chance(reference, moving, shift, places);
    return white_beyond_chance(*white->reference, *white->moving, shift, places);
}

bool Estimator::white_beyond_chance(const PreparedFrame& reference, const PreparedFrame& moving,
                                    const Vector& shift, std::size_t places) const {
    const Frame *const still = reference.counts(), *const moved = moving.counts();
    if (still == nullptr || moved == nullptr) return false;
    const double score = correlation(reference, moving, shift),
                 by_chance = chance(*still, *moved, shift[0], shift[1]);
    if (drift::beyond_chance(score, by_chance, places)) return true;
    PairEvidence pair = evidence(reference, moving);
    return pair.beyond_chance(shift);
}

}  // namespace stemzoo::drift
