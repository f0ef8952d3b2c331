#include "drift/look.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/fft2d.hpp"
#include "core/kept.hpp"
#include "core/scratch.hpp"
#include "core/taper.hpp"
#include "drift/bragg.hpp"
#include "drift/kernels.hpp"
#include "drift/levels.hpp"
#include "drift/rings.hpp"
#include "drift/waves.hpp"
#include "tiling/strided.hpp"

namespace stemzoo::drift {

struct LookPlan {
    explicit LookPlan(Shape shape)
        : fft(shape),
          rings(fft.layout()),
          down(taper(shape.rows)),
          across(taper(shape.cols)),
          waves_down(down),
          waves_across(across) {}

    Fft2d fft;
    Rings rings;
    std::vector<float> down, across;
    TaperTransform waves_down, waves_across;
};

namespace {

constexpr std::size_t multiple = look_multiple, smallest = 16;  // pixels
constexpr float buried = 0.05f;       // times the noise: what may be left of a wave's feet
constexpr double cutoff = 0.3;        // cycles per pixel of the look: Gaussian
constexpr double resolved = 0.07;     // cycles per pixel: of the finest lattice for a coarse look
constexpr float faded = 0.5f;         // of the taper: what has faded further stays so
constexpr double common_to = 0.2;     // cycles per pixel of the look: most in common below
constexpr double most_common = 0.9;   // of their power
constexpr float least_worth = 0.01f;  // as good as none, and the channel is still there
// Of noise, relative to its level as it is taken here: the median height.
constexpr double median_of_noise = 0.9525;
constexpr float between = 0.3f;   // of the mean light: what is there where a lattice has no columns
constexpr float faintest = 0.2f;  // times a pixel's noise: mean light, of counts at least this
constexpr float least = 1e-30f;

std::shared_ptr<const LookPlan> plan_for(Shape frame) {
    static Kept<Shape, LookPlan> kept;
    if (frame.rows < smallest || frame.cols < smallest) {
        throw std::invalid_argument("frame is " + frame.text() +
                                    " pixels; expected at least 16 along either axis");
    }
    const Shape whole{frame.rows / multiple * multiple, frame.cols / multiple * multiple};
    return kept.get(whole, [](Shape shape) { return std::make_shared<LookPlan>(shape); });
}

// The spectrum of the frame without its mean, and faded out towards its edges.
Scratch<float> transformed(const View<const float>& pixels, const LookPlan& plan,
                           unsigned threads) {
    const Shape shape = plan.fft.layout().image;
    const Scratch<float> image(shape.size());
    const auto same = [](float pixel) { return pixel; };
    read_rows(part(pixels, 0, 0, shape), same, image.data(), shape.cols);
    const double sum = kernels().capped_sum(image.data(), shape.size(), INFINITY);
    const auto mean = static_cast<float>(sum / static_cast<double>(shape.size()));
    for (std::size_t r = 0; r < shape.rows; ++r) {
        float* const row = image.data() + r * shape.cols;
        for (std::size_t c = 0; c < shape.cols; ++c)
            row[c] = (row[c] - mean) * (plan.down[r] * plan.across[c]);
    }
    Scratch<float> spectrum(plan.fft.layout().size);
    plan.fft.forward(image.data(), spectrum.data(), threads);
    return spectrum;
}

// The share c of the power of low frequencies that is not noise is what both frames have in common,
// and a product of two of their amplitudes is worth c / (1 - c^2). Their median knows nothing of
// what is left around Bragg peaks. What chance adds, one standard deviation, does not count.
float worth(const SpectrumLayout& layout, const Heights& h, float noise, double to) {
    std::vector<float> low;
    std::vector<double> kx2(h.cols);
    for (std::size_t x = 0; x < h.cols; ++x) kx2[x] = std::pow(frequency(x, h.cols), 2);
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const double left = to * to - std::pow(frequency(ky, layout.image.rows), 2);
        if (left < 0) break;
        for (std::size_t x = 0; x < h.cols; ++x) {
            const float height = h.value[ky * h.cols + x];
            if (kx2[x] <= left && height > 0) low.push_back(height);
        }
    }
    if (low.empty()) return least_worth;
    const auto middle = low.begin() + static_cast<std::ptrdiff_t>(low.size() / 2);
    std::nth_element(low.begin(), middle, low.end());
    const double ratio = median_of_noise * static_cast<double>(noise) / std::max(*middle, least);
    const double chance = 1.44 / std::sqrt(static_cast<double>(low.size()));
    const double common = std::min(1 - ratio * ratio - chance, most_common);
    if (!(common > 0)) return least_worth;
    return std::max(static_cast<float>(std::sqrt(common / (1 - common * common))), least_worth);
}

// What is between the columns of a lattice is background, and its noise only hides them: how much
// of the light at each place is theirs. Without it the lattice's darkest place would be black, but
// where the lattice is hardly there.
void fade_background(const float* lattice, std::size_t count, float least_light, float* image) {
    const float light = std::max(-*std::min_element(lattice, lattice + count), least_light);
    for (std::size_t i = 0; i < count; ++i) {
        const float columns = lattice[i] + light;
        image[i] *= columns / (columns + between * light);
    }
}

std::vector<float> low_pass(std::size_t side, double to, float scale) {
    std::vector<float> pass(side);
    for (std::size_t i = 0; i < side; ++i) {
        const double k = frequency(i, side) / to;
        pass[i] = scale * static_cast<float>(std::exp(-k * k));
    }
    return pass;
}

// What a look has at each of its places along one side, for what the taper has left there.
std::vector<float> restored(const std::vector<float>& taper, std::size_t stride) {
    std::vector<float> factors;
    for (std::size_t i = 0; i < taper.size(); i += stride) {
        factors.push_back(1 / std::max(taper[i], faded));
    }
    return factors;
}

// From a frame's spectrum to a channel.
class Reduction {
  public:
    Reduction(const LookPlan& plan, std::size_t stride)
        : from_(plan.fft.layout()),
          fft_({from_.image.rows / stride, from_.image.cols / stride}),
          down_(low_pass(
              from_.image.rows, cutoff / static_cast<double>(stride),
              std::sqrt(static_cast<float>(from_.image.size())) / static_cast<float>(stride))),
          across_(low_pass(from_.image.cols, cutoff / static_cast<double>(stride), 1)),
          rows_(restored(plan.down, stride)),
          cols_(restored(plan.across, stride)),
          few_(fft_.layout().size) {}

