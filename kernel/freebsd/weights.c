/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Under a lock of its own, which is taken inside dummynet's.
 */
#include "kernel/freebsd/weights.h"

/* models/student.aqms as it was when the module was built. */
static const uint8_t shipped[] = {
#include "student_bytes.inc"
};

static struct mtx lock;
static struct weights *newest;

/* From the bytes of a file; NULL: `wrong` says what is wrong with them. */
static struct weights *weights_new(const uint8_t *bytes, size_t size, const char **wrong)
{
	struct weights *weights =
		malloc(sizeof(*weights) + size, M_DUMMYNET, M_WAITOK | M_ZERO);

	*wrong = aqm_student_from_bytes(&weights->model, bytes, size);
	if (*wrong) {
		free(weights, M_DUMMYNET);
		return NULL;
	}
	weights->users = 1;
	weights->size = (u_int)size;
	memcpy(weights->bytes, bytes, size);
	return weights;
}

struct weights *weights_take(void)
{
	struct weights *weights;

	mtx_lock(&lock);
	weights = newest;
	if (weights)
		weights->users++;
	mtx_unlock(&lock);
	return weights;
}

void weights_drop(struct weights *weights)
{
	bool unused;

	mtx_lock(&lock);
	unused = --weights->users == 0;
	mtx_unlock(&lock);
	if (unused)
		free(weights, M_DUMMYNET);
}

bool weights_are_old(const struct weights *weights)
{
	/* A torn look is none: a pointer is one word, and a late answer is for the next packet. */
	return weights != *(struct weights *const volatile *)&newest;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes from pairs of hexadecimal digits, in place; how many, or -1. */
static int from_digits(char *text, size_t length)
{
	uint8_t *bytes = (uint8_t *)text;

	if (length % 2)
		return -1;
	for (size_t i = 0; i < length / 2; i++) {
		const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(length / 2);
}

static int show_digits(struct sysctl_req *req)
{
	static const char digits[] = "0123456789abcdef";
	struct weights *weights = weights_take();
	const size_t length = 2 * (size_t)weights->size;
	char *text = malloc(length + 1, M_DUMMYNET, M_WAITOK);
	int error;

	for (size_t i = 0; i < weights->size; i++) {
		text[2 * i] = digits[weights->bytes[i] >> 4];
		text[2 * i + 1] = digits[weights->bytes[i] & 15];
	}
	text[length] = '\0';
	error = SYSCTL_OUT(req, text, length + 1);
	free(text, M_DUMMYNET);
	weights_drop(weights);
	return error;
}

/* The digits at `text` become the newest weights. */
static int exchange(char *text, size_t length)
{
	const int size = from_digits(text, length);
	struct weights *weights, *old;
	const char *wrong = "not an even number of hexadecimal digits";

	weights = size < 0 ? NULL : weights_new((const uint8_t *)text, (size_t)size, &wrong);
	if (weights == NULL) {
		log(LOG_ERR, "student: weights refused: %s\n", wrong);
		return EINVAL;
	}
	mtx_lock(&lock);
	old = newest;
	newest = weights;
	mtx_unlock(&lock);
	weights_drop(old);
	return 0;
}

static int on_weights(SYSCTL_HANDLER_ARGS)
{
	const size_t length = req->newlen - req->newidx;
	int error = show_digits(req);
	char *text;

	(void)oidp;
	(void)arg1;
	(void)arg2;
	if (error != 0 || req->newptr == NULL)
		return error;
	/* sysctl(8) sends a string without its NUL, programs may send it too. */
	if (length > 2 * AQM_STUDENT_BYTES_MAX + 1)
		return EINVAL;
	text = malloc(length + 1, M_DUMMYNET, M_WAITOK);
	error = SYSCTL_IN(req, text, length);
	if (error == 0)
		error = exchange(text, length && text[length - 1] == '\0' ? length - 1 : length);
	free(text, M_DUMMYNET);
	return error;
}

void weights_start(struct sysctl_ctx_list *context, struct sysctl_oid *parent)
{
	const char *wrong;

	mtx_init(&lock, "aqm weights", NULL, MTX_DEF);
	newest = weights_new(shipped, sizeof(shipped), &wrong);
	if (newest == NULL) {
		log(LOG_ERR, "student: the compiled-in weights: %s\n", wrong);
		return;
	}
	SYSCTL_ADD_PROC(context, SYSCTL_CHILDREN(parent), OID_AUTO, "weights",
			CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE | CTLFLAG_SKIP, NULL, 0,
			on_weights, "A",
			"the bytes of an *.aqms file in hexadecimal digits");
}

void weights_stop(void)
{
	if (newest)
		weights_drop(newest);
	newest = NULL;
	mtx_destroy(&lock);
}
