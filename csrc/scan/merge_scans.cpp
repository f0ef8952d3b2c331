#include "scan/merge_scans.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "drift/missing.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/first_paths.hpp"
#include "scan/place_rows.hpp"
#include "scan/splat.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t least_side = 64;  // px
constexpr double least_angle = 10;      // degrees between two directions of scanning
constexpr float seen = 0.25f;           // samples from which on a pixel is known
constexpr double widest_border = 0.2;   // of a side
constexpr int sharpenings = 3;
constexpr int most_attempts = 3;
constexpr double longest_step = 1;  // px
constexpr std::size_t most_beside = 4;

// Degrees between the fast directions of two scans, at most 90.
double between(double one, double other) {
    const double turn = std::fmod(std::abs(one - other), 180.0);
    return std::min(turn, 180 - turn);
}

// The first scan and the first in another direction, which pin what either cannot know.
std::size_t partner(const std::vector<Scan>& scans) {
    for (std::size_t k = 1; k < scans.size(); ++k) {
        if (between(scans[k].angle, scans[0].angle) >= least_angle) return k;
    }
    throw std::invalid_argument(
        "all " + std::to_string(scans.size()) +
        " scans are in one direction; expected two directions at least " +
        std::to_string(static_cast<int>(least_angle)) +
        " degrees apart, such as 0 and 90: a drift along rows that both show alike is unknown");
}

void check(const std::vector<Scan>& scans) {
    if (scans.size() < 2) {
        throw std::invalid_argument("got " + std::to_string(scans.size()) +
                                    " scan(s); expected two or more of one place");
    }
    for (const Scan& scan : scans) {
        if (!std::isfinite(scan.angle)) {
            throw std::invalid_argument("an angle is not finite; expected degrees");
        }
        if (std::min(scan.shape.rows, scan.shape.cols) < least_side) {
            throw std::invalid_argument("a scan is " + scan.shape.text() +
                                        " pixels; expected at least " + std::to_string(least_side) +
                                        " along either side");
        }
    }
}

Splat splat_of(const Scan& scan, Shape shape, unsigned threads) {
    Splat splat(shape);
    add(*Loaded(scan), splat, threads);
    return splat;
}

// Which lattice vector: features of the straightened pictures decide, and move the second scan.
drift::Drift decide(const std::vector<Scan>& placed, Scan& second, Shape shape,
                    const drift::Comparison& comparison, unsigned threads) {
    const auto frame = [&](const std::vector<Scan>& scans, const char* name) {
        Merge merge = merge_along(scans, shape, threads);
        const std::vector<float>& picture = merge.whole;
        // Gaps between rows are filled: masked where rows jitter, they would pass for features.
        const std::vector<float> around = density(merge.coverage, shape, threads);
        drift::Flags unseen(picture.size());
        std::transform(around.begin(), around.end(), unseen.begin(),
                       [](float samples) { return samples < seen; });
        const auto mask = contiguous<const std::uint8_t>(unseen.data(), shape);
        const bool whole = std::none_of(unseen.begin(), unseen.end(), [](auto f) { return f; });
        return comparison.prepare(contiguous<const float>(picture.data(), shape),
                                  whole ? nullptr : &mask, name);
    };
    const drift::Drift found =
        comparison.compare(*frame(placed, "first"), *frame({second}, "second"), nullptr);
    if (!found.known()) return found;
    const Pair d = Placement(second, shape).turned_back({-found.shift[0], -found.shift[1]});
    for (Pair& place : second.path) {
        place.y += d.y;
        place.x += d.x;
    }
    return found;
}

// Whether the decision moved a scan farther than its rows were placed within.
bool hops(const drift::Drift& found) {
    return found.known() && std::hypot(found.shift[0], found.shift[1]) > longest_step;
}

bool less_certain(const drift::Drift& one, const drift::Drift& other) {
    if (one.ambiguous() != other.ambiguous()) return one.ambiguous();
    return one.probability() < other.probability();
}

bool is_smooth(std::size_t n) {
    for (const std::size_t prime : {2, 3, 5, 7}) {
        while (n % prime == 0) n /= prime;
    }
    return n == 1;
}

// A picture about the same middle that also holds most of what drifted out of view, of sides whose
// Fourier transform is fast.
Shape enclosing(const std::vector<Scan>& scans, Shape shape) {
    double beyond_y = 0, beyond_x = 0;
    for (const Scan& scan : scans) {
        const Placement placement(scan, shape);
        for (std::size_t row = 0; row < scan.shape.rows; ++row) {
            for (const double x : {0.0, static_cast<double>(scan.shape.cols) - 1}) {
                const Pair d = scan.path[row];
                const Pair at = placement.to_picture({static_cast<double>(row) + d.y, x + d.x});
                beyond_y = std::max({beyond_y, -at.y, at.y - static_cast<double>(shape.rows - 1)});
                beyond_x = std::max({beyond_x, -at.x, at.x - static_cast<double>(shape.cols - 1)});
            }
        }
    }
    const auto grown = [](std::size_t side, double beyond) {
        const double most = static_cast<double>(side) * widest_border;
        side += 2 * static_cast<std::size_t>(std::min(std::ceil(beyond) + 2, most));
        while (!is_smooth(side)) side += 2;
        return side;
    };
    return {grown(shape.rows, beyond_y), grown(shape.cols, beyond_x)};
}

// The picture lies where the first scan lay on average.
void centre(std::vector<Scan>& scans, Shape shape) {
    Pair mean;
    for (const Pair& place : scans[0].path) {
        mean.y += place.y / static_cast<double>(scans[0].path.size());
        mean.x += place.x / static_cast<double>(scans[0].path.size());
    }
    const Pair moved = Placement(scans[0], shape).turned(mean);
    for (Scan& scan : scans) {
        const Pair d = Placement(scan, shape).turned_back(moved);
        for (Pair& place : scan.path) {
            place.y -= d.y;
            place.x -= d.x;
        }
    }
}

