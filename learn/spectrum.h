/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Largest singular value and spectral radius of a linear map that is known by
 * its products alone.
 *
 * The singular value comes from power iteration on J^T J: every value on the
 * way is |J v| of a unit vector v, so it never exceeds the true one, and a
 * value above 1 proves that the map stretches something.  The radius comes
 * from Arnoldi's method: the eigenvalue of largest modulus of J's projection on
 * a Krylov space, which is J itself where the space is whole.
 */
#ifndef LEARN_SPECTRUM_H
#define LEARN_SPECTRUM_H

#include <complex.h>
#include <stdint.h>

#include "base/error.h"

struct spectrum_map {
	void *context;
	int64_t size; /* of vectors, both sides */
	/* out = J in */
	int (*apply)(void *context, const double *in, double *out, struct error *error);
	/* out = J^T in; NULL where only the radius is asked for */
	int (*transposed)(void *context, const double *in, double *out, struct error *error);
};

struct spectrum_options {
	int64_t steps;     /* at most; of Arnoldi the dimension of the space */
	double tolerance;  /* relative change of a step that ends the iteration */
	uint64_t seed;     /* of the first vector */
};

struct spectrum_value {
	double value;
	double change;    /* relative, in the last step; of a whole Krylov space 0 */
	int64_t steps;
	/*
	 * |<u, J v> - <J^T u, v>| / (|u| |J v|) at the last v, u = J v: what the two products
	 * disagree by.  Singular values only.
	 */
	double disagreement;
};

/* ERR_NO_MEMORY, or what a product returned. */
int spectrum_singular(const struct spectrum_map *map, const struct spectrum_options *options,
		      struct spectrum_value *value, struct error *error);
int spectrum_radius(const struct spectrum_map *map, const struct spectrum_options *options,
		    struct spectrum_value *value, struct error *error);

/*
 * Eigenvalues (size) of an upper Hessenberg matrix (size, size), row-major, which is overwritten,
 * by the QR method with Wilkinson's shifts.  ERR_FAILED when one does not converge.
 */
int spectrum_hessenberg(double complex *matrix, int64_t size, double complex *eigenvalues);

#endif
