#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A text as C string literals, one a line: text_to_c.sh TEXT C
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$1" >"$2"
