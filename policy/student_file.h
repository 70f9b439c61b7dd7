/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student in one file, NAME.aqms.  Little-endian, nothing aligned:
 *
 *     "AQMS", version 1 (u16), kind, mode, inputs, outputs, layers, nodes, leaves (u8 each),
 *     three zeros, size of the whole file (u32)
 *     inputs:   length of the name (u8), name, offset (i16), scale (i16)
 *     outputs:  length of the name (u8), name
 *     layers:   kind, activation (u8 each), inputs, outputs (u16 each)
 *     weights:  layer by layer, row by row: shift (u8), bias (i32), the inputs' weights (i8)
 *     or nodes: input, below, above, leaves (u8 each), threshold (i16); leaves: outputs (i16 each)
 *     checksum: 64-bit FNV-1a by bytes of all that stands before it (u64)
 *
 * A kind, a mode and an activation are places, from 0, in the lists of aqm/student_net.h.
 * Features and outputs are named, so that a file still means the same when there are more of
 * them; a name that this program does not know is an error.
 */
#ifndef POLICY_STUDENT_FILE_H
#define POLICY_STUDENT_FILE_H

#include <stdbool.h>

#include "aqm/student_bytes.h"
#include "policy/student_model.h"

#define STUDENT_FILE_SUFFIX ".aqms"
#define STUDENT_FILE_MAX AQM_STUDENT_BYTES_MAX

/* A path that names a student: a file NAME.aqms, or a folder that holds student.aqms. */
bool student_file_named(const char *path);

/* ERR_UNSUPPORTED where a path names a student and something else is needed. */
int student_file_refuse(const char *path, struct error *error);

/*
 * From bytes; `name` is for messages.  ERR_INVALID (not such a file, damaged, unknown names),
 * ERR_RANGE, ERR_UNSUPPORTED (another version).
 */
int student_file_parse(struct aqm_student_model *model, const void *bytes, size_t size,
		       const char *name, struct error *error);

/* Of a file, or of a folder's student.aqms. */
int student_file_read(struct aqm_student_model *model, const char *path, struct error *error);

/* Writes at most STUDENT_FILE_MAX bytes; returns how many. */
size_t student_file_build(const struct aqm_student_model *model, unsigned char *bytes);

/* Replaces the file at once. */
int student_file_write(const struct aqm_student_model *model, const char *path,
		       struct error *error);

/* The file's checksum, which tells models apart. */
uint64_t student_file_checksum(const struct aqm_student_model *model);

#endif
