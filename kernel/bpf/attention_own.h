/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What aqm/student_attention.h computes, in BPF: part of kernel/bpf/student_own.h, and written as
 * that is.  Query, key, value and lags of a token are in `gate`, the ring in `ring`.
 */
#ifndef KERNEL_BPF_ATTENTION_OWN_H
#define KERNEL_BPF_ATTENTION_OWN_H

BPF_POWER_OF_TWO(AQM_STUDENT_RING);
BPF_POWER_OF_TWO(AQM_STUDENT_WINDOW);

#define BPF_GATE(index) student_scratch.gate[(index) & (BPF_PLACES - 1)]

/* This decision's key and value take their place. */
static long bpf_ring_put(uint32_t i, void *context)
{
	const struct bpf_attention *own = &student_scratch.attention;
	const uint32_t at = (own->place * own->token + i) & (AQM_STUDENT_RING - 1);

	(void)context;
	student_scratch.ring.key[at] = (int16_t)aqm_student_nearest(BPF_GATE(own->width + i),
								    AQM_STUDENT_KEY_SHIFT);
	student_scratch.ring.value[at] = BPF_GATE(2 * own->width + i);
	return 0;
}

/* A number of a key by one of the query: number after number, decision after decision. */
static long bpf_score(uint32_t i, void *context)
{
	struct bpf_attention *own = &student_scratch.attention;
	const uint32_t at = (own->walk * own->token + own->number) & (AQM_STUDENT_RING - 1);
	const uint32_t place = own->walk & (AQM_STUDENT_WINDOW - 1);
	const uint32_t back = own->place >= own->walk ? 0 : own->window;
	int32_t score;

	(void)i;
	(void)context;
	own->sum += aqm_student_nearest(BPF_GATE(own->number), AQM_STUDENT_QUERY_SHIFT) *
		    student_scratch.ring.key[at];
	if (++own->number < own->width)
		return 0;
	score = aqm_student_nearest(own->sum, AQM_STUDENT_SCORE_SHIFT) +
		BPF_GATE(3 * own->width + own->place + back - own->walk);
	own->score[place] = score;
	if (own->walk == 0 || score > own->largest)
		own->largest = score;
	own->sum = 0;
	own->number = 0;
	own->walk++;
	return 0;
}

static long bpf_power(uint32_t i, void *context)
{
	struct bpf_attention *own = &student_scratch.attention;
	const uint32_t place = i & (AQM_STUDENT_WINDOW - 1);
	const uint32_t below = (uint32_t)(own->largest - own->score[place]);

	(void)context;
	own->score[place] = (int32_t)aqm_student_power(below);
	own->total += (uint32_t)own->score[place];
	return 0;
}

/* A decision's share of a number, decision after decision, number after number. */
static long bpf_mix(uint32_t i, void *context)
{
	struct bpf_attention *own = &student_scratch.attention;
	const uint32_t at = (own->walk * own->token + own->number) & (AQM_STUDENT_RING - 1);
	const uint64_t power = (uint32_t)own->score[own->walk & (AQM_STUDENT_WINDOW - 1)];
	const uint32_t to = own->number & (BPF_PLACES - 1);

	(void)i;
	(void)context;
	own->sum += (int32_t)(power * own->inverse >> (46 - AQM_STUDENT_SHARE_BITS)) *
		    student_scratch.ring.value[at];
	if (++own->walk < own->window)
		return 0;
	student_scratch.place[~own->half & 1][to] = (int16_t)aqm_student_cut(
		student_scratch.place[own->half & 1][to] +
		aqm_student_nearest(own->sum, AQM_STUDENT_SHARE_BITS));
	own->sum = 0;
	own->walk = 0;
	own->number++;
	return 0;
}

/* The attention that is layer `index`, from one half of the places into the other. */
__attribute__((noinline)) int bpf_attention_run(uint32_t index, uint32_t half)
{
	const struct aqm_student_layer *layer =
		&student_model.layer[index & (AQM_STUDENT_LAYERS - 1)];
	struct bpf_attention *own = &student_scratch.attention;
	const uint32_t next = student_scratch.ring.next;

	*own = (struct bpf_attention){
		.width = layer->inputs,
		.token = aqm_student_token(layer->inputs),
		.window = (uint32_t)aqm_student_window(layer),
		.half = half,
	};
	own->place = next < own->window ? next : 0;
	student_scratch.ring.next = own->place + 1 < own->window ? own->place + 1 : 0;
	bpf_layer_run(index, half, 1);
	bpf_loop(own->width, bpf_ring_put, NULL, 0);
	bpf_loop(own->width * own->window, bpf_score, NULL, 0);
	bpf_loop(own->window, bpf_power, NULL, 0);
	own->inverse = aqm_div64(UINT64_C(1) << 46, own->total);
	own->sum = 0;
	own->walk = 0;
	own->number = 0;
	bpf_loop(own->width * own->window, bpf_mix, NULL, 0);
	return 0;
}

/* A residual's rows, in `gate`, are added to what the layer before was given: the other half. */
static long bpf_residual_add(uint32_t i, void *context)
{
	const uint32_t half = student_scratch.row.half, at = i & (BPF_PLACES - 1);
	int16_t *to = &student_scratch.place[~half & 1][at];

	(void)context;
	*to = (int16_t)aqm_student_cut(*to + student_scratch.gate[at]);
	return 0;
}

__attribute__((noinline)) int bpf_residual_run(uint32_t index, uint32_t half)
{
	bpf_layer_run(index, half, 1);
	bpf_loop(student_model.layer[index & (AQM_STUDENT_LAYERS - 1)].outputs, bpf_residual_add,
		 NULL, 0);
	return 0;
}

/* Whether there is a ring to keep. */
__attribute__((noinline)) int bpf_attends(void)
{
	for (uint32_t i = 0; i < AQM_STUDENT_LAYERS && i < student_model.layers; i++)
		if (student_model.layer[i].kind == AQM_STUDENT_attention)
			return 1;
	return 0;
}

#endif
