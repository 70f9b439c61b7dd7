#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Wrong guards break the theorem, and the checker sees it: each line is one
# mistake in aqm/guard.h.  usage: mutants.sh SOURCE-FOLDER LIBRARY...
root=$1
shift
. "$root/tests/work_folder.sh"
failed=0

mutant() { # what, sed script
	mkdir -p "$work/aqm"
	sed "$2" "$root/aqm/guard.h" >"$work/aqm/guard.h"
	cmp -s "$root/aqm/guard.h" "$work/aqm/guard.h" &&
		echo "mutants: '$1' changes nothing" && failed=1
	${CC:-cc} -std=gnu17 -O1 -I"$work" -I"$root" -o "$work/theorem" \
		"$root/tests/guard/theorem.c" "$root/tests/guard/checker.c" $libraries -lm || exit 1
	if "$work/theorem" 4000000 >"$work/out"; then
		echo "mutants: '$1' went unseen"
		failed=1
	else
		printf '%-56s %s\n' "$1" "$(grep -m1 -E '^ +[1-9][0-9]*  ' "$work/out" | sed 's/^ *//')"
	fi
}

libraries=$*
mutant "extra signals while closed" "s/if (!vars->open || !aqm_guard_waits/if (!aqm_guard_waits/; s/^\tif (vars->open)\$/\tif (true)/"
mutant "an extra signal costs nothing" 's/vars->extra_q32\[queue\] -= AQM_Q32_ONE;/;/'
mutant "one Classic packet in 8" 's/AQM_GUARD_CLASSIC_TOP 12/AQM_GUARD_CLASSIC_TOP 13/'
mutant "five tokens saved up" 's/AQM_GUARD_EXTRA_BURST (4/AQM_GUARD_EXTRA_BURST (5/'
mutant "omissions for packets that waited" 's/waited_ns > params->aim_ns\[queue\] || //'
mutant "an omission costs nothing" 's/vars->omitted_q32\[queue\] -= AQM_Q32_ONE;/;/'
mutant "no floor for extra signals" 's/AQM_GUARD_FLOOR_SHIFT 3/AQM_GUARD_FLOOR_SHIFT 5/'
mutant "idle time is not drawn" 's/(vars->idle ? ns : 0)/(vars->idle ? 0 : 0)/'
mutant "twice as much more idle time" 's/AQM_GUARD_IDLE_SHARE_Q16 2048/AQM_GUARD_IDLE_SHARE_Q16 4096/'
mutant "Classic's time is not asked for" 's/>> 16) >> 17;/>> 16) >> 20;/'
mutant "opens too soon" 's/vars->phase_ns >= hold_ns \&\&/vars->phase_ns >= hold_ns \/ 2 \&\&/'
mutant "no lengthening" 's/vars->lengthenings++;/;/'
mutant "measures while open" 's/if (!vars->open \&\& aqm_guard_measures/if (aqm_guard_measures/'
mutant "overload is the policy's" 's/if (wanted == law || overload)/if (wanted == law)/'
exit $failed
