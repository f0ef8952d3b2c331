#include "tiling/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tiling/moments.hpp"
#include "tiling/strided.hpp"

namespace stemzoo {
namespace {

// Hot pixels are few, far beyond the others, and alone: a probe draws features wider than a pixel.
constexpr std::size_t kFew = 1000;  // at most one pixel in so many is hot
constexpr double kHot = 20;         // standard deviations of the others, from their mean
constexpr double kEvents = 8;       // times the height of the others' rare events
// With at most one hot pixel in kFew, whatever is kHot deviations of the others off is at least
// kHot / sqrt(1 + kHot^2 / kFew) = 16.9 deviations of all pixels off. Nothing below is looked at.
constexpr double kSuspect = 16;
constexpr double kAlone = 0.125;    // of its height: what its neighbours are below
constexpr std::size_t kBeside = 2;  // but for so many, which may be hot as well: a pair, a streak
constexpr int kRounds = 16;         // beside a very hot pixel, a less hot one is not seen at first

struct Pixel {
    std::size_t row, col;
};

// Neighbours beyond an edge are the ones opposite.
std::size_t mirrored(std::size_t place, std::ptrdiff_t step, std::size_t side) {
    if (side == 1) return 0;
    if (step < 0) return place == 0 ? 1 : place - 1;
    if (step > 0) return place + 1 == side ? side - 2 : place + 1;
    return place;
}

template <typename T>
std::array<T, 8> neighbours(const View<T>& image, const Pixel& at) {
    std::array<T, 8> around;
    std::size_t count = 0;
    for (std::ptrdiff_t dy = -1; dy <= 1; ++dy) {
        for (std::ptrdiff_t dx = -1; dx <= 1; ++dx) {
            if (dy == 0 && dx == 0) continue;
            around[count++] = image.at(mirrored(at.row, dy, image.shape.rows),
                                       mirrored(at.col, dx, image.shape.cols));
        }
    }
    return around;
}

// How far a pixel is from the mean, on the side on which `of` is.
template <typename T>
double height(T x, double mean, T of) {
    const double difference = static_cast<double>(x) - mean;
    return static_cast<double>(of) < mean ? -difference : difference;
}

template <typename T>
bool alone(const View<T>& image, const Pixel& at, double mean) {
    const T value = image.at(at.row, at.col);
    std::array<double, 8> heights;
    const std::array<T, 8> around = neighbours(image, at);
    std::transform(around.begin(), around.end(), heights.begin(),
                   [&](T x) { return height(x, mean, value); });
    std::nth_element(heights.begin(), heights.begin() + kBeside, heights.end(),
                     std::greater<double>());
    return heights[kBeside] < kAlone * height(value, mean, value);
}

// The neighbour that is nearest to the mean stands in for a pixel.
template <typename T>
T nearest(const View<T>& image, const Pixel& at, double mean) {
    const std::array<T, 8> around = neighbours(image, at);
    return *std::min_element(around.begin(), around.end(), [mean](T a, T b) {
        return std::abs(static_cast<double>(a) - mean) < std::abs(static_cast<double>(b) - mean);
    });
}

// An image whose hot pixels have been given the value of a neighbour.
template <typename T>
class Cooled {
  public:
    Cooled(const View<const T>& image, const Moments& moments, unsigned threads)
        : pixels_(image.shape.size()),
          view_(contiguous(pixels_.data(), image.shape)),
          image_(image),
          moments_(moments),
          threads_(threads) {
        read_rows(image, [](T x) { return x; }, pixels_.data(), image.shape.cols);
        for (int round = 0; round < kRounds && cool(); ++round) {
        }
    }

    bool any() const { return !hot_.empty(); }
    const Moments& moments() const { return moments_; }
    Limits limits() const { return {moments_.low, moments_.high}; }

  private:
    View<const T> seen() const { return contiguous<const T>(pixels_.data(), view_.shape); }

    // Whether any more were found.
    bool cool() {
        const std::vector<Pixel> suspects = this->suspects();
        if (suspects.empty() || suspects.size() + hot_.size() > pixels_.size() / kFew) return false;
        // All of them first: the others are known only without every one of them.
        std::vector<Pixel> found;
        for (const Pixel& at : suspects) {
            if (alone(view_, at, moments_.mean)) found.push_back(at);
        }
        if (found.empty()) return false;
        for (const Pixel& at : found) {
            view_.at(at.row, at.col) = nearest(view_, at, moments_.mean);
        }
        const Moments others = moments_of(seen(), threads_);
        const double limit =
            others.std > 0
                ? std::max(kHot * others.std, kEvents * event_height(seen(), others, threads_))
                : std::numeric_limits<double>::infinity();  // nothing to be measured by
        const auto back = std::partition(found.begin(), found.end(), [&](const Pixel& at) {
            return std::abs(static_cast<double>(image_.at(at.row, at.col)) - others.mean) > limit;
        });
        for (auto at = back; at != found.end(); ++at) {
            view_.at(at->row, at->col) = image_.at(at->row, at->col);
        }
        hot_.insert(hot_.end(), found.begin(), back);
        if (back == found.begin()) return false;
        moments_ = back == found.end() ? others : moments_of(seen(), threads_);
        return true;
    }

    std::vector<Pixel> suspects() const {
        std::vector<Pixel> found;
        const double far = kSuspect * moments_.std;
        if (!(moments_.farthest() > far)) return found;
        const auto is_far = [&](T x) {
            return std::abs(static_cast<double>(x) - moments_.mean) > far;
        };
        for (std::size_t row = 0; row < view_.shape.rows; ++row) {
            const T* pixels = view_.row(row);
            Range<T> range{pixels[0], pixels[0]};
            range.add(pixels, view_.shape.cols);
            if (!is_far(range.low) && !is_far(range.high)) continue;
            for (std::size_t col = 0; col < view_.shape.cols; ++col) {
                if (is_far(pixels[col])) found.push_back({row, col});
            }
        }
        return found;
    }

    std::vector<T> pixels_;
    View<T> view_;
    View<const T> image_;
    Moments moments_;
    unsigned threads_;
    std::vector<Pixel> hot_;
};

template <typename T>
Statistics measure_view(const View<const T>& image, unsigned threads) {
    const Moments all = moments_of(image, threads);
    const Statistics plain{all.mean, all.std, all.finite, std::nullopt};
    if (!all.finite || !may_have_hot_pixels(image.shape.size(), all.std, all.farthest())) {
        return plain;
    }
    const Cooled<T> cooled(image, all, threads);
    if (!cooled.any()) return plain;
    return {cooled.moments().mean, cooled.moments().std, true, cooled.limits()};
}

}  // namespace

bool may_have_hot_pixels(std::size_t pixels, double std, double farthest) {
    return pixels >= kFew && farthest > kSuspect * std;
}

Statistics measure(const AnyView& image, unsigned threads) {
    if (shape_of(image).size() == 0) {
        throw std::invalid_argument("image is " + shape_of(image).text() +
                                    "; it needs at least one pixel to be measured");
    }
    return std::visit([threads](const auto& view) { return measure_view(view, threads); }, image);
}

}  // namespace stemzoo
