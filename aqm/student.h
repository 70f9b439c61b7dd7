/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The student: DualPI2 with a small network beside it.
 *
 * `supervise`: at every update of p' the network reads the features and sets
 * target, step, coupling and gains for the time up to the next, each within its
 * declared range, how regularly Classic packets are signalled, and how much of
 * p' is given up while the link idles.  One more output moves a level that the
 * network sees as a feature: what it needs to integrate, finer than a feature's
 * steps.  Packets meet DualPI2's law under those settings.  Outputs of 0 leave
 * it as it is.
 *
 * `share`: as `supervise`, but the settings are shares of the room there is
 * (aqm/room.h): 1 is as bold as the guard lets them be, 0 the law's own, -1 as far
 * to the other side, where only the coupling may go.  So a network that learns moves
 * within its bounds, wherever they are, and is never overridden.
 *
 * `verdict`: at every arrival the network says how likely each verdict should be,
 * as powers of two, and the packet's random bits draw one.  The law runs beside
 * it, sees what the queue does, and decides where the guard does not let the
 * network.
 *
 * The guard keeps verdicts within an envelope of the law with the parameters' own
 * settings (aqm/guard.h), and a supervisor's settings as near them as the link's idle
 * time asks for (aqm/room.h).
 *
 * Regular signals: between independent draws (0) and even intervals (1) the p_C of
 * packets are added up, and one is signalled when they reach a threshold of
 *
 *     regularity + (1 - regularity) E,  E exponential with mean 1,
 *
 * of which a new one is drawn at each signal.  Its mean is 1 whatever the
 * regularity, so the rate of signals is that of p_C, and the standard deviation of
 * the intervals is (1 - regularity) of that of independent draws.
 *
 * Steep signals: the p' of a Classic packet, squared to p_C as ever, is p' times
 *
 *     max(0, 1 + steepness (min(sojourn / target, 3) - 1)),
 *
 * so that of two packets the one that waited longer is the likelier to be signalled.  The
 * integral in p' keeps the queue where it was; signals leave the moments in which it is
 * nearly empty, when they would leave the link idle, for those in which it is long.  Above
 * the target the guard lets signals be as steep as there is room; below it needs none, as
 * no packet that waited for the target is spared.
 *
 * Pauses: a link that takes packets in batches makes them wait for the next one whatever the load.
 * Where settings are the network's, the step is no shorter than `pauses` of these, on top of what
 * the network and the guard make of it; so with batches outputs of 0 leave the law as it is only
 * with `pauses` of 0.
 *
 * Overload: bold gains and couplings bring k p' = 1 sooner than the law's own.  Under the guard a
 * packet that can carry a mark is dropped only where a p' that follows the same queue around the
 * target in force with the law's own gains is in overload by the law's own k too, and with its
 * square at most; otherwise it is marked.
 */
#ifndef AQM_STUDENT_H
#define AQM_STUDENT_H

#include "aqm/dual_scheduler.h"
#include "aqm/dualpi2.h"
#include "aqm/guard.h"
#include "aqm/room.h"
#include "aqm/student_arrival.h"

/*
 * X(name, low, high, text): outputs of `supervise` in their order.  The settings are the law's
 * times 2^output, cut to [low, high] of the unit told and then by the guard, if there is one;
 * regularity, decay and steepness are the output, cut.  Outputs of `share` are told in
 * docs/guard.md.
 */
#define AQM_STUDENT_SETTINGS(X)                                                                    \
	X(target, 1, 60, "Classic queue delay aimed at, ms")                                       \
	X(step, 0.25, 4, "sojourn above which L packets are marked, ms")                           \
	X(k, 0.25, 8, "coupling factor")                                                           \
	X(gain, 0.125, 8, "factor of alpha and beta")                                              \
	X(regularity, 0, 1, "of Classic signals: 0 independent draws, 1 even intervals")           \
	X(decay, 0, 1, "share of p' given up at an update before which the link only idled")       \
	X(level, -4, 4, "speed of the level, which moves by 4 x this in 2^30 ns within its range") \
	X(steepness, 0, 4, "how much p' of a Classic packet follows its sojourn over the target")

/* X(name, text): outputs of `verdict`; the chances are as 2^pass to 2^mark to 2^drop. */
#define AQM_STUDENT_CHANCES(X)                                                                     \
	X(pass, "log2 of the chance of letting it pass, up to a constant")                         \
	X(mark, "likewise of marking it")                                                          \
	X(drop, "likewise of dropping it")