// Places rows of scans by what the others show.
struct Rows {
    std::vector<Scan>& scans;
    Shape picture;
    unsigned threads;
    std::vector<std::vector<Pair>> sigma{scans.size()};

    // Of those named, one after another, by the first `count` scans.
    void place(const std::vector<std::size_t>& named, std::size_t count, Search search) {
        const Shape working =
            enclosing({scans.begin(), scans.begin() + std::ptrdiff_t(count)}, picture);
        Splat all(working);
        for (std::size_t k = 0; k < count; ++k) add(*Loaded(scans[k]), all, threads);
        for (const std::size_t k : named) {
            const Loaded loaded(scans[k]);
            const Splat own = splat_of(*loaded, working, threads);
            all.subtract(own);
            scans[k].pixels = loaded->pixels;
            sigma[k] = place_rows(scans[k], own, all, search, threads);
            add(scans[k], all, threads);
        }
    }
};

// What a scan shows beyond a picture of these coefficients.
std::vector<float> lacking(const std::vector<float>& coefficients, Shape shape, const Scan& scan,
                           unsigned threads) {
    std::vector<float> line(scan.shape.size());
    sample(coefficients.data(), shape, scan, line.data(), threads);
    for (std::size_t i = 0; i < line.size(); ++i) line[i] = scan.pixels[i] - line[i];
    return line;
}

// Decides where scan k lies beside those before it, until it stays. Straight rows decide better:
// jitter hides what is left of a picture without its lattice.
drift::Drift settle(Rows& rows, std::size_t k, const std::vector<std::size_t>& moved,
                    const drift::Comparison& comparison) {
    drift::Drift found;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        rows.place(moved, k + 1, Search::narrow);
        const auto before = static_cast<std::ptrdiff_t>(k);
        const auto first = static_cast<std::ptrdiff_t>(k - std::min(k, most_beside));
        const std::vector<Scan> placed(rows.scans.begin() + first, rows.scans.begin() + before);
        found = decide(placed, rows.scans[k], rows.picture, comparison, rows.threads);
        if (!hops(found)) break;
        rows.place(moved, k + 1, Search::wide);
    }
    return found;
}

}  // namespace

Merge merge_along(const std::vector<Scan>& scans, Shape shape, unsigned threads) {
    Splat all(shape);
    for (const Scan& scan : scans) add(*Loaded(scan), all, threads);
    std::vector<float> picture = filled(all, threads);
    // Spreading samples over pixels blurs them: what the picture lacks at their places is added.
    for (int pass = 0; pass < sharpenings; ++pass) {
        std::vector<float> coefficients = picture;
        spline(coefficients.data(), shape, threads);
        Splat left(shape);
        for (const Scan& scan : scans) {
            const auto line = lacking(coefficients, shape, *Loaded(scan), threads);
            Scan rest = scan;
            rest.pixels = line.data();
            add(rest, left, threads);
        }
        for (std::size_t i = 0; i < picture.size(); ++i) {
            if (left.weight[i] > 0) picture[i] += left.sum[i] / left.weight[i];
        }
    }
    Merge merge;
    merge.whole = picture;
    for (std::size_t i = 0; i < picture.size(); ++i) {
        if (all.weight[i] < seen) picture[i] = std::numeric_limits<float>::quiet_NaN();
    }
    merge.picture = std::move(picture);
    merge.coverage = std::move(all.weight);
    for (const Scan& scan : scans) merge.paths.push_back(scan.path);
    return merge;
}

std::vector<float> residual(const std::vector<float>& whole, Shape picture, const Scan& scan,
                            unsigned threads) {
    std::vector<float> coefficients = whole;
    spline(coefficients.data(), picture, threads);
    return lacking(coefficients, picture, *Loaded(scan), threads);
}

Merge merge_scans(std::vector<Scan> scans, const drift::Comparison& comparison, unsigned threads) {
    check(scans);
    const Shape shape = scans[0].shape;
    const std::size_t second = partner(scans);
    std::swap(scans[1], scans[second]);
    Rows rows{scans, shape, threads};
    {
        const Loaded one(scans[0]), other(scans[1]);
        scans[0].pixels = one->pixels;
        scans[1].pixels = other->pixels;
        align_pair(scans[0], scans[1], shape, threads);
    }
    rows.place({0, 1}, 2, Search::wide);
    drift::Drift placing = settle(rows, 1, {0, 1}, comparison);
    for (std::size_t k = 2; k < scans.size(); ++k) {
        Splat placed(shape);
        for (std::size_t j = 0; j < k; ++j) add(*Loaded(scans[j]), placed, threads);
        {
            const Loaded loaded(scans[k]);
            scans[k].pixels = loaded->pixels;
            align_to(filled(placed, threads), scans[k], shape, threads);
        }
        rows.place({k}, k + 1, Search::wide);
        drift::Drift found = settle(rows, k, {k}, comparison);
        if (less_certain(found, placing)) placing = std::move(found);
    }
    std::vector<std::size_t> all(scans.size());
    std::iota(all.begin(), all.end(), 0);
    rows.place(all, scans.size(), Search::narrow);
    std::swap(scans[1], scans[second]);
    std::swap(rows.sigma[1], rows.sigma[second]);
    centre(scans, shape);
    Merge merge = merge_along(scans, shape, threads);
    merge.sigma = std::move(rows.sigma);
    merge.placing = std::move(placing);
    return merge;
}

}  // namespace stemzoo::scan
