/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distillation losses and their gradients, sums in double.
 *
 * With centred rows U of the student and V of the teacher S = U U^T, G = V V^T, and
 *
 *     |S - G|^2 = |U^T U|^2 - 2 |V^T U|^2 + |V^T V|^2,
 *     d|S - G|^2 / dU = 4 (U (U^T U) - V (V^T U)),
 *
 * so nothing of the size rows x rows is ever made: only classes x classes.
 */
#include "learn/distill_loss.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/*
 * Least mean square of a teacher's centred row that counts: below it all states of the batch get
 * the same answer (softened probabilities within 0.01), and there is nothing to tell apart.
 */
#define LEAST_SQUARE 1e-4

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

/* A batch in doubles: student's and teacher's softened outputs, as they are and centred. */
struct batch {
	int64_t rows;
	int classes;
	double temperature;
	double *student, *teacher;		/* (rows, classes) probabilities */
	double *centred, *centred_teacher; /* (rows, classes) */
};

static int batch_new(struct batch *batch, struct arena *arena)
{
	const size_t cells = (size_t)batch->rows * (size_t)batch->classes;
	double *room = arena_alloc(arena, 4 * cells * sizeof(*room) + 1);

	if (!room)
		return ERR_NO_MEMORY;
	batch->student = room;
	batch->teacher = room + cells;
	batch->centred = room + 2 * cells;
	batch->centred_teacher = room + 3 * cells;
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

/* Rows of x less their mean; `out` may be `x`. */
static void centre_rows(const struct batch *batch, const double *x, double *out)
{
	double mean[DISTILL_MAX_CLASSES] = {0};

	for (int64_t r = 0; r < batch->rows; r++)
		for (int c = 0; c < batch->classes; c++)
			mean[c] += x[r * batch->classes + c] / (double)batch->rows;
	for (int64_t r = 0; r < batch->rows; r++)
		for (int c = 0; c < batch->classes; c++)
			out[r * batch->classes + c] = x[r * batch->classes + c] - mean[c];
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

/* Back through the mean and the softmax: what d_centred (changed) stands for is added to d_logits.
 */
static void centred_backward(const struct batch *batch, double *d_centred, double *d_logits)
{
	const int classes = batch->classes;

	centre_rows(batch, d_centred, d_centred);
	for (int64_t r = 0; r < batch->rows; r++) {
		const double *q = batch->student + r * classes, *d = d_centred + r * classes;
		double along = 0;

		for (int c = 0; c < classes; c++)
			along += q[c] * d[c];
		for (int c = 0; c < classes; c++)
			d_logits[r * classes + c] += q[c] * (d[c] - along) / batch->temperature;
	}
}

/* |S - G|^2 / |G|^2; its gradient times `weight` is added to d. */
static int correlation_term(struct batch *batch, struct arena *arena, double weight, double *term,
			    double *d)
{
	const double least = LEAST_SQUARE * (double)batch->rows;
	const int classes = batch->classes;
	double own[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double cross[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double others[DISTILL_MAX_CLASSES][DISTILL_MAX_CLASSES];
	double *d_centred =
		arena_alloc(arena, (size_t)batch->rows * (size_t)classes * sizeof(*d_centred));
	double size, squares;

	if (!d_centred)
		return ERR_NO_MEMORY;
	centre_rows(batch, batch->student, batch->centred);
	centre_rows(batch, batch->teacher, batch->centred_teacher);
	squares = products(batch, batch->centred_teacher, batch->centred_teacher, others);
	size = squares > least * least ? squares : least * least;
	*term = (products(batch, batch->centred, batch->centred, own) -
		 2 * products(batch, batch->centred_teacher, batch->centred, cross) + squares) /
		size;
	for (int64_t r = 0; r < batch->rows; r++)
		for (int c = 0; c < classes; c++) {
			double sum = 0;

			for (int i = 0; i < classes; i++)
				sum += batch->centred[r * classes + i] * own[i][c] -
				       batch->centred_teacher[r * classes + i] * cross[i][c];
			d_centred[r * classes + c] = 4 * weight * sum / size;
		}
	centred_backward(batch, d_centred, d);
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
