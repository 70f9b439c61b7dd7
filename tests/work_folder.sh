# SPDX-License-Identifier: BSD-2-Clause
# A folder of a test script's own, $work, which is gone after it; sourced by sh and bash.
#
# Traps alone leave it behind: sh runs none when a signal ends it, nobody does on SIGKILL, and a
# runner sends that half a second after SIGTERM (Meson), when rm may not be through and children
# still write.  So a process apart from the script's waits for its end and removes what is left.
work=$(mktemp -d) || exit 1
(
	apart=$(command -v setsid || :)
	$apart sh -c 'while kill -0 "$1"; do sleep 1; done
		for again in 1 2 3 4 5; do rm -rf "$2" && exit; sleep 1; done' sh $$ "$work" \
		</dev/null >/dev/null 2>&1 &
)
trap 'rm -rf "$work"' EXIT
