/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bootstrap: intervals of any statistic of independent units (runs, or
 * blocks of runs that are longer than their memory), from what it says of
 * units drawn again with replacement (Efron 1979; percentile intervals).
 */
#ifndef REPORT_RESAMPLE_H
#define REPORT_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "report/statistics.h"

#define RESAMPLE_DRAWS 2000

/*
 * statistic(context, chosen, units) is asked for `chosen` (units), indices below `units`, repeated
 * or missing as drawn; NaN says that they do not define it.  NaN bounds where more than one draw in
 * twenty defines nothing, with fewer than two units, or without memory.  Infinities are values.
 */
struct bounds resample_bounds(size_t units, uint64_t seed,
			      double (*statistic)(const void *context, const size_t *chosen,
						  size_t units),
			      const void *context);

#endif
