#include "scan/row_estimates.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::scan {

void row_estimates(const std::vector<RowFit>& fits, Pair precision, Pair limit, RowEstimates& y,
                   RowEstimates& x) {
    for (RowEstimates* axis : {&y, &x}) {
        axis->value.assign(fits.size(), 0);
        axis->information.assign(fits.size(), 0);
    }
    for (std::size_t row = 0; row < fits.size(); ++row) {
        const RowFit& f = fits[row];
        // The other axis is known no worse than its prior says.
        const double yy = f.yy + precision.y, xx = f.xx + precision.x;
        const double alone_y = f.yy - f.yx * f.yx / xx;
        const double alone_x = f.xx - (yy > 0 ? f.yx * f.yx / yy : 0);
        // What the pilot lacks of the row counts as noise.
        const double share = 1 / std::max(f.misfit, 1.0);
        const auto set = [row, share](RowEstimates& axis, double at, double score,
                                      double information, double most) {
            if (!(information > 1e-9) || std::abs(at) > most) return;
            const double step = std::clamp(score / information, -most, most);
            axis.value[row] = std::clamp(at + step, -most, most);
            axis.information[row] = share * information;
        };
        set(y, f.at.y, f.score.y - f.yx * f.score.x / xx, alone_y, limit.y);
        set(x, f.at.x, f.score.x - (yy > 0 ? f.yx * f.score.y / yy : 0), alone_x, limit.x);
    }
}

}  // namespace stemzoo::scan
