/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/spectrum.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define QR_STEPS 60 /* for one eigenvalue, before it is given up */
#define SMALL 1e-14
#define LOOK_BACK 4 /* Arnoldi steps over which the radius has to stand still */

static double dot(const double *a, const double *b, int64_t count)
{
	double sum = 0;

	for (int64_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static void add(double *to, const double *from, double factor, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		to[i] += factor * from[i];
}

/* to = from / |from|; returns the length, and leaves `to` alone when that is 0. */
static double normalise(double *to, const double *from, int64_t count)
{
	const double length = sqrt(dot(from, from, count));

	for (int64_t i = 0; i < count && length > 0; i++)
		to[i] = from[i] / length;
	return length;
}

static void begin(double *v, int64_t count, uint64_t seed)
{
	struct rng rng;

	rng_seed(&rng, seed);
	for (int64_t i = 0; i < count; i++)
		v[i] = rng_normal(&rng);
	normalise(v, v, count);
}

/* v (unit) becomes J^T J v normalised; value->value |J v|. */
static int singular_step(const struct spectrum_map *map, double *v, double *jv, double *back,
			 struct spectrum_value *value, struct error *error)
{
	const double before = value->value;
	int code = map->apply(map->context, v, jv, error);

	if (code)
		return code;
	value->value = sqrt(dot(jv, jv, map->size));
	value->change = fabs(value->value - before) / fmax(value->value, 1e-300);
	code = map->transposed(map->context, jv, back, error);
	if (code)
		return code;
	value->disagreement = fabs(dot(jv, jv, map->size) - dot(back, v, map->size)) /
			      fmax(dot(jv, jv, map->size), 1e-300);
	normalise(v, back, map->size);
	return 0;
}

int spectrum_singular(const struct spectrum_map *map, const struct spectrum_options *options,
		      struct spectrum_value *value, struct error *error)
{
	double *memory = calloc((size_t)(3 * map->size), sizeof(*memory));
	double *jv = memory + map->size, *back = jv + map->size;
	int code = memory ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for a spectrum");

	*value = (struct spectrum_value){.change = INFINITY};
	if (code == 0)
		begin(memory, map->size, options->seed);
	while (code == 0 && value->steps < options->steps && value->change > options->tolerance) {
		code = singular_step(map, memory, jv, back, value, error);
		value->steps++;
	}
	free(memory);
	return code;
}

/* The eigenvalue of the 2 x 2 block that ends at `last` which is nearer to its last entry. */
static double complex wilkinson(const double complex *m, int64_t size, int64_t last)
{
	const double complex a = m[(last - 1) * size + last - 1], b = m[(last - 1) * size + last];
	const double complex c = m[last * size + last - 1], d = m[last * size + last];
	const double complex half = (a - d) / 2, root = csqrt(half * half + b * c);
	const double complex one = (a + d) / 2 + root, other = (a + d) / 2 - root;

	return cabs(one - d) < cabs(other - d) ? one : other;
}

/* One QR step on rows and columns [first, last] of m - shift, by Givens rotations. */
static void qr_step(double complex *m, int64_t size, int64_t first, int64_t last,
		    double complex shift, double complex *turns)
{
	for (int64_t i = first; i <= last; i++)
		m[i * size + i] -= shift;
	for (int64_t i = first; i < last; i++) {
		double complex *up = m + i * size, *low = up + size;
		const double length = hypot(cabs(up[i]), cabs(low[i]));
		const double complex c = length > 0 ? up[i] / length : 1;
		const double complex s = length > 0 ? low[i] / length : 0;

		for (int64_t j = i; j <= last; j++) {
			const double complex x = up[j], y = low[j];

			up[j] = conj(c) * x + conj(s) * y;
			low[j] = c * y - s * x;
		}
		turns[2 * i] = c;
		turns[2 * i + 1] = s;
	}
	for (int64_t i = first; i < last; i++) {
		const double complex c = turns[2 * i], s = turns[2 * i + 1];

		for (int64_t j = first; j <= i + 1; j++) {
			double complex *row = m + j * size;
			const double complex x = row[i], y = row[i + 1];

			row[i] = x * c + y * s;
			row[i + 1] = conj(c) * y - conj(s) * x;
		}
	}
	for (int64_t i = first; i <= last; i++)
		m[i * size + i] += shift;
}

/* The first row of the block that ends at `last`: what is below a negligible entry is apart. */
static int64_t block_start(double complex *m, int64_t size, int64_t last)
{
	int64_t first = last;

	while (first > 0) {
		double complex *below = &m[first * size + first - 1];
		const double around = cabs(m[first * size + first]) +
				      cabs(m[(first - 1) * size + first - 1]);

		if (cabs(*below) <= SMALL * around || cabs(*below) < 1e-300) {
			*below = 0;
			break;
		}
		first--;
	}
	return first;
}

int spectrum_hessenberg(double complex *matrix, int64_t size, double complex *eigenvalues)
{
	double complex *turns = calloc((size_t)(2 * size + 1), sizeof(*turns));
	int64_t last = size - 1, steps = 0;

	if (turns == NULL)
		return ERR_NO_MEMORY;
	while (last >= 0 && steps < QR_STEPS) {
		const int64_t first = block_start(matrix, size, last);
		double complex shift;

		if (first == last) {
			eigenvalues[last] = matrix[last * size + last];
			last--;
			steps = 0;
			continue;
		}
		shift = wilkinson(matrix, size, last);
		/* Off the symmetric point where the method would stand still. */
		if (++steps % 10 == 0)
			shift += cabs(matrix[last * size + last - 1]);
		qr_step(matrix, size, first, last, shift, turns);
	}
	free(turns);
	return last < 0 ? 0 : ERR_FAILED;
}

/* Arnoldi's process as far as it has gone. */
struct krylov {
	int64_t size, most, steps;
	double *basis;		 /* (most + 1, size) */
	double *projected;	 /* (most + 1, most): the Hessenberg matrix */
	double complex *scratch; /* (most, most), and (most) eigenvalues behind it */
};

static void krylov_free(struct krylov *krylov)
{
	free(krylov->basis);
	free(krylov->projected);
	free(krylov->scratch);
}

static int krylov_make(struct krylov *krylov, int64_t size, int64_t most)
{
	*krylov = (struct krylov){
		.size = size,
		.most = most,
		.basis = calloc((size_t)((most + 1) * size), sizeof(double)),
		.projected = calloc((size_t)((most + 1) * most), sizeof(double)),
		.scratch = calloc((size_t)((most + 1) * most), sizeof(double complex)),
	};
	return krylov->basis && krylov->projected && krylov->scratch ? 0 : ERR_NO_MEMORY;
}

/*
 * One more basis vector; orthogonalised twice, as once loses digits.  *whole: nothing was left, so
 * the space is closed under J.
 */
static int krylov_step(struct krylov *krylov, const struct spectrum_map *map, bool *whole,
		       struct error *error)
{
	const int64_t k = krylov->steps, size = krylov->size, most = krylov->most;
	double *next = krylov->basis + (k + 1) * size;
	double length, left;
	int code = map->apply(map->context, krylov->basis + k * size, next, error);

	if (code)
		return code;
	length = sqrt(dot(next, next, size));
	for (int pass = 0; pass < 2; pass++) {
		for (int64_t i = 0; i <= k; i++) {
			const double part = dot(krylov->basis + i * size, next, size);

			krylov->projected[i * most + k] += part;
			add(next, krylov->basis + i * size, -part, size);
		}
	}
	left = normalise(next, next, size);
	*whole = left <= 1e-12 * length || k + 1 == size;
	krylov->projected[(k + 1) * most + k] = *whole ? 0 : left;
	krylov->steps++;
	return 0;
}

static int krylov_radius(struct krylov *krylov, double *radius, struct error *error)
{
	const int64_t n = krylov->steps;
	double complex *eigenvalues = krylov->scratch + krylov->most * krylov->most;
	int code;

	for (int64_t i = 0; i < n; i++)
		for (int64_t j = 0; j < n; j++)
			krylov->scratch[i * n + j] = krylov->projected[i * krylov->most + j];
	code = spectrum_hessenberg(krylov->scratch, n, eigenvalues);
	if (code)
		return error_set(error, code, "the eigenvalues of a Jacobian do not converge");
	*radius = 0;
	for (int64_t i = 0; i < n; i++)
		*radius = fmax(*radius, cabs(eigenvalues[i]));
	return 0;
}

int spectrum_radius(const struct spectrum_map *map, const struct spectrum_options *options,
		    struct spectrum_value *value, struct error *error)
{
	const int64_t most = options->steps < map->size ? options->steps : map->size;
	struct krylov krylov;
	bool whole = false;
	int code = krylov_make(&krylov, map->size, most);

	*value = (struct spectrum_value){.change = INFINITY, .disagreement = NAN};
	if (code)
		error_set(error, code, "out of memory for a spectrum");
	else
		begin(krylov.basis, map->size, options->seed);
	while (code == 0 && !whole && krylov.steps < most && value->change > options->tolerance) {
		const double before = value->value;

		code = krylov_step(&krylov, map, &whole, error);
		if (code || (krylov.steps % LOOK_BACK && !whole && krylov.steps < most))
			continue;
		code = krylov_radius(&krylov, &value->value, error);
		value->change = whole ? 0
				      : fabs(value->value - before) / fmax(value->value, 1e-300);
	}
	value->steps = krylov.steps;
	krylov_free(&krylov);
	return code;
}
