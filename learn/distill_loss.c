/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distillation losses and their gradients, sums in double.
 *
 * With unit rows U of the student and V of the teacher the correlations are
 * S = U U^T and G = V V^T, and
 *
 *     |S - G|^2 = |U^T U|^2 - 2 |U^T V|^2 + |V^T V|^2,
 *     d|S - G|^2 / dU = 4 (U (U^T U) - V (V^T U)),
 *
 * so nothing of the size rows x rows is ever made: only classes x classes.
 */
#include "learn/distill_loss.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/*
 * Added to the squared length of a row: where all states get nearly the same
 * answer (softened probabilities within 0.001) there is no correlation to learn.
 */
#define LENGTH_FLOOR 1e-6

static const char *const loss_names[] = {
#define LOSS_NAME(name, text) #name,
	DISTILL_LOSS_TABLE(LOSS_NAME)
#undef LOSS_NAME
};

const char *distill_loss_name(enum distill_loss_kind kind)
{
	return loss_names[kind];
}

int distill_loss_find(const char *name)
{
	for (int i = 0; i < DISTILL_LOSSES; i++)
		if (strcmp(loss_names[i], name) == 0)
			return i;
	return -1;
}

/* ln softmax(x / temperature), x logits. */
static void soften_logits(const float *x, int classes, double temperature, double *out)
{
	double top = -INFINITY, sum = 0;

	for (int c = 0; c < classes; c++)
		top = fmax(top, (double)x[c] / temperature);
	for (int c = 0; c < classes; c++)
		sum += exp((double)x[c] / temperature - top);
	for (int c = 0; c < classes; c++)
		out[c] = (double)x[c] / temperature - top - log(sum);
}

/* p^(1 / temperature), normalised. */
static void soften_probabilities(const float *p, int classes, double temperature, double *out)
{
	double sum = 0;

	for (int c = 0; c < classes; c++) {
		out[c] = pow((double)p[c], 1 / temperature);
		sum += out[c];
	}
	for (int c = 0; c < classes; c++)
		out[c] /= sum;
}

/* A batch in doubles: student's and teacher's softened outputs and their unit rows. */
struct batch {
	int64_t rows;
	int classes;
	double temperature;
	double *student, *teacher; /* (rows, classes) probabilities */
	double *unit, *unit_teacher; /* (rows, classes) */
	double *length;		     /* (rows) of the student's centred rows */
};

static int batch_new(struct batch *batch, struct arena *arena)
{
	const size_t cells = (size_t)batch->rows * (size_t)batch->classes;
	double *room = arena_alloc(arena, (4 * cells + (size_t)batch->rows) * sizeof(*room));

	if (!room)
		return ERR_NO_MEMORY;
	batch->student = room;
	batch->teacher = room + cells;
	batch->unit = room + 2 * cells;
	batch->unit_teacher = room + 3 * cells;
	batch->length = room + 4 * cells;
	return 0;
}

/* Softens both; returns T^2 x mean KL, and its gradient into d (rows, classes). */
static double kl_term(struct batch *batch, const float *logits, const float *teacher, double *d)
{
	const double t = batch->temperature;
	double sum = 0;

	for (int64_t r = 0; r < batch->rows; r++) {
		double *p = batch->teacher + r * batch->classes;
		double *q = batch->student + r * batch->classes;
		double log_q[DISTILL_MAX_CLASSES];

		soften_probabilities(teacher + r * batch->classes, batch->classes, t, p);
		soften_logits(logits + r * batch->classes, batch->classes, t, log_q);
		for (int c = 0; c < batch->classes; c++) {
			q[c] = exp(log_q[c]);
			if (p[c] > 0)
				sum += p[c] * (log(p[c]) - log_q[c]);
			d[r * batch->classes + c] = t * (q[c] - p[c]) / (double)batch->rows;
		}
	}
	return t * t * sum / (double)batch->rows;
}

/* Rows of x less their mean, at unit length; lengths into `length` unless NULL. */
static void unit_rows(const struct batch *batch, const double *x, double *unit, double *length)
{
	double mean[DISTILL_MAX_CLASSES] = {0};

	for (int64_t r = 0; r < batch->rows; r++)
		for (int c = 0; c < batch->classes; c++)
			mean[c] += x[r * batch->classes + c] / (double)batch->rows;
	for (int64_t r = 0; r < batch->rows; r++) {
		double *u = unit + r * batch->classes, square = LENGTH_FLOOR;

		for (int c = 0; c < batch->classes; c++) {
			u[c] = x[r * batch->classes + c] - mean[c];
			square += u[c] * u[c];
		}
		for (int c = 0; c < batch->classes; c++)
			u[c] /= sqrt(square);
		if (length)
			length[r] = sqrt(square);
	}
}

