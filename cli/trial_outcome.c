/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outcomes as bytes.
 *
 * The bytes: a line of text, the run's key, then 64-bit words, least
 * significant byte first (a double is its bits), then the SHA-256 of all that.
 */
#include "cli/trial_outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "aqmllm run 3\n";

#define MAGIC_BYTES (sizeof(magic) - 1)

/* The filled buckets of a histogram. */
static int keep_delays(struct trial_delays *delays, const struct histogram *histogram)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		used += histogram->buckets[i] > 0;
	*delays = (struct trial_delays){
		.count = histogram->count, .max = histogram->max, .sum = histogram->sum};
	delays->bucket = calloc(used + 1, sizeof(*delays->bucket));
	delays->packets = calloc(used + 1, sizeof(*delays->packets));
	if (!delays->bucket || !delays->packets)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] == 0)
			continue;
		delays->bucket[delays->used] = i;
		delays->packets[delays->used++] = histogram->buckets[i];
	}
	return 0;
}

static int allocate_bins(struct trial_outcome *outcome, uint64_t count)
{
	outcome->bin_count = count;
	outcome->qdelay_ms = calloc(count + 1, sizeof(*outcome->qdelay_ms));
	outcome->utilisation = calloc(count + 1, sizeof(*outcome->utilisation));
	return outcome->qdelay_ms && outcome->utilisation ? 0 : ERR_NO_MEMORY;
}

int trial_outcome_keep(struct trial_outcome *outcome, const struct sim_result *result,
		       const struct aqm_policy_counts *counts, const struct policy_cost *cost)
{
	int code;

	*outcome = (struct trial_outcome){
		.cost = *cost, .warmup_s = result->warmup_s, .bin_s = result->bin_s};
	trial_metrics_take(outcome->values, result, counts);
	objective_measure(result, &outcome->figures);
	code = allocate_bins(outcome, result->bin_count);
	for (uint64_t i = 0; code == 0 && i < result->bin_count; i++) {
		outcome->qdelay_ms[i] = result->bins[i].qdelay_ms[SIM_ALL];
		outcome->utilisation[i] = result->bins[i].utilisation;
	}
	if (code == 0)
		code = keep_delays(&outcome->qdelay_ns, &result->queues[SIM_ALL].qdelay_ns);
	if (code)
		trial_outcome_free(outcome);
	return code;
}

void trial_outcome_free(struct trial_outcome *outcome)
{
	free(outcome->qdelay_ms);
	free(outcome->utilisation);
	free(outcome->qdelay_ns.bucket);
	free(outcome->qdelay_ns.packets);
	memset(outcome, 0, sizeof(*outcome));
}

void trial_delays_merge(struct histogram *into, const struct trial_delays *delays)
{
	into->count += delays->count;
	into->sum += delays->sum;
	if (delays->max > into->max)
		into->max = delays->max;
	for (uint64_t i = 0; i < delays->used; i++)
		into->buckets[delays->bucket[i]] += delays->packets[i];
}

static void put_word(FILE *out, uint64_t word)
{
	for (int i = 0; i < 64; i += 8)
		fputc((int)(word >> i & 0xff), out);
}

static void put_double(FILE *out, double value)
{
	uint64_t word;

	memcpy(&word, &value, sizeof(word));
	put_word(out, word);
}

static void put_outcome(FILE *out, const struct trial_outcome *outcome)
{
	const struct policy_cost *cost = &outcome->cost;
	const struct trial_delays *delays = &outcome->qdelay_ns;
	const uint64_t words[] = {cost->decisions, cost->wall_ns,      cost->parameters,
				  cost->trainable, cost->memory_bytes, outcome->bin_count,
				  delays->count,   delays->max,	       delays->used};

	for (int m = 0; m < TRIAL_METRICS; m++)
		put_double(out, outcome->values[m]);
	for (int i = 0; i < OBJECTIVE_FIGURES; i++)
		put_double(out, outcome->figures.values[i]);
	put_double(out, outcome->warmup_s);
	put_double(out, outcome->bin_s);
	put_double(out, delays->sum);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		put_word(out, words[i]);
	for (uint64_t i = 0; i < outcome->bin_count; i++) {
		put_double(out, outcome->qdelay_ms[i]);
		put_double(out, outcome->utilisation[i]);
	}
	for (uint64_t i = 0; i < delays->used; i++) {
		put_word(out, delays->bucket[i]);
		put_word(out, delays->packets[i]);
	}
}

static void digest_of(const char *bytes, size_t size, unsigned char value[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, bytes, size);
	digest_end(&digest, value);
}

