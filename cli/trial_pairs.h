/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every arm of a trial beside a baseline arm: by network, on the same seeds;
 * by group of networks; and what is claimed of it.
 *
 * Of a network and a quantity there is one value: the geometric mean over seeds
 * of the ratio arm / baseline, or the mean of the difference, with its bootstrap
 * interval over seeds (report/bootstrap.h).  Of a group there is the median of
 * its networks' values with a bootstrap interval over networks, which is what
 * allows to speak of networks that were not sampled.  A seed counts where both
 * arms have a value, a network where one seed does.
 */
#ifndef CLI_TRIAL_PAIRS_H
#define CLI_TRIAL_PAIRS_H

#include "cli/trial.h"
#include "report/bootstrap.h"

/*
 * X(quantity, metric, as a ratio, more is worse, least value told apart, label)
 *
 * Below the least value two arms count as equal: of a delay a packet's time at
 * 1 Gbit/s, of rates 1 kbit/s.
 */
#define TRIAL_PAIR_TABLE(X)                                                                        \
	X(classic_p99, classic_delay_ms_p99, true, true, 0.012, "Classic p99")                     \
	X(l4s_p99, l4s_delay_ms_p99, true, true, 0.012, "L4S p99")                                 \
	X(goodput, goodput_mbps, true, false, 0.001, "goodput")                                    \
	X(imbalance, imbalance, false, true, 0, "imbalance, difference")                           \
	X(classic_mean, classic_delay_ms_mean, true, true, 0.012, "Classic mean")                  \
	X(l4s_mean, l4s_delay_ms_mean, true, true, 0.012, "L4S mean")                              \
	X(classic_p99_9, classic_delay_ms_p99_9, true, true, 0.012, "Classic p99.9")               \
	X(l4s_p99_9, l4s_delay_ms_p99_9, true, true, 0.012, "L4S p99.9")                           \
	X(classic_variation, classic_delay_ms_variation, true, true, 0.012, "Classic p99 - p50")   \
	X(l4s_variation, l4s_delay_ms_variation, true, true, 0.012, "L4S p99 - p50")               \
	X(classic_goodput, classic_goodput_mbps, true, false, 0.001, "Classic goodput")            \
	X(l4s_goodput, l4s_goodput_mbps, true, false, 0.001, "L4S goodput")                        \
	X(unused, unused_percent, false, true, 0, "unused, points")                                \
	X(drops, drop_percent, false, true, 0, "drops, points")                                    \
	X(page_p95, page_ms_p95, true, true, 1, "page p95")                                        \
	X(video, video_mbps, true, false, 0.001, "video rate")                                     \
	X(datagram_p99, datagram_ms_p99, true, true, 0.012, "datagram p99")

enum trial_pair {
#define TRIAL_PAIR_ENUM(name, ...) TRIAL_PAIR_##name,
	TRIAL_PAIR_TABLE(TRIAL_PAIR_ENUM)
#undef TRIAL_PAIR_ENUM
		TRIAL_PAIRS
};

#define TRIAL_PAIRS_TOLD 4 /* the first ones, where there is no room for all */

const char *trial_pair_name(enum trial_pair pair);
const char *trial_pair_label(enum trial_pair pair);

/* What networks are grouped by: X(attribute) */
#define TRIAL_ATTRIBUTE_TABLE(X)                                                                   \
	X(rate)	   /* Mbit/s: the least of its steps; of a generated link the mean */              \
	X(rtt)	   /* ms, without queues: mean over long-lived flows, or of the bottleneck */      \
	X(varying) /* 1: the link's rate moves (steps, traces, handovers); 0: it does not */       \
	X(link)	   /* enum trial_link */                                                           \
	X(classes) /* long-lived flows: 0 none, 1 Classic, 2 L4S, 3 both */                        \
	X(unused)  /* per cent of the link that the baseline left unused, mean over seeds */

enum trial_attribute {
#define TRIAL_ATTRIBUTE_ENUM(name) TRIAL_ATTRIBUTE_##name,
	TRIAL_ATTRIBUTE_TABLE(TRIAL_ATTRIBUTE_ENUM)
#undef TRIAL_ATTRIBUTE_ENUM
		TRIAL_ATTRIBUTES
};

