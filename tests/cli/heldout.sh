#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tables of held-out networks from their one command, in little.  usage: heldout.sh PROGRAM
bench=$(realpath "$(dirname "$0")/../../bench/heldout.sh")
. "$(dirname "$0")/common.sh"
build=$(dirname "$program")
export SUITE=small NETWORKS=2 SEEDS=2 JOBS=2

ESTIMATE=1 bash "$bench" "$build" tables >said || fail "an estimate"
grep -q '^32 runs, 0 of them in .* s of processor time, ' said || fail "no estimate: $(cat said)"
[ ! -e tables/tables.txt ] || fail "an estimate makes tables"
bash "$bench" "$build" tables >said || fail "the tables"
for arm in student pie codel fq_codel cake pi2; do
	grep -q "^$arm " tables/tables.txt || fail "$arm is not in the tables"
done
for profile in linux rfc9332; do
	grep -q "^student beside dualpi2:profile=$profile:min_qlen_step=1" tables/tables.txt ||
		fail "the student is not judged beside profile $profile"
done
[ "$(grep -c ',student,worse,' tables/report/claims.csv)" = 2 ] || fail "claims.csv lacks claims"
cp tables/report/claims.csv claims
bash "$bench" "$build" tables >said || fail "the same again"
grep -q '^32 runs, 32 of them ' said || fail "runs were not kept: $(head -1 said)"
cmp claims tables/report/claims.csv || fail "the same again differs"
STUDENT=nosuchlaw bash "$bench" "$build" other 2>said && fail "a law that there is not"
grep -q nosuchlaw said && [ ! -e other ] || fail "a law that there is not: $(cat said)"
finish heldout
