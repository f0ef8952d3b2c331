// The straightening of a scan as the page's worker calls it: pilots are the network's, which
// answers later, so the loop is taken step by step.
#include <emscripten/bind.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "face.hpp"
#include "scan/straightening.hpp"

namespace stemzoo {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

val coordinates(const std::vector<scan::Pair>& pairs) {
    val all = val::array();
    for (const scan::Pair& pair : pairs) {
        val both = val::array();
        both.call<void>("push", pair.y, pair.x);
        all.call<void>("push", both);
    }
    return all;
}

// Fill `pixels`, `start`, then answer `next` by filling `pilot` and `take` until it is null. Rows
// are along x: of a scan whose fast direction is y, the image is given turned.
class Straightening {
  public:
    Straightening(const std::string& dtype, std::size_t rows, std::size_t cols)
        : type_(guarded([&] { return type_called(dtype); })),
          shape_{rows, cols},
          pixels_(rows * cols * type_.bytes),
          pilot_(rows * cols) {}

    val pixels() { return val(typed_memory_view(pixels_.size(), pixels_.data())); }

    // `judging` asks for no more than how much speaks for displacements along these rows.
    void start(bool judging) {
        guarded([&] {
            scan::StraighteningOptions options;
            if (judging) options = {1, {scan::axis_reach}};
            options.rows.threads = 1;
            steps_ =
                std::make_unique<scan::Straightening>(type_.view(pixels_.data(), shape_), options);
            return 0;
        });
    }

    // The image whose pilot is wanted, or null.
    val next() {
        return guarded([&] {
            const float* image = steps_->next();
            return image == nullptr ? val::null() : val(typed_memory_view(shape_.size(), image));
        });
    }

    val pilot() { return val(typed_memory_view(pilot_.size(), pilot_.data())); }

    void take() {
        guarded([&] {
            steps_->take(contiguous<const float>(pilot_.data(), shape_));
            return 0;
        });
    }

    // The log-likelihood ratio of displacements along rows against none.
    double evidence() const { return steps_->rows().evidence.x; }

    bool moved() const { return steps_->moved(); }

    val displacements() const { return coordinates(steps_->rows().displacement); }

    // The image with its rows in place; it takes the place of the last pilot.
    val result() {
        steps_->result(pilot_.data());
        return pilot();
    }

  private:
    PixelType type_;
    Shape shape_;
    std::vector<unsigned char> pixels_;  // malloc aligns it for every type
    std::vector<float> pilot_;
    std::unique_ptr<scan::Straightening> steps_;
};

bool has_rows(std::size_t rows, std::size_t cols) {
    return std::min(rows, cols) >= scan::least_side;
}

unsigned restoring_passes() { return scan::restoring_passes; }

}  // namespace

EMSCRIPTEN_BINDINGS(scan) {
    emscripten::function("hasRows", &has_rows);
    emscripten::function("restoringPasses", &restoring_passes);
    emscripten::class_<Straightening>("Straightening")
        .constructor<std::string, std::size_t, std::size_t>()
        .function("pixels", &Straightening::pixels)
        .function("start", &Straightening::start)
        .function("next", &Straightening::next)
        .function("pilot", &Straightening::pilot)
        .function("take", &Straightening::take)
        .function("evidence", &Straightening::evidence)
        .function("moved", &Straightening::moved)
        .function("displacements", &Straightening::displacements)
        .function("result", &Straightening::result);
}

}  // namespace stemzoo
