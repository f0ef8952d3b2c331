#include <cmath>

#include "drift/device_frames.hpp"
#include "drift/device_pairs.hpp"
#include "drift/peak_kernels.hpp"
#include "drift/refine_kernels.hpp"

namespace stemzoo::cuda {
namespace {

// Of DriftFrames and DeviceDriftPairs together: images and spectra, and cuFFT's own memory.
std::size_t frame_bytes(Shape image) {
    const std::size_t place = image.rows * (image.cols / 2 + 1);
    return 4 * image.size() * sizeof(float) + 5 * place * sizeof(Complex<float>) +
           3 * place * sizeof(float);
}

std::size_t frames_at_once(const DriftSettings& settings) {
    const std::size_t fitting = settings.working_bytes / frame_bytes(settings.image);
    return std::max<std::size_t>(std::min(fitting, settings.most_frames), 1);
}

FrameGrid halved(const FrameGrid& grid) {
    return {{grid.image.rows / 2, grid.image.cols / 2}, grid.chunk};
}

void require_launchable(Shape image) {
    constexpr std::size_t most_rows = 65535;  // of a grid's third dimension
    if (image.rows <= most_rows && image.size() < (std::size_t{1} << 31)) return;
    throw std::invalid_argument("frames of " + image.text() +
                                " pixels are too large for drifts on a GPU; expected at most 65535 "
                                "rows and 2^31 pixels");
}

float filter_threshold() {
    return static_cast<float>(drift::significance / std::sqrt(2.0 * drift::window));
}

class DeviceDriftPairs final : public DriftPairs {
  public:
    DeviceDriftPairs(const Queue& queue, const DriftSettings& settings)
        : device_(queue.device()),
          grid_{settings.image, frames_at_once(settings)},
          tables_(queue, settings),
          one_fft_(queue, {settings.image, 1}),
          fft_(queue, grid_),
          reference_(queue, {settings.image, 1}),
          frames_(queue, grid_),
          pinned_(queue, grid_.pixels()),
          products_(queue, grid_.places()),
          scenes_(queue, grid_.places()),
          shifted_images_(queue, grid_.pixels()),
          scene_images_(queue, grid_.pixels()),
          steps_(queue, grid_.chunk),
          filters_(queue, grid_.chunk * parts),
          moments_(queue, grid_.chunk * grid_.image.rows),
          residuals_(queue, grid_.chunk * grid_.image.rows),
          shifts_(queue, grid_.chunk),
          overlaps_(queue, grid_.chunk * parts),
          common_(queue, grid_.chunk * Rings::count) {}

    std::size_t at_once() const override { return grid_.chunk; }
    float* pixels() override { return pinned_.data(); }
    std::size_t bytes() const override {
        return tables_.bytes() + one_fft_.bytes() + fft_.bytes() + reference_.bytes() +
               frames_.bytes() + products_.bytes() + scenes_.bytes() + shifted_images_.bytes() +
               scene_images_.bytes() + steps_.bytes() + filters_.bytes() + moments_.bytes() +
               residuals_.bytes() + shifts_.bytes() + overlaps_.bytes() + common_.bytes() +
               surfaces_.bytes();
    }

    DriftSummary load_reference(const ncc::Scaling& scaling, void* stream) override {
        const Queue queue(device_, stream);
        const DriftSummary found = reference_.load(queue, tables_, one_fft_, pinned_.data(),
                                                   {scaling}, shifted_images_.data())[0];
        reference_noise_ = found.noise;
        return found;
    }

    std::vector<DriftSummary> load(const std::vector<ncc::Scaling>& scalings,
                                   void* stream) override {
        const Queue queue(device_, stream);
        std::vector<DriftSummary> found =
            frames_.load(queue, tables_, fft_, pinned_.data(), scalings, shifted_images_.data());
        noise_.clear();
        for (const DriftSummary& each : found) noise_.push_back(each.noise);
        return found;
    }

    void correlate(std::size_t step, Shape cut, float* surfaces, void* stream) override {
        const Queue queue(device_, stream);
        const FrameGrid grid = step == 1 ? grid_ : halved(grid_);
        if (step != 1 && !half_fft_) half_fft_.emplace(queue, grid);
        launch(queue, {number(grid.half()), number(grid.chunk), number(grid.image.rows)},
               Correlate{grid_, grid, reference_.faded(), frames_.faded(), tables_.band(),
                         products_.data()});
        (step == 1 ? fft_ : *half_fft_).backward(queue, products_.data(), shifted_images_.data());
        const std::size_t height = 2 * cut.rows + 1, width = 2 * cut.cols + 1,
                          count = noise_.size();
        if (surfaces_.size() < count * height * width) {
            surfaces_ = Buffer<float>();
            surfaces_ = Buffer<float>(queue, grid_.chunk * height * width);
        }
        launch(queue, {number(width), number(height), number(count)},
               CutLags{grid, cut, shifted_images_.data(), surfaces_.data()});
        queue.copy(surfaces, surfaces_.data(), count * height * width * sizeof(float));
        queue.wait();
    }

