// The tracker, and the numbers that it is pickled by.
#include "drift/tracker.hpp"

#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/drift.hpp"
#include "drift/estimator.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using drift::Tracker;
using Time = std::optional<double>;

// Threads take turns: a tracker is one series.
class SharedTracker {
  public:
    explicit SharedTracker(Tracker tracker) : tracker_(std::move(tracker)) {}

    template <typename F>
    auto with(F f) {
        const py::gil_scoped_release release;
        const std::lock_guard<std::mutex> lock(mutex_);
        return f(tracker_);
    }

  private:
    Tracker tracker_;
    std::mutex mutex_;
};

// A message about a time shows it as it was given.
[[noreturn]] void complain(const py::object& time, const drift::BadTime& error) {
    throw py::value_error("time is " + py::str(time).cast<std::string>() + error.complaint());
}

py::tuple push(SharedTracker& tracker, const py::array& image,
               const std::optional<py::array>& masked, const py::object& time) {
    const MaskedImage given(image, masked);
    const auto at = time.is_none() ? Time() : Time(py::float_(time).cast<double>());
    try {
        const drift::TrackedDrift found =
            tracker.with([&](Tracker& t) { return t.push(given.pixels, given.mask(), at); });
        return py::make_tuple(as_tuple(found.drift), found.resolved);
    } catch (const drift::BadTime& error) {
        complain(time, error);
    }
}

py::tuple predict(SharedTracker& tracker, const py::object& time) {
    const auto at = time.is_none() ? Time() : Time(py::float_(time).cast<double>());
    try {
        const drift::Prediction p = tracker.with([&](Tracker& t) { return t.predict(at); });
        return py::make_tuple(p.shift[0], p.shift[1], py::make_tuple(p.sigma[0], p.sigma[1]));
    } catch (const drift::BadTime& error) {
        complain(time, error);
    }
}

// ((rate_y, rate_x), (variance_y, variance_x)), or None.
py::object rate(SharedTracker& tracker) {
    const std::optional<drift::State> state = tracker.with([](Tracker& t) { return t.motion(); });
    if (!state) return py::none();
    const auto &y = (*state)[0], &x = (*state)[1];
    return py::make_tuple(py::make_tuple(y.rate, x.rate),
                          py::make_tuple(y.rate_variance, x.rate_variance));
}

using Numbers = std::vector<double>;

void put(Numbers& out, const drift::Vector& v) { out.insert(out.end(), v.begin(), v.end()); }

Numbers flattened(const Tracker::Numbers& n) {
    Numbers out{n.reach, n.leash, static_cast<double>(n.pushed)};
    put(out, n.position);
    put(out, n.position_sigma);
    out.push_back(n.timed ? (*n.timed ? 1 : 0) : -1);
    out.insert(out.end(), {n.time, n.step});
    if (!n.motion) return out;
    const drift::Motion::Numbers& m = *n.motion;
    out.push_back(m.time);
    for (const drift::AxisState& a : m.state) {
        out.insert(out.end(),
                   {a.position, a.position_variance, a.rate, a.rate_variance, a.covariance});
    }
    out.insert(out.end(), {m.reach, m.rate_known ? 1.0 : 0.0, m.noise, m.least_noise, m.excess,
                           m.weight, m.usual});
    return out;
}

Tracker::Numbers restored(const Numbers& given) {
    constexpr std::size_t without_motion = 10, with_motion = 28;
    if (given.size() != without_motion && given.size() != with_motion) {
        throw std::invalid_argument("these are not the numbers of a tracker");
    }
    auto next = given.begin();
    const auto vector = [&] {
        const double y = *next++, x = *next++;
        return drift::Vector{y, x};
    };
    Tracker::Numbers n{};
    n.reach = *next++;
    n.leash = *next++;
    n.pushed = static_cast<std::size_t>(*next++);
    n.position = vector();
    n.position_sigma = vector();
    const double timed = *next++;
    if (timed >= 0) n.timed = timed > 0;
    n.time = *next++;
    n.step = *next++;
    if (given.size() == without_motion) return n;
    drift::Motion::Numbers m{};
    m.time = *next++;
    for (drift::AxisState& a : m.state) {
        for (double* const value :
             {&a.position, &a.position_variance, &a.rate, &a.rate_variance, &a.covariance}) {
            *value = *next++;
        }
    }
    m.reach = *next++;
    m.rate_known = *next++ > 0;
    for (double* const value : {&m.noise, &m.least_noise, &m.excess, &m.weight, &m.usual}) {
        *value = *next++;
    }
    n.motion = m;
    return n;
}

}  // namespace

void bind_tracker(py::module_& m) {
    using drift::Estimator;
    using drift::PreparedFrame;
    using Frame = std::shared_ptr<PreparedFrame>;
    py::class_<SharedTracker>(m, "DriftTracker", "The drift of a series, frame by frame.")
        .def(
            py::init([](const std::shared_ptr<Estimator>& estimator, const Frame& reference,
                        std::size_t reach, std::optional<double> renew) {
                return std::make_unique<SharedTracker>(Tracker(estimator, reference, reach, renew));
            }),
            py::arg("estimator"), py::arg("reference"), py::arg("reach"), py::arg("renew"))
        .def_static(
            "restored",
            [](const std::shared_ptr<Estimator>& estimator, const Frame& reference,
               const Numbers& numbers) {
                return std::make_unique<SharedTracker>(
                    Tracker(estimator, reference, restored(numbers)));
            },
            py::arg("estimator"), py::arg("reference"), py::arg("numbers"))
        .def("push", &push, py::arg("image"), py::arg("masked"), py::arg("time"),
             "(drift since the first reference, whether the prediction resolved it)")
        .def("predict", &predict, py::arg("time"), "(dy, dx, (sigma_y, sigma_x))")
        .def("rate", &rate, "((rate_y, rate_x), their variances), or None until it is known.")
        .def("numbers",
             [](SharedTracker& t) {
                 return flattened(t.with([](Tracker& tracker) { return tracker.numbers(); }));
             })
        .def("reference", [](SharedTracker& t) {
            return std::const_pointer_cast<PreparedFrame>(
                t.with([](Tracker& tracker) { return tracker.reference(); }));
        });
}

}  // namespace stemzoo
