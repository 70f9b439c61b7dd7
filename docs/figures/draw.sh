#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Draws the pictures of README and docs again, from runs made for them: make figures.
# usage: draw.sh PROGRAM
set -eu
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" simulate scenarios/paper_prague.yaml -q -o "$work/run"
"$program" plot "$work/run" -q -o "$work/run.svg"
"$program" evaluate scenarios/paper_prague.yaml --against dualpi2,pie,codel,fq_codel --seeds 5 \
	-q -o "$work/laws"
"$program" plot "$work/laws" -q -o "$work/laws.svg"
for name in run laws; do
	cp "$work/$name.svg" docs/figures/
	echo "docs/figures/$name.svg"
done
