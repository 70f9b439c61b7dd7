/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/qat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/prune.h"

/* From narrow to wide. */
static const enum matrix_type ladder[] = {MATRIX_INT4, MATRIX_INT8, MATRIX_BF16};
#define STEPS (sizeof(ladder) / sizeof(ladder[0]))

/* The matrix in a storage, as the backbone would hold it. */
static struct matrix storage_of(const struct qat_matrix *matrix, enum matrix_type type)
{
	return (struct matrix){.type = type, .in = matrix->in, .out = matrix->out,
			       .blocked = type == MATRIX_INT8 || type == MATRIX_BF16,
			       .layout = type == MATRIX_INT4 ? LINEAR_OUT_IN : matrix->layout};
}

static void disguise_apply(void *context)
{
	qat_apply(context);
}

static void disguise_undo(void *context)
{
	qat_undo(context);
}

static int allocate(struct qat *qat, struct error *error)
{
	size_t data = 0, scales = 0;

	for (size_t i = 0; i < qat->count; i++) {
		struct qat_matrix *m = &qat->matrix[i];

		m->kept = malloc((size_t)(m->in * m->out) * sizeof(float));
		if (!m->kept)
			return error_set(error, ERR_NO_MEMORY, "a copy of %s", m->name);
		for (size_t s = 0; s < STEPS; s++) {
			const struct matrix storage = storage_of(m, ladder[s]);
			const size_t d = matrix_data_bytes(&storage);
			const size_t c = matrix_scales_bytes(&storage);

			data = d > data ? d : data;
			scales = c > scales ? c : scales;
		}
	}
	qat->data = malloc(data);
	qat->scales = malloc(scales);
	return qat->data && qat->scales ? 0 : error_set(error, ERR_NO_MEMORY, "rounded weights");
}

int qat_new(struct qat *qat, struct policy_net *net, enum matrix_type type, struct error *error)
{
	const size_t count = backbone_matrices(net->backbone, NULL);
	struct backbone_matrix *matrices = calloc(count + 1, sizeof(*matrices));
	int status = 0;

	*qat = (struct qat){.net = net, .count = count,
			    .disguise = {qat, disguise_apply, disguise_undo}};
	qat->matrix = calloc(count + 1, sizeof(*qat->matrix));
	if (!matrices || !qat->matrix)
		status = error_set(error, ERR_NO_MEMORY, "list of projections");
	if (!status)
		backbone_matrices(net->backbone, matrices);
	for (size_t i = 0; i < count && !status; i++) {
		if (!matrices[i].value)
			status = error_set(error, ERR_UNSUPPORTED,
					   "%s is rounded already: open the policy as f32",
					   matrices[i].name);
		qat->matrix[i] = (struct qat_matrix){
			.name = matrices[i].name, .type = type, .in = matrices[i].in,
			.out = matrices[i].out, .layout = matrices[i].layout,
			.value = matrices[i].value};
	}
	free(matrices);
	if (!status)
		status = allocate(qat, error);
	if (status)
		qat_free(qat);
	return status;
}

void qat_free(struct qat *qat)
{
	for (size_t i = 0; i < qat->count && qat->matrix; i++)
		free(qat->matrix[i].kept);
	free(qat->matrix);
	free(qat->data);
	free(qat->scales);
	memset(qat, 0, sizeof(*qat));
}

static void matrix_apply(struct qat *qat, struct qat_matrix *m, enum matrix_type type)
{
	struct matrix storage = storage_of(m, type);

	memcpy(m->kept, m->value, (size_t)(m->in * m->out) * sizeof(float));
	if (type == MATRIX_F32)
		return;
	matrix_from_f32(&storage, qat->data, qat->scales, m->value, m->layout);
	matrix_to_f32(m->value, m->layout, &storage);
}

static void matrix_undo(struct qat_matrix *m)
{
	memcpy(m->value, m->kept, (size_t)(m->in * m->out) * sizeof(float));
}

void qat_apply(struct qat *qat)
{
	for (size_t i = 0; i < qat->count; i++)
		matrix_apply(qat, &qat->matrix[i], qat->matrix[i].type);
}

void qat_undo(struct qat *qat)
{
	for (size_t i = 0; i < qat->count; i++)
		matrix_undo(&qat->matrix[i]);
}

int qat_measure(struct qat *qat, const struct calibration *calibration, int64_t windows,
		struct error *error)
{
	double whole;
	int status = calibration_loss(calibration, qat->net, 0, windows, &whole, error);

	for (size_t i = 0; i < qat->count && !status; i++)
		for (size_t s = 0; s < STEPS && !status; s++) {
			struct qat_matrix *m = &qat->matrix[i];
			double loss;

			matrix_apply(qat, m, ladder[s]);
			status = calibration_loss(calibration, qat->net, 0, windows, &loss, error);
			matrix_undo(m);
			m->rise[ladder[s]] = fmax(0, loss - whole);
		}
	return status;
}

/* Place on the ladder; STEPS: none. */
static size_t step_of(enum matrix_type type)
{
	size_t step = 0;

	while (step < STEPS && ladder[step] != type)
		step++;
	return step;
}

/* Loss that the next wider storage saves, for each byte it takes more; 0 at the top. */
static double gain(const struct qat_matrix *m)
{
	const size_t step = step_of(m->type);
	struct matrix now, next;

	if (step + 1 >= STEPS)
		return 0;
	now = storage_of(m, ladder[step]);
	next = storage_of(m, ladder[step + 1]);
	return (m->rise[ladder[step]] - m->rise[ladder[step + 1]]) /
	       ((double)matrix_bytes(&next) - (double)matrix_bytes(&now));
}

static double rises(const struct qat *qat)
{
	double sum = 0;

	for (size_t i = 0; i < qat->count; i++)
		sum += qat->matrix[i].rise[qat->matrix[i].type];
	return sum;
}

void qat_choose(struct qat *qat, enum matrix_type lowest, double allowed)
{
	for (size_t i = 0; i < qat->count; i++)
		qat->matrix[i].type = lowest;
	while (rises(qat) > allowed) {
		struct qat_matrix *best = NULL;

		for (size_t i = 0; i < qat->count; i++)
			if (gain(&qat->matrix[i]) > (best ? gain(best) : 0))
				best = &qat->matrix[i];
		if (!best)
			break;
		best->type = ladder[step_of(best->type) + 1];
	}
}

void qat_types(const struct qat *qat, enum matrix_type *types)
{
	for (size_t i = 0; i < qat->count; i++)
		types[i] = qat->matrix[i].type;
}
