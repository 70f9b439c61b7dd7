/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ties the model to the code: `points ranges` prints the laws' declared
 * parameter ranges as they are stored, `points N` what the compiled functions
 * return at N random points, both as SMT-LIB.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/curvy_red.h"
#include "aqm/dualpi2.h"
#include "aqm/guard.h"
#include "aqm/ops.h"
#include "aqm/pi2.h"
#include "aqm/pie.h"
#include "aqm/red.h"
#include "aqm/student.h"
#include "base/rng.h"

static double stored_per_unit(enum aqm_param_kind kind)
{
	switch (kind) {
	case AQM_PARAM_MS_AS_NS:
		return 1e6;
	case AQM_PARAM_Q32:
		return 4294967296.0;
	case AQM_PARAM_GAIN_Q16:
		return 65536;
	default:
		return 1;
	}
}

static void print_ranges(void)
{
	static const char *const laws[] = {"pie", "pi2", "dualpi2", "curvy_red", "red",
					    "student"};

	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
		for (const struct aqm_param *p = aqm_find(laws[i])->params; p->name; p++) {
			const double scale = stored_per_unit(p->kind);

			printf("(define-fun %s.%s.min () Int %.0f)\n", laws[i], p->name,
			       p->min * scale);
			printf("(define-fun %s.%s.max () Int %.0f)\n", laws[i], p->name,
			       p->max * scale);
		}
	}
}

static void print_room_constants(void)
{
	printf("(define-fun student.longest_pause () Int %d)\n", AQM_STUDENT_LONGEST_PAUSE);
	printf("(define-fun room.cost () Int %d)\n", AQM_ROOM_COST);
	printf("(define-fun room.steepness () Int %d)\n", AQM_ROOM_STEEPNESS);
	printf("(define-fun room.full_ns () Int %" PRId64 ")\n", AQM_ROOM_FULL_NS);
	printf("(define-fun room.longest_ns () Int %" PRId64 ")\n", AQM_ROOM_LONGEST_NS);
}

/* The guard has no parameters but constants. */
static void print_guard_constants(void)
{
	static const struct {
		const char *name;
		uint64_t value;
	} constants[] = {
		{"longest_ns", AQM_GUARD_LONGEST_NS},
		{"memory_ns", UINT64_C(1) << AQM_GUARD_MEMORY_BITS},
		{"first_ns", UINT64_C(1) << AQM_GUARD_FIRST_BITS},
		{"hold_ns", UINT64_C(1) << AQM_GUARD_HOLD_BITS},
		{"lengthenings", AQM_GUARD_LENGTHENINGS},
		{"forgiveness", AQM_GUARD_FORGIVENESS},
		{"idle_ns", AQM_GUARD_IDLE_NS},
		{"idle_share_q16", AQM_GUARD_IDLE_SHARE_Q16},
		{"unfed_ns", AQM_GUARD_UNFED_NS},
		{"calm_ns", AQM_GUARD_CALM_NS},
		{"late_ns", AQM_GUARD_LATE_NS},
		{"late_cost", AQM_GUARD_LATE_COST},
		{"unit", AQM_GUARD_UNIT},
		{"classic_top", AQM_GUARD_CLASSIC_TOP},
		{"l4s_top", AQM_GUARD_L4S_TOP},
		{"extra_burst", AQM_GUARD_EXTRA_BURST},
		{"omitted_burst", AQM_GUARD_OMITTED_BURST},
	};

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		printf("(define-fun guard.%s () Int %" PRIu64 ")\n", constants[i].name,
		       constants[i].value);
}

/* Any size, from 0 to `highest`. */
static uint64_t draw(struct rng *rng, uint64_t highest)
{
	const uint64_t value = rng_u64(rng) >> rng_below(rng, 64);

	return rng_below(rng, 8) == 0 ? highest : value > highest ? value % (highest + 1) : value;
}

/* SMT-LIB has no negative literals. */
static void print_signed(int64_t value)
{
	if (value < 0)
		printf("(- %" PRIu64 ")", (uint64_t)-value);
	else
		printf("%" PRId64, value);
}