#define AQM_STUDENT_STEEPEST 4
#define AQM_STUDENT_STEEP_RATIO 3	  /* of sojourn over target: more counts as this */
#define AQM_STUDENT_LEVEL_Q16 (4 * 65536) /* the level stays within +- this */

#define AQM_STUDENT_SETTING_ENUM(name, low, high, text) AQM_STUDENT_SETTING_##name,
enum aqm_student_setting {
	AQM_STUDENT_SETTINGS(AQM_STUDENT_SETTING_ENUM) AQM_STUDENT_SETTING_COUNT
};
#undef AQM_STUDENT_SETTING_ENUM

struct aqm_student_stats {
	struct aqm_dualpi2_stats law;
	uint64_t packets;    /* that arrived */
	uint64_t decisions;  /* of the network */
	/* Packets that got the law's verdict for the network's, or left under settings cut. */
	uint64_t overridden;
};

/*
 * For whoever records or replaces decisions.  decided() is called after the network has spoken,
 * with what it saw and said; `outputs` may be changed, and count then.
 */
struct aqm_student_tap {
	void *context;
	void (*decided)(void *context, const struct aqm_facts *facts, const int16_t *features,
			int16_t *outputs);      /* or NULL */
	struct aqm_student_stats *stats; /* copied here at every update; or NULL */
};

struct aqm_student_params {
	struct aqm_dualpi2_params base; /* what outputs of 0 leave as it is */
	struct aqm_dual_scheduler_params scheduler;
	uint32_t limit_pkts;
	uint32_t pauses_q16; /* so many of the link's pauses a supervisor's step lasts at least */
	bool guarded;
	const struct aqm_student_model *model; /* NULL: the host's; outlives the queue */
	const struct aqm_student_tap *tap;     /* or NULL; likewise */
};

struct aqm_student_vars {
	const struct aqm_student_model *model;
	struct aqm_dualpi2_vars law;
	struct aqm_dualpi2_params now; /* the settings in force */
	uint64_t own_p_q32; /* p' as it would be with the parameters' own gains */
	struct aqm_wrr_vars wrr;
	struct aqm_guard_params guard_params;
	struct aqm_guard_vars guard;
	struct aqm_room room; /* of a supervisor */
	bool cut; /* a supervisor's settings were cut by what room there is */
	struct aqm_student_sense sense;
	struct aqm_student_state state;
	int16_t input[AQM_STUDENT_PLACES];   /* of a net */
	int16_t output[AQM_STUDENT_OUTPUTS]; /* the last ones, 12 fraction bits */
	uint32_t regularity_q16;
	uint32_t decay_q16;
	uint32_t steep_below_q16; /* steepness below the target and above it */
	uint32_t steep_above_q16;
	uint64_t per_target_q48; /* 1 / (target in force, ns) */
	int32_t level_q16;
	uint64_t added_q32;       /* p_C since the last signal */
	uint64_t exponential_q32; /* E of the next one */
};

/* `shipped`: the model where the parameters name none. */
AQM_INLINE void aqm_student_init(const struct aqm_student_params *params,
				 const struct aqm_student_model *shipped,
				 struct aqm_student_vars *vars, struct aqm_student_stats *stats)
{
	*vars = (struct aqm_student_vars){
		.model = params->model ? params->model : shipped,
		.now = params->base,
		.exponential_q32 = AQM_Q32_ONE,
	};
	*stats = (struct aqm_student_stats){0};
	aqm_dualpi2_init(&params->base, &vars->law, &stats->law);
	aqm_wrr_reset(&params->scheduler.wrr, &vars->wrr, params->base.mtu_bytes);
	aqm_guard_set(&vars->guard_params, params->base.target_ns, params->base.step.threshold_ns);
	aqm_guard_init(&vars->guard);
	aqm_room_init(&vars->room);
	aqm_student_sense_init(&vars->sense);
}

/*
 * What a host may do in its own way, with the same results: AQM_STUDENT_OWN names a header that has
 * the functions below (BPF, whose verifier wants bounds, and whose stack is small).
 */
#ifdef AQM_STUDENT_OWN
#include AQM_STUDENT_OWN
#else
AQM_INLINE const struct aqm_student_model *aqm_student_model_of(const struct aqm_student_vars *vars)
{
	return vars->model;
}

/* Inputs [from, to) from their features. */
AQM_INLINE void aqm_student_read_inputs(struct aqm_student_vars *vars, uint32_t from, uint32_t to)
{
	aqm_student_inputs(vars->model, from, to, vars->sense.feature, vars->input);
}

