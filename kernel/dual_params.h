/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parameters of a pair of queues as the user program has them: defaults, what a profile stands for,
 * what a student cannot have.  The vectors begin with these here, and with the program's own tables
 * in queue/.
 */
#ifndef KERNEL_DUAL_PARAMS_H
#define KERNEL_DUAL_PARAMS_H

#include "kernel/dual_host.h"

/* The values that a profile (enum aqm_dualpi2_profile) stands for; the law stands already. */
AQM_INLINE void dual_params_set_profile(struct dual_host_params *params, uint32_t profile)
{
	struct aqm_dualpi2_params *base = &params->own.base;
	const bool rfc = profile == AQM_DUALPI2_RFC9332;

	base->profile = profile;
	base->tupdate_ns = rfc ? 15000000 : 16000000;
	base->alpha_q16 = rfc ? 9830 : 10490;     /* Linux: 41/256 */
	base->beta_q16 = rfc ? 3U << 16 : 209570; /* Linux: 819/256 */
	base->step.min_qlen_pkts = rfc || params->law == DUAL_HOST_STUDENT ? 1 : 0;
}

/* All parameters of a law (enum dual_host_law), but for a student's model. */
AQM_INLINE void dual_params_default(struct dual_host_params *params, uint32_t law)
{
	*params = (struct dual_host_params){
		.law = law,
		.own = {.base = {.target_ns = 15000000,
				 .k_q16 = 2U << 16,
				 .mtu_bytes = 1500,
				 .step = {.threshold_ns = 1000000},
				 .drop_overload = true},
			.scheduler = {.wrr = {.c_percent = 10}, .tshift_ns = 50000000},
			.limit_pkts = 10000,
			.pauses_q16 = 1U << 16,
			.guarded = true},
	};
	dual_params_set_profile(params, AQM_DUALPI2_LINUX);
}

/* A student multiplies settings, so that they have narrower ranges: what is wrong, or NULL. */
static inline const char *dual_params_wrong(const struct dual_host_params *params)
{
	const struct aqm_dualpi2_params *base = &params->own.base;

	if (params->law != DUAL_HOST_STUDENT)
		return NULL;
	if (base->target_ns < 1000000 || base->target_ns > 60000000 || base->k_q16 < 1U << 14 ||
	    base->k_q16 > 8U << 16 || base->step.threshold_ns < 250000 ||
	    base->step.threshold_ns > 4000000 || base->alpha_q16 > 8U << 16 ||
	    base->beta_q16 > 8U << 16)
		return "student: target_ms 1 to 60, k 0.25 to 8, step_ms 0.25 to 4, alpha and beta "
		       "at most 8";
	if (base->step.min_qlen_pkts < 1 || base->drop_early || base->profile != AQM_DUALPI2_LINUX)
		return "student: min_qlen_step of at least 1, no drop_early, profile linux";
	return NULL;
}

#endif
