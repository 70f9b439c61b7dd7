#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The bytes of a file as numbers for a C array; FreeBSD's own build uses file2c(1).  usage: bytes.sh FILE
od -An -v -tu1 "$1" | sed 's/  */,/g; s/^,//; s/$/,/'