static void pi_point(struct rng *rng)
{
	const uint32_t alpha = (uint32_t)draw(rng, 1 << 22), beta = (uint32_t)draw(rng, 1 << 22);
	const uint64_t kind = rng_below(rng, 4), target = draw(rng, 4000000000);
	const uint64_t q = kind ? draw(rng, UINT64_C(1) << 42) : 0;
	const uint64_t before = kind > 1 ? draw(rng, UINT64_C(1) << 42) : q;
	const uint64_t p = draw(rng, AQM_Q32_ONE);
	const struct aqm_pie_params pie = {
		.alpha_q16 = alpha, .beta_q16 = beta, .target_ns = target};
	const struct aqm_pi2_params pi2 = {
		.alpha_q16 = alpha, .beta_q16 = beta, .target_ns = target};
	struct aqm_pi2_vars vars = {.p_q32 = p, .previous_qdelay_ns = before};
	struct aqm_pi2_stats stats = {0};
	char change[128];

	snprintf(change, sizeof(change),
		 "(pi_change %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 ")", alpha,
		 beta, target, q, before);
	printf("(assert (= %s ", change);
	print_signed(aqm_pi_change_q32(alpha, beta, target, q, before));
	puts("))");
	aqm_pi2_update(&pi2, &vars, &stats, q);
	printf("(assert (= (pi2_next %" PRIu64 " %s) %" PRIu64 "))\n", p, change, vars.p_q32);
	printf("(assert (= (pie_next %" PRIu64 " %s %s) %" PRIu64 "))\n", p, change,
	       q == 0 && before == 0 ? "true" : "false", aqm_pie_next_p(&pie, p, q, before));
}

static void dualpi2_point(struct rng *rng)
{
	const uint64_t p = draw(rng, AQM_Q32_ONE), q = draw(rng, UINT64_C(1) << 42);
	const struct aqm_dualpi2_params params = {
		.alpha_q16 = (uint32_t)draw(rng, 1 << 22),
		.beta_q16 = (uint32_t)draw(rng, 1 << 22),
		.k_q16 = 4096 + (uint32_t)draw(rng, (1 << 22) - 4096),
		.target_ns = draw(rng, 4000000000),
		.drop_overload = rng_below(rng, 2),
	};
	struct aqm_dualpi2_vars vars = {.p_q32 = p};
	struct aqm_dualpi2_stats stats = {0};
	const struct aqm_facts facts = {.head_sojourn_ns = {q, 0}};

	aqm_dualpi2_update(&params, &vars, &stats, &facts);
	printf("(assert (= (dualpi2_next %" PRIu64 " (pi_change %" PRIu32 " %" PRIu32 " %" PRIu64
	       " %" PRIu64 " 0) (dualpi2_highest %s %" PRIu32 ")) %" PRIu64 "))\n",
	       p, params.alpha_q16, params.beta_q16, params.target_ns, q,
	       params.drop_overload ? "true" : "false", params.k_q16, vars.p_q32);
	printf("(assert (= (coupled %" PRIu32 " %" PRIu64 ") %" PRIu64 "))\n", params.k_q16, p,
	       aqm_coupled_q32(params.k_q16, p));
	printf("(assert (= (square %" PRIu64 ") %" PRIu64 "))\n", p, aqm_square_q32(p));
}

static void comparison_point(struct rng *rng)
{
	const uint64_t p = draw(rng, AQM_Q32_ONE), threshold = 1 + draw(rng, 3999999999);
	const uint64_t level = rng_below(rng, 2) ? aqm_square_q32(p) : draw(rng, AQM_Q32_ONE);
	const uint64_t sojourn = rng_below(rng, 2) ? draw(rng, UINT64_C(1) << 62)
						   : threshold * (70 + rng_below(rng, 60)) / 100;
	const uint32_t bits = (uint32_t)draw(rng, UINT32_MAX);

	printf("(assert (= (reaches %" PRIu64 " %" PRIu64 ") %s))\n", p, level,
	       aqm_square_reaches(p, level) ? "true" : "false");
	printf("(assert (= (ramp %" PRIu64 " %" PRIu64 " %" PRIu32 ") %s))\n", threshold, sojourn,
	       bits, aqm_ramp_marks(threshold, sojourn, bits) ? "true" : "false");
}

