/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distillation losses and their gradients, sums in double.
 */
#include "learn/distill_loss.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "learn/gram.h"

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

/* A batch in doubles: student's and teacher's softened outputs. */
struct batch {
	int64_t rows;
	int classes;
	double temperature;
	double *student, *teacher; /* (rows, classes) probabilities */
};

static int batch_new(struct batch *batch, struct arena *arena)
{
	const size_t cells = (size_t)batch->rows * (size_t)batch->classes;
	double *room = arena_alloc(arena, 2 * cells * sizeof(*room) + 1);

	if (!room)
		return ERR_NO_MEMORY;
	batch->student = room;
	batch->teacher = room + cells;
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

/* Back through the softmax: what d_student stands for is added to d_logits. */
static void soften_backward(const struct batch *batch, const double *d_student, double *d_logits)
{
	const int classes = batch->classes;

	for (int64_t r = 0; r < batch->rows; r++) {
		const double *q = batch->student + r * classes, *d = d_student + r * classes;
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
	const struct gram_options options = {.weight = weight, .least_square = LEAST_SQUARE};
	const size_t cells = (size_t)batch->rows * (size_t)batch->classes;
	double *d_student = arena_alloc(arena, cells * sizeof(*d_student));
	int status;

	if (!d_student)
		return ERR_NO_MEMORY;
	status = gram_difference(arena, &options, batch->student, batch->teacher, batch->rows,
				 batch->classes, term, d_student);
	if (!status)
		soften_backward(batch, d_student, d);
	return status;
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
	terms->plain = kl_term(&batch, logits, teacher, d);
	if (loss->correlation > 0)
		status = correlation_term(&batch, arena, loss->correlation, &terms->correlation, d);
	for (size_t i = 0; d_logits && i < cells; i++)
		d_logits[i] = (float)d[i];
	return status;
}
