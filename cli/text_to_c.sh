#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A text as a constant of C, one line of it a literal: text_to_c.sh TEXT HEADER NAME
{
	echo "static const char $3[] ="
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$1"
	echo ';'
} >"$2"