/* X(link, how it is told) */
#define TRIAL_LINK_TABLE(X)                                                                        \
	X(steady, "steady")                                                                        \
	X(aggregates, "aggregates")                                                                \
	X(steps, "rate steps")                                                                     \
	X(lte, "LTE")                                                                              \
	X(wifi, "Wi-Fi")                                                                           \
	X(satellite, "satellite")                                                                  \
	X(handover, "handovers")                                                                   \
	X(trace, "recorded trace")

enum trial_link {
#define TRIAL_LINK_ENUM(name, label) TRIAL_LINK_##name,
	TRIAL_LINK_TABLE(TRIAL_LINK_ENUM)
#undef TRIAL_LINK_ENUM
		TRIAL_LINKS
};

const char *trial_link_label(enum trial_link link);

/*
 * X(group, attribute, from, to below, label).  Networks below 12 Mbit/s, where a
 * packet takes longer than the step of 1 ms, are in their own group and in no
 * other.
 */
#define TRIAL_LOW_MBPS 12
#define TRIAL_GROUP_TABLE(X)                                                                       \
	X(all, rate, TRIAL_LOW_MBPS, 1e9, "all from 12 Mbit/s")                                    \
	X(steady, varying, 0, 1, "rate does not vary")                                             \
	X(varying, varying, 1, 2, "rate varies")                                                   \
	X(unused, unused, 2, 1e9, "baseline leaves >= 2 % unused")                                 \
	X(filled, unused, -1e9, 2, "baseline leaves < 2 % unused")                                 \
	X(both, classes, 3, 4, "L4S and Classic flows")                                            \
	X(classic, classes, 1, 2, "Classic flows alone")                                           \
	X(l4s, classes, 2, 3, "L4S flows alone")                                                   \
	X(rate_40, rate, TRIAL_LOW_MBPS, 40, "12 to 40 Mbit/s")                                    \
	X(rate_150, rate, 40, 150, "40 to 150 Mbit/s")                                             \
	X(rate_1000, rate, 150, 1e9, "from 150 Mbit/s")                                            \
	X(rtt_20, rtt, 0, 20, "RTT below 20 ms")                                                   \
	X(rtt_80, rtt, 20, 80, "RTT 20 to 80 ms")                                                  \
	X(rtt_200, rtt, 80, 1e9, "RTT from 80 ms")                                                 \
	X(link_steady, link, TRIAL_LINK_steady, TRIAL_LINK_steady + 1, "link: steady")             \
	X(link_aggregates, link, TRIAL_LINK_aggregates, TRIAL_LINK_aggregates + 1,                 \
	  "link: aggregates")                                                                      \
	X(link_steps, link, TRIAL_LINK_steps, TRIAL_LINK_steps + 1, "link: rate steps")            \
	X(link_lte, link, TRIAL_LINK_lte, TRIAL_LINK_lte + 1, "link: LTE")                         \
	X(link_wifi, link, TRIAL_LINK_wifi, TRIAL_LINK_wifi + 1, "link: Wi-Fi")                    \
	X(link_satellite, link, TRIAL_LINK_satellite, TRIAL_LINK_satellite + 1, "link: satellite") \
	X(link_handover, link, TRIAL_LINK_handover, TRIAL_LINK_handover + 1, "link: handovers")    \
	X(low, rate, 0, TRIAL_LOW_MBPS, "below 12 Mbit/s")

enum trial_group {
#define TRIAL_GROUP_ENUM(name, ...) TRIAL_GROUP_##name,
	TRIAL_GROUP_TABLE(TRIAL_GROUP_ENUM)
#undef TRIAL_GROUP_ENUM
		TRIAL_GROUPS
};

const char *trial_group_name(enum trial_group group);
const char *trial_group_label(enum trial_group group);

/*
 * What is asked of an arm that is to be better than its baseline:
 * X(claim, group, at most or at least, bound, text).  The statistic of each is
 * in trial_claims.c.
 */