    std::vector<std::optional<drift::Refined>> refine(const Starts& starts, void* stream) override {
        const Queue queue(device_, stream);
        std::vector<std::optional<drift::Regression>> going = begun(queue, starts);
        std::vector<std::optional<drift::Refined>> found(starts.size());
        const auto any = [&] {
            return std::any_of(going.begin(), going.end(), [](const auto& each) { return !!each; });
        };
        while (any()) {
            put_steps(queue, going);
            make_images(queue);
            each_row(queue, MomentTerms{images()}, moments_, going, [&](std::size_t f, auto& rows) {
                const drift::Regression::Next next = going[f]->solve(rows);
                if (next == drift::Regression::Next::done) found[f] = going[f]->found();
                if (next != drift::Regression::Next::go_on) going[f].reset();
            });
            for (int time = 0; time < 2 && any(); ++time) {
                put_steps(queue, going, true);
                each_row(queue, ResidualTerms{images()}, residuals_, going,
                         [&](std::size_t f, auto& rows) { going[f]->fit_variance(rows); });
            }
        }
        return found;
    }

    std::vector<DriftOverlap> overlaps(const Starts& shifts, void* stream) override {
        const Queue queue(device_, stream);
        std::vector<DriftOverlap> found(shifts.size());
        const auto far = static_cast<std::ptrdiff_t>(grid_.image.rows + grid_.image.cols);
        std::vector<WholeShift> whole(grid_.chunk, WholeShift{far, far});
        for (std::size_t f = 0; f < shifts.size(); ++f) {
            if (!shifts[f]) continue;
            const auto [dy, dx] = *shifts[f];
            // A whole number holds no drift of 1e300, and nothing overlaps there.
            if (!(std::abs(dy) < static_cast<double>(far) &&
                  std::abs(dx) < static_cast<double>(far))) {
                continue;
            }
            whole[f] = {std::lround(dy), std::lround(dx)};
            found[f].pixels =
                static_cast<double>(WholeShift::common(whole[f].dy, grid_.image.rows)) *
                static_cast<double>(WholeShift::common(whole[f].dx, grid_.image.cols));
        }
        queue.copy(shifts_.data(), whole.data(), shifts_.bytes());
        launch_sums(queue, {parts, number(grid_.chunk), 1},
                    OverlapTerms{grid_, reference_.pixels(), frames_.pixels(), shifts_.data()},
                    overlaps_.data());
        const std::vector<OverlapTotal> sums = parts_of(queue, overlaps_, parts);
        for (std::size_t f = 0; f < shifts.size(); ++f) found[f].sums = sums[f];
        return found;
    }

    std::vector<double> common_powers(void* stream) override {
        const Queue queue(device_, stream);
        launch_sums(queue, {Rings::count, number(grid_.chunk), 1},
                    CommonPower{grid_, tables_.rings(), reference_.heights(), frames_.heights(),
                                reference_.ring_powers(), frames_.ring_powers()},
                    common_.data());
        std::vector<double> found;
        for (const Total& total : parts_of(queue, common_, Rings::count)) {
            found.push_back(total.value);
        }
        found.resize(noise_.size());
        return found;
    }

  private:
    using Going = std::vector<std::optional<drift::Regression>>;

    RefineImages images() const {
        return {grid_, frames_.pixels(), shifted_images_.data(), scene_images_.data(),
                steps_.data()};
    }

    // What blocks have summed of each frame, joined.
    template <typename Sum>
    std::vector<Sum> parts_of(const Queue& queue, const Buffer<Sum>& sums, std::size_t each) const {
        std::vector<Sum> all(sums.size()), joined(grid_.chunk);
        queue.copy(all.data(), sums.data(), sums.bytes());
        queue.wait();
        for (std::size_t i = 0; i < all.size(); ++i) joined[i / each].join(all[i]);
        return joined;
    }