static void wide_point(struct rng *rng)
{
	const uint64_t a = draw(rng, UINT64_C(13107199999999)), b = draw(rng, AQM_Q32_ONE);
	const uint64_t c = a + 1 + draw(rng, UINT64_C(13107199999999) - a);
	const struct aqm_curvy_params curvy = {.min_ns = draw(rng, 4000000000),
					       .range_ns = 10000 + draw(rng, 3999990000)};
	const uint64_t average = draw(rng, UINT64_C(72057594037862400));

	printf("(assert (= (muldiv %" PRIu64 " %" PRIu64 " %" PRIu64 ") %" PRIu64 "))\n", a, b, c,
	       aqm_muldiv(a, b, c));
	printf("(assert (= (share %" PRIu64 " %" PRIu64 ") %" PRIu64 "))\n", a, b,
	       aqm_share(a, b));
	printf("(assert (= (curvy_root %" PRIu64 " %" PRIu64 " %" PRIu64 ") %" PRIu64 "))\n",
	       curvy.min_ns, curvy.range_ns, average, aqm_curvy_root_q32(&curvy, average));
}

static void student_point(struct rng *rng)
{
	const int16_t feature = (int16_t)rng_u64(rng), offset = (int16_t)rng_u64(rng);
	const int16_t scale = (int16_t)rng_below(rng, 16384), z = (int16_t)rng_u64(rng);
	const uint64_t value = draw(rng, 60000000), low = draw(rng, 1000000);

	fputs("(assert (= (student_input ", stdout);
	print_signed(feature);
	putchar(' ');
	print_signed(offset);
	printf(" %d) ", scale);
	print_signed(aqm_student_input(feature, offset, scale));
	fputs("))\n(assert (= (student_bent ", stdout);
	print_signed(z);
	fputs(") ", stdout);
	print_signed(aqm_student_tanh(z));
	fputs("))\n(assert (= (exp2 ", stdout);
	print_signed(z);
	printf(") %" PRIu32 "))\n(assert (= (student_scaled %" PRIu64 " (exp2 ", aqm_exp2_q16(z),
	       value);
	print_signed(z);
	printf(") %" PRIu64 " 60000000) %" PRIu64 "))\n", low,
	       aqm_student_scaled(value, z, low, 60000000));
}

/* Two scores, of which the first is the larger one. */
static void attention_point(struct rng *rng)
{
	const int32_t value = (int32_t)rng_below(rng, 1 << 30) - (1 << 29);
	const int32_t below = (int32_t)rng_below(rng, 8 << 12);
	const int32_t score[2] = {4096, 4096 - below};
	const unsigned bits = 1 + (unsigned)rng_below(rng, 14);
	int16_t share[2];

	aqm_student_shares(score, 2, share);
	fputs("(assert (= (student_nearest ", stdout);
	print_signed(value);
	printf(" %u) ", 1U << bits);
	print_signed(aqm_student_nearest(value, bits));
	printf("))\n(assert (= (attention_share %" PRIu32 " %" PRIu32 ") %d))\n",
	       aqm_exp2_q16(-below), 65536 + aqm_exp2_q16(-below), share[1]);
}

static void steep_point(struct rng *rng)
{
	const uint64_t target_ns = 1000000 + draw(rng, 59000000);
	const uint64_t sojourn_ns = draw(rng, 5 * target_ns), p_q32 = draw(rng, AQM_Q32_ONE);
	const uint32_t below_q16 = (uint32_t)draw(rng, 262144);
	const uint32_t above_q16 = (uint32_t)draw(rng, below_q16);
	const uint64_t room_q12 = draw(rng, 8192);
	const struct aqm_student_vars vars = {
		.now.target_ns = target_ns,
		.per_target_q48 = aqm_div64(UINT64_C(1) << 48, target_ns),
		.steep_below_q16 = below_q16,
		.steep_above_q16 = above_q16,
		.law.p_q32 = p_q32,
	};

	printf("(assert (= (square (student_steep %" PRIu64 " (student_factor %" PRIu32
	       " %" PRIu32 " (student_ratio %" PRIu64 " (student_per %" PRIu64 ") %" PRIu64
	       ")))) %" PRIu64 "))\n",
	       p_q32, below_q16, above_q16, target_ns, target_ns, sojourn_ns,
	       aqm_student_p_c_q32(&vars, sojourn_ns));
	printf("(assert (= (student_above %" PRIu32 " %" PRIu64 ") %" PRIu32 "))\n", below_q16,
	       room_q12, aqm_student_steep_above_q16(below_q16, (int32_t)room_q12));
}

