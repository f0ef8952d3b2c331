// A frame as refinement needs it: everything that does not depend on the other frame of a pair,
// computed once.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "core/array.hpp"
#include "core/fft2d.hpp"
#include "core/once.hpp"
#include "core/scratch.hpp"
#include "drift/bandpass.hpp"
#include "drift/cleaning.hpp"
#include "drift/pixel_weights.hpp"
#include "drift/powers.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::drift {

// How the pixels of a frame without masked ones are scaled. Throws std::invalid_argument if one is
// not finite.
ncc::Scaling frame_scaling(const CleanFrame& clean);

class Frame {
  public:
    using Mask = View<const std::uint8_t>;  // true where a pixel is valid

    // The image and the mask may go after the call. threads = 0 means all cores.
    Frame(const AnyView& image, const Mask* mask, unsigned threads = 0);
    Frame(const CleanFrame& clean, unsigned threads);

    Shape shape() const { return fft_.layout().image; }
    const Fft2d& fft() const { return fft_; }

    // Without their mean and scaled to a standard deviation near 1; masked pixels are 0.
    const float* pixels() const { return pixels_.data(); }
    const float* spectrum() const { return spectrum_.data(); }
    // Power of the white noise in one frequency, and the mean power around each frequency over it,
    // less one: what the scene adds. Rows are the layout's pitch apart, and zero past their end.
    double noise() const { return noise_; }
    const float* excess() const { return excess_.data(); }
    // How much each pixel counts; null if all do.
    const PixelWeights* weights() const { return weights_ ? &*weights_ : nullptr; }

    // What its peaks with other frames are looked for in; made when it is first asked for.
    const BandPassed& band_passed(unsigned threads = 1) const;
    // Whether its noise has a colour (spectrum/whiteness.hpp).
    bool coloured(unsigned threads = 1) const;
    // The spectrum of its tapered pixels, which band_passed() leaves behind: whoever asks first
    // gets it, all others, and those who ask too early, nothing.
    Scratch<float> take_tapered() const;
    // What chance makes of it with another; made when it is first asked for.
    const Powers& powers() const;

  private:
    struct Later {
        Once tapered_once, band_once, powers_once;
        BandPassed band;
        bool coloured = false;
        Powers powers;
        std::mutex left_mutex;
        Scratch<float> tapered, left;  // before the band-pass, and once that is done
    };

    explicit Frame(Shape shape);
    void load(const AnyView& image, const ncc::Scaling& scaling);
    void load_masked(const AnyView& image, const Mask& mask);
    void load_masked(const CleanFrame& clean);
    void transform(unsigned threads);
    void measure_power();
    void taper(unsigned threads) const;

    Fft2d fft_;
    Scratch<float> pixels_, spectrum_, excess_;
    std::optional<PixelWeights> weights_;
    double noise_ = 0;
    std::unique_ptr<Later> later_;
};

}  // namespace stemzoo::drift
