#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every table of the learned AQM on networks that training never saw (docs/learned.md): the student
# beside DualPI2 in both of its profiles, and the laws that there are besides.
#   bench/heldout.sh BUILD FOLDER
# Says first how long it will take; the same command goes on where it was interrupted.  FOLDER gets
# tables.txt, and in report/ report.html, networks.csv, groups.csv, claims.csv, comparison.json and
# every run.  From the environment:
#   SUITE=heldout    or small: 24 networks, rates up to 100 Mbit/s, 20 s each
#   NETWORKS=200     (24 of small)     SEEDS=5     SUITE_SEED=1     JOBS=0 (one a core)
#   STUDENT=student  the law that is judged; LAW:NAME=VALUE:... with settings
#   POLICY=FILE      a student's file, or a policy's folder to work on top of DualPI2, judged too
#   ESTIMATE=1       only say how long it would take
#   FRESH=1          take the program of BUILD, and run everything again, where FOLDER has another
# FOLDER keeps the program that it was begun with: runs of one build are never taken for another's.
set -eu
[ $# = 2 ] || { sed -n '3,17s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
suite=${SUITE:-heldout}
case $suite in
heldout) networks=${NETWORKS:-200} ;;
small) networks=${NETWORKS:-24} ;;
*) echo "SUITE=$suite: heldout or small" >&2 && exit 2 ;;
esac
student=${STUDENT:-student}
reference=dualpi2:profile=linux:min_qlen_step=1,dualpi2:profile=rfc9332:min_qlen_step=1
others=pie,codel,fq_codel,cake,pi2

"$build/aqmllm" aqms "${student%%:*}" >/dev/null 2>&1 ||
	{ echo "STUDENT=$student: ${student%%:*} is no law of $build/aqmllm" >&2 && exit 2; }
mkdir -p "$folder"
program=$folder/aqmllm
if [ ! -e "$program" ] || [ -n "${FRESH:-}" ]; then
	cp "$build/aqmllm" "$program.part" && mv "$program.part" "$program"
elif ! cmp -s "$build/aqmllm" "$program"; then
	echo "$folder goes on with the program it was begun with; FRESH=1 takes $build/aqmllm"
fi

# Of a policy's folder: every packet is put to it.  A student is asked when it wants to be.
judged=()
[ -z "${POLICY:-}" ] || judged=(--policy "$POLICY")
case ${POLICY:-} in
'' | *.aqms) ;;
*) [ -e "$POLICY/student.aqms" ] || judged+=(--interval 1) ;;
esac

judge() { # options of evaluate...
	"$program" evaluate "$suite:$networks:${SUITE_SEED:-1}" --baseline $reference \
		--against "$student,$others" ${judged[@]+"${judged[@]}"} \
		--seeds "${SEEDS:-5}" --jobs "${JOBS:-0}" --pictures 0 \
		--title "AQMs on $networks networks of $suite" -o "$folder/report" "$@"
}

judge --estimate
[ -z "${ESTIMATE:-}" ] || exit 0
judge >"$folder/tables.part"
mv "$folder/tables.part" "$folder/tables.txt"
cat "$folder/tables.txt"