    // The lowest frequencies along both axes, without the highest of those left.
    void channel(const float* spectrum, float* out, unsigned threads) const {
        const SpectrumLayout& to = fft_.layout();
        const std::size_t cols = to.image.cols, whole = from_.image.cols;
        std::fill_n(few_.data(), to.size, 0.0f);
        for (std::size_t ky = 0; ky + 1 < to.rows; ++ky) {
            copy(spectrum, ky, 0, 0, cols / 2);
            copy(spectrum, ky, whole - cols / 2 + 1, cols / 2 + 1, cols / 2 - 1);
        }
        fft_.backward(few_.data(), out, threads);
        for (std::size_t r = 0; r < to.image.rows; ++r) {
            for (std::size_t c = 0; c < cols; ++c) out[r * cols + c] *= rows_[r] * cols_[c];
        }
    }

  private:
    void copy(const float* spectrum, std::size_t ky, std::size_t source, std::size_t target,
              std::size_t count) const {
        const SpectrumLayout& to = fft_.layout();
        const float *pass = across_.data() + source, *re = from_.real(spectrum, ky) + source,
                    *im = from_.imaginary(spectrum, ky) + source;
        float *to_re = to.real(few_.data(), ky) + target,
              *to_im = to.imaginary(few_.data(), ky) + target;
        for (std::size_t x = 0; x < count; ++x) {
            to_re[x] = re[x] * (down_[ky] * pass[x]);
            to_im[x] = im[x] * (down_[ky] * pass[x]);
        }
    }

    const SpectrumLayout& from_;
    Fft2d fft_;
    std::vector<float> down_, across_, rows_, cols_;
    Scratch<float> few_;
};

}  // namespace

Shape look_shape(Shape frame, std::size_t stride) {
    if (stride != fine_stride && stride != coarse_stride) {
        throw std::invalid_argument("stride is " + std::to_string(stride) + "; expected 2 or 4");
    }
    return {frame.rows / multiple * multiple / stride, frame.cols / multiple * multiple / stride};
}

Look::Look(const View<const float>& pixels, unsigned threads)
    : Look(plan_for(pixels.shape), transformed(pixels, *plan_for(pixels.shape), threads)) {}

Look::Look(Shape frame, Scratch<float> tapered) : Look(plan_for(frame), std::move(tapered)) {}

Look::Look(std::shared_ptr<const LookPlan> plan, Scratch<float> spectrum)
    : plan_(std::move(plan)),
      spectrum_(std::move(spectrum)),
      heights_(plan_->fft.layout(), spectrum_.data(), plan_->rings),
      levels_(plan_->rings, heights_),
      peaks_(bragg_peaks(plan_->fft.layout(), plan_->rings, levels_, heights_)) {}

std::size_t Look::stride() const {
    const double fine = fineness(plan_->fft.layout(), peaks_, heights_);
    return fine > 0 && fine < resolved ? coarse_stride : fine_stride;
}

void Look::channels(std::size_t stride, float* out, unsigned threads) {
    const SpectrumLayout& layout = plan_->fft.layout();
    const Shape shape = look_shape(layout.image, stride);
    const Reduction reduction(*plan_, stride);
    float *const rest = out, *const lattice = out + shape.size(),
                 *const even = out + 2 * shape.size();
    reduction.channel(spectrum_.data(), lattice, threads);

    subtract_waves(layout, plan_->waves_down, plan_->waves_across, peaks_, buried * levels_.noise,
                   spectrum_.data());
    const Heights left(layout, spectrum_.data(), plan_->rings);
    const Levels levels(plan_->rings, left);
    clear_bragg(layout, plan_->rings, levels, left, spectrum_.data());
    reduction.channel(spectrum_.data(), rest, threads);

    const float unit = 1 / levels.noise,
                value = worth(layout, left, levels.noise, common_to / static_cast<double>(stride));
    for (std::size_t i = 0; i < shape.size(); ++i) {
        lattice[i] = (lattice[i] - rest[i]) * unit;
        rest[i] *= unit;
        even[i] = rest[i] * value;
    }
    fade_background(lattice, shape.size(), faintest * static_cast<float>(stride), even);
    kernels().compress(lattice, shape.size());
}

}  // namespace stemzoo::drift