static void pause_point(struct rng *rng)
{
	const uint64_t ns = draw(rng, 40000000), step_ns = 250000 + draw(rng, 3750000);
	const uint64_t squares = draw(rng, UINT64_C(1) << 44), busy = draw(rng, UINT64_C(1) << 40);
	const struct aqm_student_params params = {.pauses_q16 = (uint32_t)draw(rng, 262144)};
	struct aqm_student_vars vars = {
		.now.step.threshold_ns = step_ns,
		.sense.sum = {.pause_squares = squares, .slow_busy_ns = busy},
	};

	aqm_student_step_pauses(&params, &vars);
	printf("(assert (= (student_pause_square %" PRIu64 ") %" PRIu64 "))\n", ns,
	       aqm_student_pause_square(ns));
	printf("(assert (= (student_step %" PRIu64 " %" PRIu32 " (student_pause %" PRIu64
	       " %" PRIu64 ")) %" PRIu64 "))\n",
	       step_ns, params.pauses_q16, squares, busy, vars.now.step.threshold_ns);
}

static void guard_point(struct rng *rng)
{
	const int64_t share = (int64_t)draw(rng, AQM_Q32_ONE);
	const int64_t ns = (int64_t)draw(rng, AQM_GUARD_LONGEST_NS);
	const int64_t level = (int64_t)draw(rng, 15 * AQM_GUARD_UNIT);
	const unsigned bits = AQM_GUARD_FIRST_BITS + (unsigned)rng_below(rng, 8);
	const bool now = rng_below(rng, 2);

	printf("(assert (= (g_averaged %" PRId64 " %s %" PRId64 " %" PRIu64 ") %" PRId64 "))\n",
	       share, now ? "true" : "false", ns, UINT64_C(1) << bits,
	       aqm_guard_averaged(share, now, ns, bits));
	printf("(assert (= (g_allowed %" PRId64 " %" PRId64 ") %" PRId64 "))\n", share, ns,
	       aqm_guard_idle_allowed(share, ns));
	printf("(assert (= (g_asked %" PRId64 " %" PRId64 ") %" PRId64 "))\n", share, ns,
	       aqm_guard_classic_asked(share, ns));
	printf("(assert (= (g_earned %" PRId64 ") %" PRIu64 "))\n", level,
	       aqm_guard_earned_q32(level));
}

static void room_point(struct rng *rng)
{
	const int64_t left = (int64_t)draw(rng, AQM_ROOM_FULL_NS);
	const int64_t ns = (int64_t)draw(rng, AQM_ROOM_LONGEST_NS);
	const int64_t idle = (int64_t)draw(rng, (uint64_t)ns / (1 + rng_below(rng, 64)));

	printf("(assert (= (r_after %" PRId64 " %" PRId64 " %" PRId64 ") %" PRId64 "))\n", left,
	       ns, idle, aqm_room_after(left, ns, idle));
}

int main(int argc, char **argv)
{
	struct rng rng;

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "ranges") == 0) {
		print_ranges();
		print_guard_constants();
		print_room_constants();
		return 0;
	}
	rng_seed(&rng, 8033);
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--) {
		pi_point(&rng);
		dualpi2_point(&rng);
		comparison_point(&rng);
		wide_point(&rng);
		student_point(&rng);
		attention_point(&rng);
		steep_point(&rng);
		pause_point(&rng);
		guard_point(&rng);
		room_point(&rng);
	}
	return 0;
}