/* Outputs from inputs, or a tree's from the features. */
AQM_INLINE void aqm_student_speak(struct aqm_student_vars *vars)
{
	if (vars->model->kind == AQM_STUDENT_tree)
		aqm_student_tree_run(vars->model, vars->sense.feature, vars->output);
	else
		AQM_STUDENT_NET(vars->model, &vars->state, vars->input, vars->output);
}

/* The same for a packet, from the values behind its features; `all` of them are to be there. */
AQM_INLINE void aqm_student_speak_of(struct aqm_student_vars *vars,
				     const uint64_t value[AQM_STUDENT_VALUES], bool all)
{
	AQM_STUDENT_ARRIVAL(vars->model, &vars->state, value, all, vars->sense.feature,
			    vars->input, vars->output);
}

/* The tap hears of a decision. */
AQM_INLINE void aqm_student_tell(const struct aqm_student_params *params,
				 struct aqm_student_vars *vars, const struct aqm_facts *facts)
{
	if (params->tap && params->tap->decided)
		params->tap->decided(params->tap->context, facts, vars->sense.feature,
				     vars->output);
}

/* The tap gets the counts. */
AQM_INLINE void aqm_student_tell_stats(const struct aqm_student_params *params,
				       const struct aqm_student_stats *stats)
{
	if (params->tap && params->tap->stats)
		*params->tap->stats = *stats;
}
#endif

/* The network has spoken. */
AQM_INLINE void aqm_student_spoke(const struct aqm_student_params *params,
				  struct aqm_student_vars *vars, struct aqm_student_stats *stats,
				  const struct aqm_facts *facts)
{
	stats->decisions++;
	aqm_student_tell(params, vars, facts);
}

