#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The router live in a terminal: what it shows, that q ends it with a summary, and that the terminal
# is as before.  SKIP without privileges or without script(1).
# usage: route_view.sh PROGRAM
. "$(dirname "$0")/route_common.sh"
needs_tools script
needs_routing
refuses '--watch' route --demo --watch

show() { # seconds until q
	(sleep "$1" && printf q && sleep 1) |
		LC_ALL=C.UTF-8 timeout 150 script -qec "'$program' route --demo --duration 120" typescript \
			>/dev/null
}
begun=$(date +%s)
show 4
[ $(($(date +%s) - begun)) -lt 100 ] || fail "q does not end it"
for text in 'aqmllm route through dualpi2' 'queue delay L' 'carried' 'Mbit/s' 'ect1' 'ect0' 'q quit'; do
	grep -qF "$text" typescript || fail "the view does not show '$text'"
done
# The alternate screen is taken once and given back once; behind it stands the summary.
[ "$(grep -oF $'\e[?1049h' typescript | wc -l)" = 1 ] || fail "the screen is not taken once"
[ "$(grep -oF $'\e[?1049l' typescript | wc -l)" = 1 ] || fail "the screen is not given back once"
sed -n $'/\e\\[?1049l/,$p' typescript | grep -q 'goodput Mbit/s' || fail "no summary behind the view"
finish "route --watch"
