#include "drift/answer.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::drift {

const char* text(Reason reason) {
    switch (reason) {
        case Reason::nothing:
            return "the frames do not correlate anywhere, as where one of them is blank";
        case Reason::chance:
            return "the frames correlate no better than frames that show nothing in common";
        case Reason::limit:
            return "it is at the limit of the search: the frames may have drifted farther, or show "
                   "nothing in common";
        case Reason::others:
            return "what else it could be is not ruled out";
        case Reason::broad:
            return "the correlation is broad there, and the counts do not say where in it the "
                   "drift is";
        case Reason::no_peak:
            return "the frames' correlation has no peak there";
        case Reason::none:
            break;
    }
    return "";
}

bool Drift::known() const {
    return std::isfinite(shift[0]) && std::isfinite(shift[1]) && std::isfinite(sigma[0]) &&
           std::isfinite(sigma[1]);
}

double Drift::probability() const {
    if (!std::isfinite(shift[0])) return 0;
    double rest = 1;
    for (const Candidate& candidate : candidates) rest -= candidate.probability;
    return std::max(rest, 0.0);
}

}  // namespace stemzoo::drift