AQM_INLINE uint64_t aqm_student_bounded(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* value x 2^output, within [low, high]; value is at most 2^32. */
AQM_INLINE uint64_t aqm_student_scaled(uint64_t value, int16_t output, uint64_t low, uint64_t high)
{
	const uint64_t scaled = (value * aqm_exp2_q16(output)) >> 16;

	return aqm_student_bounded(scaled, low, high);
}

/* Gains of the factor [1/8, 8]; none is above 2^22 (aqm_pi_change_q32()). */
AQM_INLINE uint32_t aqm_student_gain(uint32_t gain_q16, int16_t output)
{
	const uint64_t high = gain_q16 < 1U << 19 ? 8 * (uint64_t)gain_q16 : 1U << 22;

	return (uint32_t)aqm_student_scaled(gain_q16, output, gain_q16 / 8, high);
}

AQM_INLINE uint32_t aqm_student_share_q16(int16_t output)
{
	return (uint32_t)aqm_clamp_s64(output, 0, AQM_STUDENT_ONE) * (65536 / AQM_STUDENT_ONE);
}

/* The settings that the outputs ask for. */
AQM_PART void aqm_student_settings_apply(const struct aqm_dualpi2_params *base,
					 const int16_t *out, struct aqm_student_vars *vars)
{
	vars->now.target_ns = aqm_student_scaled(
		base->target_ns, out[AQM_STUDENT_SETTING_target], 1000000, 60000000);
	vars->now.step.threshold_ns = aqm_student_scaled(
		base->step.threshold_ns, out[AQM_STUDENT_SETTING_step], 250000, 4000000);
	vars->now.k_q16 = (uint32_t)aqm_student_scaled(
		base->k_q16, out[AQM_STUDENT_SETTING_k], 1U << 14, 8U << 16);
	vars->now.alpha_q16 = aqm_student_gain(base->alpha_q16, out[AQM_STUDENT_SETTING_gain]);
	vars->now.beta_q16 = aqm_student_gain(base->beta_q16, out[AQM_STUDENT_SETTING_gain]);
	vars->regularity_q16 = aqm_student_share_q16(out[AQM_STUDENT_SETTING_regularity]);
	vars->decay_q16 = aqm_student_share_q16(out[AQM_STUDENT_SETTING_decay]);
	vars->steep_below_q16 =
		(uint32_t)aqm_clamp_s64(out[AQM_STUDENT_SETTING_steepness], 0,
					AQM_STUDENT_STEEPEST * AQM_STUDENT_ONE) *
		(65536 / AQM_STUDENT_ONE);
	vars->steep_above_q16 = vars->steep_below_q16;
}

/* The level moves; it is seen with 8 fraction bits and kept with 16. */
AQM_INLINE void aqm_student_level_move(struct aqm_student_vars *vars, uint64_t tupdate_ns)
{
	const int64_t moves =
		aqm_halved(vars->output[AQM_STUDENT_SETTING_level] * (int64_t)tupdate_ns, 24);

	vars->level_q16 = (int32_t)aqm_clamp_s64(vars->level_q16 + moves, -AQM_STUDENT_LEVEL_Q16,
						 AQM_STUDENT_LEVEL_Q16);
	vars->sense.feature[AQM_STUDENT_FEATURE_own_level] =
		(int16_t)aqm_halved_s32(vars->level_q16, 8);
}

/* Octaves by which gains may rise, 12 fraction bits. */
AQM_INLINE int32_t aqm_student_gain_room_q12(int32_t room_q12)
{
	const int32_t fast_q12 = AQM_ROOM_GAIN_SLOPE * room_q12;
	const int32_t most_q12 = AQM_ROOM_GAIN_OCTAVES * AQM_STUDENT_ONE;

	return fast_q12 < most_q12 ? fast_q12 : most_q12;
}

/* So steep may signals be above the target; less than asked for is no cut of settings. */
AQM_INLINE uint32_t aqm_student_steep_above_q16(uint32_t asked_q16, int32_t room_q12)
{
	const uint32_t most_q16 =
		AQM_ROOM_STEEPNESS * (uint32_t)room_q12 * (65536 / AQM_STUDENT_ONE);

	return asked_q16 < most_q16 ? asked_q16 : most_q16;
}

/* log2 of 4/3: how far a coupling may go towards fewer signals, 12 fraction bits. */
#define AQM_STUDENT_FEWER_K_Q12 1699
_Static_assert(AQM_ROOM_FEWER_K_SHIFT == 2, "as the guard has it");

/* A share, cut to -1..1, of what a setting may rise and fall by. */
AQM_INLINE int16_t aqm_student_part(int16_t share, int32_t up_q12, int32_t down_q12)
{
	const int32_t cut = (int32_t)aqm_clamp_s64(share, -AQM_STUDENT_ONE, AQM_STUDENT_ONE);

	return (int16_t)aqm_halved_s32(cut * (cut < 0 ? down_q12 : up_q12), 12);
}

/* What shares of this room ask for, and of the steepest; regularity and level are as they are. */
AQM_INLINE void aqm_student_shares_ask(const int16_t *share, int32_t room_q12, int16_t *out)
{
	const int32_t gain_q12 = aqm_student_gain_room_q12(room_q12);

	for (uint32_t i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		out[i] = share[i];
	out[AQM_STUDENT_SETTING_target] =
		(int16_t)-aqm_student_part(share[AQM_STUDENT_SETTING_target], room_q12, 0);
	out[AQM_STUDENT_SETTING_step] =
		(int16_t)-aqm_student_part(share[AQM_STUDENT_SETTING_step], room_q12, 0);
	out[AQM_STUDENT_SETTING_k] = aqm_student_part(share[AQM_STUDENT_SETTING_k], room_q12,
						      AQM_STUDENT_FEWER_K_Q12);
	out[AQM_STUDENT_SETTING_gain] =
		aqm_student_part(share[AQM_STUDENT_SETTING_gain], gain_q12, 0);
	out[AQM_STUDENT_SETTING_decay] = aqm_student_part(share[AQM_STUDENT_SETTING_decay],
							  room_q12 >> AQM_ROOM_DECAY_SHIFT, 0);
	out[AQM_STUDENT_SETTING_steepness] =
		aqm_student_part(share[AQM_STUDENT_SETTING_steepness],
				 AQM_STUDENT_STEEPEST * AQM_STUDENT_ONE, 0);
}

/* A setting within [low, high]; `cut` becomes true where that changes it by more than 1/64. */
AQM_INLINE uint64_t aqm_student_kept(uint64_t value, uint64_t low, uint64_t high, bool *cut)
{
	if (value + (value >> 6) < low || value - (value >> 6) > high)
		*cut = true;
	return aqm_student_bounded(value, low, high);
}

/* Of a target or step: less of it gives more signals. */
AQM_INLINE uint64_t aqm_student_kept_delay(uint64_t value, uint64_t base, int32_t room_q12,
					   bool *cut)
{
	const uint64_t least = base * aqm_exp2_q16((int16_t)-room_q12) >> 16;

	return aqm_student_kept(value, least, base, cut);
}

/* Of a coupling or gain: more of it does.  It may fall to `least`, at most base. */
AQM_INLINE uint32_t aqm_student_kept_factor(uint32_t value, uint32_t base, uint32_t least,
					    int32_t octaves_q12, bool *cut)
{
	const uint64_t most = base * (uint64_t)aqm_exp2_q16((int16_t)octaves_q12) >> 16;

	return (uint32_t)aqm_student_kept(value, least, most, cut);
}

/* Settings go as far beyond the law's own as there is room; true: some wanted to go further. */
AQM_INLINE bool aqm_student_settings_guard(const struct aqm_dualpi2_params *base, int32_t room_q12,
					   struct aqm_dualpi2_params *now, uint32_t *decay_q16)
{
	const int32_t gain_q12 = aqm_student_gain_room_q12(room_q12);
	const uint32_t decay_most_q16 =
		(uint32_t)room_q12 * (65536 / AQM_STUDENT_ONE) >> AQM_ROOM_DECAY_SHIFT;
	bool cut = false;

	now->target_ns = aqm_student_kept_delay(now->target_ns, base->target_ns, room_q12, &cut);
	now->step.threshold_ns = aqm_student_kept_delay(
		now->step.threshold_ns, base->step.threshold_ns, room_q12, &cut);
	now->k_q16 = aqm_student_kept_factor(
		now->k_q16, base->k_q16, base->k_q16 - (base->k_q16 >> AQM_ROOM_FEWER_K_SHIFT),
		room_q12, &cut);
	now->alpha_q16 = aqm_student_kept_factor(now->alpha_q16, base->alpha_q16, base->alpha_q16,
						 gain_q12, &cut);
	now->beta_q16 = aqm_student_kept_factor(now->beta_q16, base->beta_q16, base->beta_q16,
						gain_q12, &cut);
	*decay_q16 = (uint32_t)aqm_student_kept(*decay_q16, 0, decay_most_q16, &cut);
	return cut;
}

/*
 * Sojourns that the link's own pauses make say nothing of the load, so the step is no shorter than
 * as many of them as the parameters say, whatever was asked for.
 */
AQM_INLINE void aqm_student_step_pauses(const struct aqm_student_params *params,
					struct aqm_student_vars *vars)
{
	uint64_t least_ns;

	if (params->pauses_q16 == 0)
		return;
	least_ns = aqm_student_pause_ns(&vars->sense) * params->pauses_q16 >> 16;
	if (vars->now.step.threshold_ns < least_ns)
		vars->now.step.threshold_ns = least_ns;
}

/* The outputs' settings are in force, as far as the guard lets them. */
AQM_INLINE void aqm_student_settings_set(const struct aqm_student_params *params,
					 struct aqm_student_vars *vars)
{
	const int32_t room_q12 = aqm_room_octaves(&vars->room, 12);
	int16_t asked[AQM_STUDENT_SETTING_COUNT];

	if (aqm_student_model_of(vars)->mode == AQM_STUDENT_share) {
		aqm_student_shares_ask(vars->output, room_q12, asked);
		aqm_student_settings_apply(&params->base, asked, vars);
	} else {
		aqm_student_settings_apply(&params->base, vars->output, vars);
	}
	vars->cut = params->guarded &&
		    aqm_student_settings_guard(&params->base, room_q12, &vars->now,
					       &vars->decay_q16);
	if (params->guarded)
		vars->steep_above_q16 =
			aqm_student_steep_above_q16(vars->steep_below_q16, room_q12);
	aqm_student_step_pauses(params, vars);
	vars->per_target_q48 = aqm_div64(UINT64_C(1) << 48, vars->now.target_ns);
}

/* A supervisor speaks; its settings are in force as far as there is room. */
AQM_PART void aqm_student_supervise(const struct aqm_student_params *params,
				    struct aqm_student_vars *vars,
				    struct aqm_student_stats *stats,
				    const struct aqm_facts *facts)
{
	aqm_room_tick(&vars->room, params->base.tupdate_ns,
		      params->base.tupdate_ns * vars->sense.idle_q16 >> 16);
	vars->sense.feature[AQM_STUDENT_FEATURE_room] =
		(int16_t)aqm_room_octaves(&vars->room, 8);
	aqm_student_read_inputs(vars, 0, aqm_student_model_of(vars)->inputs);
	aqm_student_speak(vars);
	aqm_student_spoke(params, vars, stats, facts);
	for (uint32_t i = 0; i < AQM_STUDENT_SETTING_level; i++)
		vars->sense.feature[AQM_STUDENT_FIRST_OWN + i] =
			(int16_t)aqm_halved_s32(vars->output[i], 4);
	aqm_student_level_move(vars, params->base.tupdate_ns);
	aqm_student_settings_set(params, vars);
}

AQM_INLINE bool aqm_student_overload(const struct aqm_student_vars *vars)
{
	return aqm_dualpi2_overload(&vars->now, vars->law.p_q32);
}

/* Settings are the network's, and the guard stands over them. */
AQM_INLINE bool aqm_student_settings_guarded(const struct aqm_student_params *params,
					     const struct aqm_student_vars *vars)
{
	return params->guarded && aqm_student_model_of(vars)->mode != AQM_STUDENT_verdict;
}

/* What of p' goes because the link idled: both shares are at most 1, p' is at most 2^32. */
AQM_INLINE uint64_t aqm_student_given_up(const struct aqm_student_vars *vars)
{
	const uint64_t share_q16 = ((uint64_t)vars->decay_q16 * vars->sense.idle_q16) >> 16;

	return (vars->law.p_q32 * share_q16) >> 16;
}

/* The periodic update: what is slow is measured, a supervisor speaks, p' moves. */
AQM_INLINE void aqm_student_tick(const struct aqm_student_params *params,
				 struct aqm_student_vars *vars, struct aqm_student_stats *stats,
				 const struct aqm_facts *facts)
{
	aqm_student_sense_tick(&vars->sense, facts, vars->law.p_q32, aqm_student_overload(vars),
			       params->base.tupdate_ns);
	if (aqm_student_model_of(vars)->mode != AQM_STUDENT_verdict)
		aqm_student_supervise(params, vars, stats, facts);
	else
		aqm_student_read_inputs(vars, 0, aqm_student_model_of(vars)->inputs);
	vars->own_p_q32 = aqm_dualpi2_next_q32(&params->base, vars->now.target_ns, vars->own_p_q32,
					       aqm_dualpi2_qdelay_ns(facts),
					       vars->law.previous_qdelay_ns);
	aqm_dualpi2_update(&vars->now, &vars->law, &stats->law, facts);
	vars->law.p_q32 -= aqm_student_given_up(vars);
	aqm_student_tell_stats(params, stats);
}

/* The law's probability of signalling a packet of this queue, at most 1. */
AQM_INLINE uint64_t aqm_student_law_p_q32(const struct aqm_student_vars *vars, unsigned queue)
{
	const uint64_t coupled = aqm_coupled_q32(vars->now.k_q16, vars->law.p_q32);
	/* Looked up, not branched to: packets of both queues come in any order. */
	const uint64_t p_q32[AQM_QUEUES] = {
		[AQM_QUEUE_C] = aqm_square_q32(vars->law.p_q32),
		[AQM_QUEUE_L] = coupled < AQM_Q32_ONE ? coupled : AQM_Q32_ONE,
	};

	return p_q32[queue];
}

/* 2^out for each verdict, x 2^16; in the order of enum aqm_verdict: pass, mark, drop. */
AQM_INLINE void aqm_student_chances(const int16_t *out, uint32_t chance[3])
{
	for (uint32_t i = 0; i < 3; i++)
		chance[i] = aqm_exp2_q16(out[i]);
}

/* A verdict drawn with 32 bits: drops from 0 up, then marks.  No division. */
AQM_INLINE enum aqm_verdict aqm_student_draw(const int16_t *out, uint32_t bits)
{
	uint32_t chance[3];
	uint64_t at;

	aqm_student_chances(out, chance);
	at = ((uint64_t)chance[0] + chance[1] + chance[2]) * bits;
	if (at < (uint64_t)chance[AQM_DROP] << 32)
		return AQM_DROP;
	return at < ((uint64_t)chance[AQM_DROP] + chance[AQM_MARK]) << 32 ? AQM_MARK : AQM_PASS;
}

/* A mark that cannot be carried is a drop. */
AQM_INLINE enum aqm_verdict aqm_student_effect(enum aqm_verdict verdict, uint8_t ecn)
{
	return verdict == AQM_MARK && ecn == AQM_NOT_ECT ? AQM_DROP : verdict;
}

/* The network's verdict for a packet that arrives. */
AQM_PART enum aqm_verdict aqm_student_wants(const struct aqm_student_params *params,
					    struct aqm_student_vars *vars,
					    struct aqm_student_stats *stats,
					    const struct aqm_facts *facts)
{
	uint64_t value[AQM_STUDENT_VALUES] = {0};

	aqm_student_values_now(&vars->sense, facts, value);
	aqm_student_values_packet(facts, aqm_student_law_p_q32(vars, aqm_queue_of(facts)), value);
	aqm_student_speak_of(vars, value, params->tap != NULL);
	aqm_student_spoke(params, vars, stats, facts);
	return aqm_student_effect(aqm_student_draw(vars->output, (uint32_t)facts->random),
				  facts->ecn);
}

/* What the guard makes of `wanted` where the law says `law`. */
AQM_INLINE enum aqm_verdict aqm_student_judge(const struct aqm_student_params *params,
					      struct aqm_student_vars *vars,
					      const struct aqm_facts *facts, enum aqm_verdict law,
					      enum aqm_verdict wanted)
{
	return params->guarded ? aqm_guard_judges(&vars->guard_params, &vars->guard, facts, law,
						  wanted, aqm_student_overload(vars))
			       : wanted;
}

/* `decided`: the network's verdict stands; otherwise the law's is still to come, at departure. */
AQM_INLINE enum aqm_verdict aqm_student_on_enqueue(const struct aqm_student_params *params,
						   struct aqm_student_vars *vars,
						   struct aqm_student_stats *stats,
						   const struct aqm_facts *facts, bool *decided)
{
	enum aqm_verdict wanted;

	stats->packets++;
	aqm_student_sense_arrival(&vars->sense, facts);
	*decided = false;
	if (aqm_student_model_of(vars)->mode != AQM_STUDENT_verdict)
		return AQM_PASS;
	if (params->guarded)
		aqm_guard_arrived(&vars->guard, facts);
	wanted = aqm_student_wants(params, vars, stats, facts);
	if (aqm_student_judge(params, vars, facts, AQM_PASS, wanted) != wanted) {
		stats->overridden++;
		return AQM_PASS;
	}
	*decided = true;
	if (wanted != AQM_PASS)
		aqm_student_sense_signal(&vars->sense, facts);
	return wanted;
}

/* E of an exponential distribution with mean 1 from 32 bits, x 2^32: ln 2 x log2 (2^32 / bits). */
AQM_INLINE uint64_t aqm_student_exponential(uint32_t bits)
{
	const uint64_t log2_q8 = (uint64_t)(32 * AQM_LOG2_ONE - aqm_log2_q8(bits));

	return log2_q8 * UINT64_C(11629080); /* ln 2 x 2^24 */
}

/* The probability of signalling a Classic packet that waited so long, at most 1. */
AQM_INLINE uint64_t aqm_student_p_c_q32(const struct aqm_student_vars *vars, uint64_t sojourn_ns)
{
	const uint64_t most_ns = AQM_STUDENT_STEEP_RATIO * vars->now.target_ns;
	const uint64_t waited_ns = sojourn_ns < most_ns ? sojourn_ns : most_ns;
	const uint64_t ratio_q16 = (waited_ns * vars->per_target_q48) >> 32;
	const uint64_t steep_q16 =
		ratio_q16 < 65536 ? vars->steep_below_q16 : vars->steep_above_q16;
	const uint64_t more_q16 = 65536 + (steep_q16 * ratio_q16 >> 16);
	const uint64_t factor_q16 = more_q16 > steep_q16 ? more_q16 - steep_q16 : 0;
	const uint64_t p_q32 = vars->law.p_q32 * factor_q16 >> 16;

	return aqm_square_q32(p_q32 < AQM_Q32_ONE ? p_q32 : AQM_Q32_ONE);
}

/* A Classic packet's p_C is added; true: it is the one to signal. */
AQM_INLINE bool aqm_student_adds_up(struct aqm_student_vars *vars, uint64_t p_c_q32, uint32_t bits)
{
	const uint64_t even_q16 = vars->regularity_q16;
	const uint64_t threshold =
		(even_q16 << 16) + ((vars->exponential_q32 >> 16) * (65536 - even_q16));

	vars->added_q32 += p_c_q32;
	/* What was added before signals nobody once p_C is 0. */
	if (p_c_q32 == 0 || vars->added_q32 < threshold)
		return false;
	vars->added_q32 -= threshold;
	/* One signal a packet is the most there can be: what is left over does not pile up. */
	if (vars->added_q32 > AQM_Q32_ONE)
		vars->added_q32 = AQM_Q32_ONE;
	vars->exponential_q32 = aqm_student_exponential(bits);
	return true;
}

/* Whether a Classic packet is to be signalled, under the settings in force. */
AQM_INLINE bool aqm_student_signals(struct aqm_student_vars *vars, const struct aqm_facts *facts)
{
	const uint64_t p_c_q32 = aqm_student_p_c_q32(vars, facts->sojourn_ns);

	if (vars->regularity_q16 == 0)
		return aqm_chance(p_c_q32, (uint32_t)facts->random);
	return aqm_student_adds_up(vars, p_c_q32, (uint32_t)facts->random);
}

/* The law's verdict at departure under the settings in force. */
AQM_INLINE enum aqm_verdict aqm_student_law(struct aqm_student_vars *vars,
					    struct aqm_student_stats *stats,
					    const struct aqm_facts *facts,
					    uint32_t qlen_at_arrival_pkts)
{
	if (vars->regularity_q16 == 0)
		vars->added_q32 = 0; /* independent draws remember nothing */
	if (facts->queue != AQM_QUEUE_C ||
	    (vars->regularity_q16 == 0 && vars->steep_below_q16 == 0))
		return aqm_dualpi2_on_dequeue(&vars->now, &vars->law, &stats->law, facts,
					      qlen_at_arrival_pkts);
	if (aqm_dualpi2_is_short(&vars->now, facts))
		return AQM_PASS;
	return aqm_dualpi2_fate(&vars->now, &vars->law, &stats->law, facts,
				aqm_student_signals(vars, facts));
}

/* What becomes of the law's verdict under settings that may have brought overload by themselves. */
AQM_INLINE enum aqm_verdict aqm_student_spares(const struct aqm_student_params *params,
					       const struct aqm_student_vars *vars,
					       const struct aqm_facts *facts,
					       enum aqm_verdict verdict)
{
	if (verdict != AQM_DROP || facts->ecn == AQM_NOT_ECT ||
	    !aqm_student_settings_guarded(params, vars))
		return verdict;
	return aqm_dualpi2_overload(&params->base, vars->own_p_q32) &&
			       aqm_squared_chance(vars->own_p_q32, facts->random)
		       ? AQM_DROP
		       : AQM_MARK;
}

/*
 * A packet departs that the network gave the verdict `was`, and has its mark if that was one; the
 * law decides only now.
 */
AQM_INLINE enum aqm_verdict aqm_student_depart(const struct aqm_student_params *params,
					       struct aqm_student_vars *vars,
					       struct aqm_student_stats *stats,
					       const struct aqm_facts *facts, enum aqm_verdict law,
					       enum aqm_verdict was)
{
	if (law == was && was != AQM_PASS && params->guarded)
		aqm_guard_repays(&vars->guard, aqm_queue_of(facts));
	if (law <= was || aqm_student_judge(params, vars, facts, law, was) == was)
		return AQM_PASS;
	stats->overridden++;
	return law;
}

/* `decided`: the network's verdict `was` stood at arrival. */
AQM_INLINE enum aqm_verdict aqm_student_on_dequeue(const struct aqm_student_params *params,
						   struct aqm_student_vars *vars,
						   struct aqm_student_stats *stats,
						   const struct aqm_facts *facts,
						   uint32_t qlen_at_arrival_pkts, bool decided,
						   enum aqm_verdict was)
{
	enum aqm_verdict verdict;

	if (params->guarded && aqm_student_model_of(vars)->mode == AQM_STUDENT_verdict)
		aqm_guard_departs(&vars->guard_params, &vars->guard, facts);
	stats->overridden += vars->cut;
	verdict = aqm_student_spares(params, vars, facts,
				     aqm_student_law(vars, stats, facts, qlen_at_arrival_pkts));
	if (decided)
		verdict = aqm_student_depart(params, vars, stats, facts,
					     aqm_student_effect(verdict, facts->ecn), was);
	aqm_student_sense_departure(&vars->sense, facts, verdict);
	return verdict;
}

/* The link asked for a packet and there was none. */
AQM_INLINE void aqm_student_on_empty(const struct aqm_student_params *params,
				     struct aqm_student_vars *vars, uint64_t now_ns)
{
	if (params->guarded && aqm_student_model_of(vars)->mode == AQM_STUDENT_verdict)
		aqm_guard_found_empty(&vars->guard, now_ns);
}

/* The law's fields of a log line: as DualPI2's, with the settings in force. */
AQM_INLINE void aqm_student_record(const struct aqm_student_vars *vars,
				   const struct aqm_facts *facts, struct aqm_record *record)
{
	aqm_dualpi2_record(&vars->now, &vars->law, facts, record);
}

#endif