/* a^T b (classes, classes); returns the sum of its squares. */
static double products(const struct batch *batch, const double *a, const double *b,
		       double out[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES])
{
	double squares = 0;

	for (int i = 0; i < batch->classes; i++)
		for (int j = 0; j < batch->classes; j++) {
			double sum = 0;

			for (int64_t r = 0; r < batch->rows; r++)
				sum += a[r * batch->classes + i] * b[r * batch->classes + j];
			out[i][j] = sum;
			squares += sum * sum;
		}
	return squares;
}

/* Back through length, mean and softmax: what d_unit stands for is added to d_logits. */
static void unit_backward(const struct batch *batch, double *d_unit, double *d_logits)
{
	const int classes = batch->classes;
	double mean[DISTILL_MAX_CLASSES] = {0};

	for (int64_t r = 0; r < batch->rows; r++) {
		const double *u = batch->unit + r * classes;
		double *d = d_unit + r * classes, along = 0;

		for (int c = 0; c < classes; c++)
			along += u[c] * d[c];
		for (int c = 0; c < classes; c++) {
			d[c] = (d[c] - u[c] * along) / batch->length[r];
			mean[c] += d[c] / (double)batch->rows;
		}
	}
	for (int64_t r = 0; r < batch->rows; r++) {
		const double *q = batch->student + r * classes, *d = d_unit + r * classes;
		double along = 0;

		for (int c = 0; c < classes; c++)
			along += q[c] * (d[c] - mean[c]);
		for (int c = 0; c < classes; c++)
			d_logits[r * classes + c] +=
				q[c] * (d[c] - mean[c] - along) / batch->temperature;
	}
}

/* Mean squared difference of correlations; its gradient times `weight` is added to d. */
static int correlation_term(struct batch *batch, struct arena *arena, double weight, double *term,
			    double *d)
{
	const double pairs = (double)batch->rows * (double)batch->rows;
	const int classes = batch->classes;
	double own[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double cross[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double others[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double *d_unit =
		arena_alloc(arena, (size_t)batch->rows * (size_t)classes * sizeof(*d_unit));

	if (!d_unit)
		return ERR_NO_MEMORY;
	unit_rows(batch, batch->student, batch->unit, batch->length);
	unit_rows(batch, batch->teacher, batch->unit_teacher, NULL);
	*term = (products(batch, batch->unit, batch->unit, own) -
		 2 * products(batch, batch->unit_teacher, batch->unit, cross) +
		 products(batch, batch->unit_teacher, batch->unit_teacher, others)) /
		pairs;
	for (int64_t r = 0; r < batch->rows; r++)
		for (int c = 0; c < classes; c++) {
			double sum = 0;

			for (int i = 0; i < classes; i++)
				sum += batch->unit[r * classes + i] * own[i][c] -
				       batch->unit_teacher[r * classes + i] * cross[i][c];
			d_unit[r * classes + c] = 4 * weight * sum / pairs;
		}
	unit_backward(batch, d_unit, d);
	return 0;
}

int distill_loss(const struct distill_loss *loss, struct arena *arena, const float *logits,
		 const float *teacher, int64_t rows, int classes, struct distill_terms *terms,
		 float *d_logits)
{
	struct batch batch = {
		.rows = rows, .classes = classes, .temperature = loss->temperature};
	const size_t cells = (size_t)rows * (size_t)classes;
	double *d = arena_alloc(arena, cells * sizeof(*d) + 1);
	int status = d ? batch_new(&batch, arena) : ERR_NO_MEMORY;

	*terms = (struct distill_terms){0};
	if (status || rows == 0)
		return status;
	terms->kl = kl_term(&batch, logits, teacher, d);
	if (loss->correlation > 0)
		status = correlation_term(&batch, arena, loss->correlation, &terms->correlation, d);
	for (size_t i = 0; d_logits && i < cells; i++)
		d_logits[i] = (float)d[i];
	return status;
}