    // With the Wiener filters of the frames' means.
    Going begun(const Queue& queue, const DriftPairs::Starts& starts) {
        Going going(grid_.chunk);
        for (std::size_t f = 0; f < starts.size(); ++f) {
            if (!starts[f] || !(reference_noise_ > 0 && noise_[f] > 0)) continue;
            const auto [dy, dx] = *starts[f];
            const bool overlap = std::abs(dy) < static_cast<double>(grid_.image.rows) &&
                                 std::abs(dx) < static_cast<double>(grid_.image.cols);
            if (overlap) going[f].emplace(grid_.image.size(), dy, dx);
        }
        put_steps(queue, going);
        launch_sums(queue, {parts, number(grid_.chunk), 1},
                    FilterTerms{grid_, reference_.excess(), frames_.excess(), filter_threshold(),
                                steps_.data()},
                    filters_.data());
        const std::vector<FilterSum> totals = parts_of(queue, filters_, parts);
        for (std::size_t f = 0; f < going.size(); ++f) {
            if (going[f] && !going[f]->begin(reference_noise_, noise_[f], totals[f])) {
                going[f].reset();
            }
        }
        return going;
    }

    // Residuals are those of the images of this pass, which were shifted by what the one before
    // had found.
    void put_steps(const Queue& queue, const Going& going, bool same_images = false) {
        steps_there_.resize(grid_.chunk);
        for (std::size_t f = 0; f < going.size(); ++f) {
            RefineStep& step = steps_there_[f];
            step.active = going[f].has_value();
            if (!step.active) continue;
            if (!same_images) {
                step.dy = going[f]->found().dy;
                step.dx = going[f]->found().dx;
            }
            step.reference_part = going[f]->reference_part();
            step.moving_part = going[f]->moving_part();
            step.variance = going[f]->variance();
            step.fit = going[f]->fit();
        }
        queue.copy(steps_.data(), steps_there_.data(), steps_.bytes());
    }

    void make_images(const Queue& queue) {
        launch(queue, {number(grid_.half()), number(grid_.chunk), number(grid_.image.rows)},
               ShiftSpectra{grid_, reference_.spectra(), frames_.spectra(), reference_.excess(),
                            frames_.excess(), filter_threshold(), steps_.data(), products_.data(),
                            scenes_.data()});
        fft_.backward(queue, products_.data(), shifted_images_.data());
        fft_.backward(queue, scenes_.data(), scene_images_.data());
    }

    // Calls f(frame, the sums of its rows) for every frame that goes on.
    template <typename Terms, typename F>
    void each_row(const Queue& queue, const Terms& terms, const Buffer<typename Terms::Sum>& sums,
                  const Going& going, F f) {
        using Plain = std::conditional_t<std::is_same_v<Terms, MomentTerms>, drift::Moments,
                                         drift::ResidualSums>;
        const std::size_t rows = grid_.image.rows;
        launch_sums(queue, {number(rows), number(grid_.chunk), 1}, terms, sums.data());
        std::vector<typename Terms::Sum> all(sums.size());
        queue.copy(all.data(), sums.data(), sums.bytes());
        queue.wait();
        for (std::size_t frame = 0; frame < going.size(); ++frame) {
            if (!going[frame]) continue;
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(frame * rows);
            const std::vector<Plain> own(begin, begin + static_cast<std::ptrdiff_t>(rows));
            f(frame, own);
        }
    }

    int device_;
    FrameGrid grid_;
    DriftTables tables_;
    ChunkFft one_fft_, fft_;
    std::optional<ChunkFft> half_fft_;  // on every other pixel
    DriftFrames reference_, frames_;
    double reference_noise_ = 0;
    std::vector<double> noise_;  // of the frames loaded
    Pinned<float> pinned_;
    Buffer<Complex<float>> products_, scenes_;
    Buffer<float> shifted_images_, scene_images_, surfaces_;
    std::vector<RefineStep> steps_there_;
    Buffer<RefineStep> steps_;
    Buffer<FilterSum> filters_;
    Buffer<MomentsOfRow> moments_;
    Buffer<ResidualsOfRow> residuals_;
    Buffer<WholeShift> shifts_;
    Buffer<OverlapTotal> overlaps_;
    Buffer<Total> common_;
};

}  // namespace

std::unique_ptr<DriftPairs> make_drift_pairs(int device, const DriftSettings& settings) {
    require_launchable(settings.image);
    const Queue queue(device, nullptr);
    auto pairs = std::make_unique<DeviceDriftPairs>(queue, settings);
    queue.wait();
    return pairs;
}

}  // namespace stemzoo::cuda