#define TRIAL_WORSE 0.05    /* a network whose whole interval lies further than this is worse */
#define TRIAL_WORSE_SEEDS 5 /* that an interval needs for that: of fewer it is too narrow */
#define TRIAL_CLAIM_TABLE(X)                                                                       \
	X(classic_p99, all, true, 0.5, "Classic p99, ratio in the median network")                 \
	X(goodput, all, false, 0.995, "goodput, ratio in the median network with Classic packets") \
	X(unused, unused, false, 1.01, "goodput, median ratio where >= 2 % are unused")            \
	X(l4s_varying, varying, true, 0.8, "L p99, median ratio where the rate varies")            \
	X(l4s_steady, steady, true, 1.02, "L p99, median ratio elsewhere")                         \
	X(imbalance, all, true, 0.75, "imbalance, ratio of means over networks")                   \
	X(worse, all, true, 0, "networks worse by more than 5 % in p99 delay or goodput")          \
	X(guarded, all, true, 5, "packets on which the guard stood in, %, mean over networks")

enum trial_claim {
#define TRIAL_CLAIM_ENUM(name, ...) TRIAL_CLAIM_##name,
	TRIAL_CLAIM_TABLE(TRIAL_CLAIM_ENUM)
#undef TRIAL_CLAIM_ENUM
		TRIAL_CLAIMS
};

/* X(verdict, how it is told) */
#define TRIAL_VERDICT_TABLE(X)                                                                     \
	X(met, "met")                                                                              \
	X(open, "met, interval open") /* the value does, its interval reaches beyond */            \
	X(missed, "missed")                                                                        \
	X(unmeasured, "not measured")

enum trial_verdict {
#define TRIAL_VERDICT_ENUM(name, label) TRIAL_VERDICT_##name,
	TRIAL_VERDICT_TABLE(TRIAL_VERDICT_ENUM)
#undef TRIAL_VERDICT_ENUM
};

struct trial_claim_result {
	struct estimate estimate; /* count: of networks */
	enum trial_verdict verdict;
};

const char *trial_claim_name(enum trial_claim claim);
const char *trial_claim_text(enum trial_claim claim);
/* "<= 0.5" */
const char *trial_claim_asked(enum trial_claim claim);
const char *trial_verdict_label(enum trial_verdict verdict);

/* An arm beside a baseline. */
struct trial_pairing {
	size_t arm, baseline;
	struct estimate *networks; /* (scenarios, TRIAL_PAIRS); owned */
	double *unused;		   /* (scenarios): the attribute; owned */
	struct estimate groups[TRIAL_GROUPS][TRIAL_PAIRS];
	struct trial_claim_result claims[TRIAL_CLAIMS];
};

struct trial_pairs {
	const struct trial *trial;
	double (*networks)[TRIAL_ATTRIBUTES]; /* (scenarios), `unused` left out; owned */
	struct trial_pairing *pairings;	      /* by baseline, then arm; owned */
	size_t count;
};

/*
 * Compares: the first `baselines` arms of a trial that has run are baselines,
 * each of all other arms.  ERR_NO_MEMORY.
 */
int trial_pairs_make(struct trial_pairs *pairs, const struct trial *trial, size_t baselines,
		     unsigned threads, struct error *error);
void trial_pairs_free(struct trial_pairs *pairs);

/* What of a network is known before any run; `unused` is NaN. */
void trial_network_attributes(const struct scenario *scenario, double *attributes);

bool trial_pairing_in_group(const struct trial_pairs *pairs, const struct trial_pairing *pairing,
			    size_t network, enum trial_group group);

struct estimate trial_pairing_of(const struct trial_pairing *pairing, size_t network,
				 enum trial_pair pair);

/*
 * Its whole interval lies more than TRIAL_WORSE on the worse side (p99 of a class, goodput), and is
 * of TRIAL_WORSE_SEEDS or more.
 */
bool trial_pairing_is_worse(const struct trial_pairing *pairing, size_t network,
			    enum trial_pair pair);

/* In any of these. */
bool trial_pairing_network_is_worse(const struct trial_pairing *pairing, size_t network);

/* Fills pairing->claims; the rest is there. */
void trial_claims_settle(const struct trial_pairs *pairs, struct trial_pairing *pairing);

#endif