int trial_outcome_write(const struct trial_outcome *outcome, const unsigned char *key, char **bytes,
			size_t *size)
{
	FILE *out = open_memstream(bytes, size);
	unsigned char value[DIGEST_BYTES];

	if (out == NULL)
		return ERR_NO_MEMORY;
	fwrite(magic, 1, MAGIC_BYTES, out);
	fwrite(key, 1, DIGEST_BYTES, out);
	put_outcome(out, outcome);
	if (fflush(out) == 0) {
		digest_of(*bytes, *size, value);
		fwrite(value, 1, sizeof(value), out);
	}
	if (ferror(out) | fclose(out)) {
		free(*bytes);
		return ERR_NO_MEMORY;
	}
	return 0;
}

/* Words in their order; reading past the end gives zeros and is remembered. */
struct words {
	const unsigned char *at, *end;
	bool cut;
};

static uint64_t take_word(struct words *words)
{
	uint64_t word = 0;

	if (words->end - words->at < 8) {
		words->cut = true;
		return 0;
	}
	for (int i = 0; i < 8; i++)
		word |= (uint64_t)words->at[i] << (8 * i);
	words->at += 8;
	return word;
}

static double take_double(struct words *words)
{
	const uint64_t word = take_word(words);
	double value;

	memcpy(&value, &word, sizeof(value));
	return value;
}

/* `count` pairs of words are still to come. */
static bool has_pairs(const struct words *words, uint64_t count)
{
	return !words->cut && count <= (uint64_t)(words->end - words->at) / 16;
}

static int take_bins(struct trial_outcome *outcome, struct words *words, uint64_t count)
{
	int code = has_pairs(words, count) ? allocate_bins(outcome, count) : ERR_INVALID;

	for (uint64_t i = 0; code == 0 && i < count; i++) {
		outcome->qdelay_ms[i] = take_double(words);
		outcome->utilisation[i] = take_double(words);
	}
	return code;
}

static int take_delays(struct trial_delays *delays, struct words *words, uint64_t used)
{
	if (!has_pairs(words, used))
		return ERR_INVALID;
	delays->bucket = calloc(used + 1, sizeof(*delays->bucket));
	delays->packets = calloc(used + 1, sizeof(*delays->packets));
	if (!delays->bucket || !delays->packets)
		return ERR_NO_MEMORY;
	delays->used = used;
	for (uint64_t i = 0; i < used; i++) {
		const uint64_t bucket = take_word(words);

		if (bucket >= HISTOGRAM_BUCKETS)
			return ERR_INVALID;
		delays->bucket[i] = (uint32_t)bucket;
		delays->packets[i] = take_word(words);
	}
	return 0;
}

static int take_outcome(struct trial_outcome *outcome, struct words *words)
{
	struct policy_cost *cost = &outcome->cost;
	uint64_t bins, used;
	int code;

	for (int m = 0; m < TRIAL_METRICS; m++)
		outcome->values[m] = take_double(words);
	for (int i = 0; i < OBJECTIVE_FIGURES; i++)
		outcome->figures.values[i] = take_double(words);
	outcome->warmup_s = take_double(words);
	outcome->bin_s = take_double(words);
	outcome->qdelay_ns.sum = take_double(words);
	cost->decisions = take_word(words);
	cost->wall_ns = take_word(words);
	cost->parameters = take_word(words);
	cost->trainable = take_word(words);
	cost->memory_bytes = take_word(words);
	bins = take_word(words);
	outcome->qdelay_ns.count = take_word(words);
	outcome->qdelay_ns.max = take_word(words);
	used = take_word(words);
	code = take_bins(outcome, words, bins);
	if (code == 0)
		code = take_delays(&outcome->qdelay_ns, words, used);
	return code || !(words->cut || words->at != words->end) ? code : ERR_INVALID;
}

int trial_outcome_read(struct trial_outcome *outcome, const unsigned char *key, const char *bytes,
		       size_t size)
{
	const size_t head = MAGIC_BYTES + DIGEST_BYTES;
	unsigned char value[DIGEST_BYTES];
	struct words words;
	int code;

	memset(outcome, 0, sizeof(*outcome));
	if (size < head + DIGEST_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0 ||
	    memcmp(bytes + MAGIC_BYTES, key, DIGEST_BYTES) != 0)
		return ERR_INVALID;
	digest_of(bytes, size - DIGEST_BYTES, value);
	if (memcmp(bytes + size - DIGEST_BYTES, value, DIGEST_BYTES) != 0)
		return ERR_INVALID;
	words.at = (const unsigned char *)bytes + head;
	words.end = (const unsigned char *)bytes + size - DIGEST_BYTES;
	words.cut = false;
	code = take_outcome(outcome, &words);
	if (code)
		trial_outcome_free(outcome);
	return code;
}
