/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of envelopes: one function per published experiment.
 *
 * CUBIC flows run with `linux_cubic`: the testbeds whose figures these are ran Linux, and ns-3's
 * model follows Linux's code.  By RFC 9438 alone the Reno-friendly increase is twice as large past
 * the old window, which shows at 12 Mbit/s: Classic p99 30.4 to 31.0 ms, not 28 to 29.
 * Prague flows run with `linux_prague`, which shows under overload: five of them that keep two
 * segments per round trip leave 96 % to datagrams in L, not 97.5 %.
 */
#include "tests/envelopes/cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 96
#define DURATION_S 60
/*
 * Where a flow that adds a segment per round trip takes longer to its share than the warm-up of a
 * run of 60 s: at 200 Mbit/s and 100 ms Prague gains 1.2 Mbit/s a second.
 */
#define LONG_DURATION_S 180
#define DUALPI2 .aqm = "dualpi2", .params = {"profile=linux", "min_qlen_step=1"}

const char *const envelope_figure_names[ENVELOPE_FIGURES] = {
	[L_MEAN] = "L delay mean, ms",      [L_P99] = "L delay p99, ms",
	[C_MEAN] = "Classic mean, ms",      [C_P99] = "Classic p99, ms",
	[UTILISATION] = "utilisation",      [RATIO] = "rate ratio",
	[TCP_SHARE] = "TCP share, %",       [UDP_SHARE] = "UDP share, %",
};

struct list {
	struct envelope_case *cases;
	size_t count;
};

static struct envelope_case *add(struct list *list, struct envelope_case envelope)
{
	list->cases[list->count] = envelope;
	list->cases[list->count].duration_s = DURATION_S;
	return &list->cases[list->count++];
}

static void expect(struct envelope_case *to, enum envelope_figure figure, double lower,
		   double upper, double published)
{
	to->rows[to->row_count++] = (struct envelope_row){figure, lower, upper, published};
}

/* Within `share` of what was published, either way. */
static void near(struct envelope_case *to, enum envelope_figure figure, double published,
		 double share)
{
	expect(to, figure, published * (1 - share), published * (1 + share), published);
}

/* ---- 1 scalable and 1 Cubic flow at equal round trips ---- */

static void delays(struct envelope_case *to, double rate, double rtt)
{
	const double packets_ms = 3 * 12.0 / rate;
	const bool slow = rate < 12, far = rtt >= 50;
	const double upper_p99 = slow ? NAN : rate == 40 || packets_ms < 1.2 ? 1.2 : packets_ms;

	expect(to, L_MEAN, NAN, rate == 40 ? 0.6 : NAN, NAN);
	expect(to, L_P99, NAN, upper_p99, NAN);
	if (far)
		expect(to, C_MEAN, slow ? NAN : 6, slow ? NAN : 13, NAN);
	else
		expect(to, C_MEAN, slow ? 10 : 13, slow ? 21 : 16, NAN);
	expect(to, C_P99, NAN, far ? NAN : slow ? 55 : rate == 12 ? 30 : 27, NAN);
	expect(to, UTILISATION, far ? 0.975 : 0.99, NAN, NAN);
}

static void ratio(struct envelope_case *to, double rate, double rtt)
{
	const bool bound = (rate >= 12 && rate <= 40) || (rate >= 120 && rtt <= 20);
	const double published = rate != 40 ? NAN : rtt == 5 ? 1.01 : rtt == 100 ? 1.82 : NAN;

	expect(to, RATIO, bound ? 0.5 : NAN, bound ? 3.1 : NAN, published);
}

static void equal_round_trips(struct list *list)
{
	static const double rates[] = {4, 12, 40, 120, 200}, rtts[] = {5, 10, 20, 50, 100};

	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			const double rate = rates[i], rtt = rtts[j];
			struct envelope_case *to = add(
				list, (struct envelope_case){
					      .rate_mbps = rate,
					      DUALPI2,
					      .flows = {{"prague", ENDPOINT_ECN_ACCECN, 1, rtt, 0},
							{"cubic", ENDPOINT_ECN_NONE, 1, rtt, 0}}});

			snprintf(to->name, sizeof(to->name), "%g Mbit/s, RTT %g ms", rate, rtt);
			delays(to, rate, rtt);
			ratio(to, rate, rtt);
			if (rate >= 120 && rtt >= 100)
				to->duration_s = LONG_DURATION_S;
			to->quick = rate == 40 && (rtt == 5 || rtt == 20);
		}
}

static void against_reno(struct list *list)
{
	static const double rtts[] = {5, 100}, published[] = {0.91, 2.17};

	for (size_t i = 0; i < 2; i++) {
		const double rtt = rtts[i];
		struct envelope_case *to =
			add(list, (struct envelope_case){
					  .rate_mbps = 40,
					  DUALPI2,
					  .flows = {{"prague", ENDPOINT_ECN_ACCECN, 1, rtt, 0},
						    {"newreno", ENDPOINT_ECN_NONE, 1, rtt, 0}}});

		snprintf(to->name, sizeof(to->name), "Prague : Reno, 40 Mbit/s, RTT %g ms", rtt);
		expect(to, RATIO, NAN, NAN, published[i]);
	}
}

static void mixed_round_trips(struct list *list)
{
	static const double rtts[][2] = {{5, 100}, {100, 5}}, bounds[][2] = {{4, 9}, {0.2, 0.45}};

	for (size_t i = 0; i < 2; i++) {
		struct envelope_case *to = add(
			list, (struct envelope_case){
				      .rate_mbps = 40,
				      DUALPI2,
				      .flows = {{"prague", ENDPOINT_ECN_ACCECN, 1, rtts[i][0], 0},
						{"cubic", ENDPOINT_ECN_NONE, 1, rtts[i][1], 0}}});

		snprintf(to->name, sizeof(to->name), "40 Mbit/s, Prague %g ms, Cubic %g ms",
			 rtts[i][0], rtts[i][1]);
		expect(to, RATIO, bounds[i][0], bounds[i][1], NAN);
	}
}

/* ---- overload: 5 + 5 flows and datagrams that do not answer ---- */

static struct envelope_case *overload(struct list *list, double rate, bool in_l)
{
	struct envelope_case *to = add(
		list, (struct envelope_case){
			      .rate_mbps = 100,
			      DUALPI2,
			      .flows = {{"prague", ENDPOINT_ECN_ACCECN, 5, 10, 0},
					{"cubic", ENDPOINT_ECN_NONE, 5, 10, 0},
					{"udp", in_l ? ENDPOINT_ECN_ECT1 : ENDPOINT_ECN_NONE, 1, 10,
					 rate}}});

	snprintf(to->name, sizeof(to->name), "100 Mbit/s, 5 + 5 flows, %g Mbit/s UDP in %s", rate,
		 in_l ? "L" : "C");
	return to;
}

static void overloads(struct list *list)
{
	struct envelope_case *to = overload(list, 50, true);

	near(to, L_MEAN, 0.22, 0.2);
	near(to, L_P99, 0.62, 0.2);
	near(to, C_MEAN, 15, 0.2);
	near(to, C_P99, 25, 0.2);
	expect(to, TCP_SHARE, 46.6, 50.6, 48.6);
	to = overload(list, 100, true);
	near(to, L_MEAN, 15.0, 0.2);
	near(to, L_P99, 17.4, 0.2);
	near(to, C_MEAN, 1.0, 0.2);
	near(to, C_P99, 2.4, 0.2);
	expect(to, UDP_SHARE, 93, 97, 95);
	to = overload(list, 140, false);
	near(to, L_MEAN, 0.06, 0.2);
	near(to, L_P99, 0.20, 0.2);
	near(to, C_MEAN, 15, 0.2);
	near(to, C_P99, 20, 0.2);
	expect(to, TCP_SHARE, 0, 3.6, 1.6);
}

/* ---- other laws ---- */

static void classic_ecn(struct list *list)
{
	static const char *const aqms[] = {"pie", "fq_codel"};
	static const double means[] = {15.3, 5.7}, ratios[] = {0.99, 1.00};

	for (size_t i = 0; i < 2; i++) {
		struct envelope_case *to = add(
			list, (struct envelope_case){
				       .rate_mbps = 40,
				       .aqm = aqms[i],
				       .flows = {{"cubic", ENDPOINT_ECN_CLASSIC, 1, 5, 0},
						 {"cubic", ENDPOINT_ECN_NONE, 1, 5, 0}}});
		snprintf(to->name, sizeof(to->name), "%s, 40 Mbit/s, RTT 5 ms, ECN and none",
			 aqms[i]);
		near(to, C_MEAN, means[i], 0.2);
		near(to, RATIO, ratios[i], 0.2);
	}
}

/*
 * The known danger of scalable traffic in a queue that marks as RFC 3168 says.  What was published
 * names no round trip, on which it depends: the bound is held to the longest.
 */
static void one_classic_queue(struct list *list)
{
	static const char *const aqms[] = {"pie", "codel"};
	static const double rtts[] = {5, 20, 80};

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++) {
			const double rtt = rtts[j];
			struct envelope_case *to = add(
				list, (struct envelope_case){
					      .rate_mbps = 40,
					      .aqm = aqms[i],
					      .params = {i == 0 ? "ecn_max_p=1" : NULL},
					      .flows = {{"prague", ENDPOINT_ECN_ACCECN, 1, rtt, 0},
							{"cubic", ENDPOINT_ECN_CLASSIC, 1, rtt,
							 0}}});

			snprintf(to->name, sizeof(to->name),
				 "one RFC 3168 queue (%s), 40 Mbit/s, RTT %g ms", aqms[i], rtt);
			expect(to, RATIO, rtt == 80 ? 15 : NAN, NAN, 15);
		}
}

/* ---- how much room a lower target leaves: ns-3, one seed ---- */

struct room {
	double rate, rtt;
	const char *classic[2];
	unsigned classic_count[2];
	bool prague;
	struct {
		const char *target;
		double share, mean, p99;
	} at[3];
};

static const struct room rooms[] = {
	{40, 20, {"cubic"}, {2}, true,
	 {{"target_ms=15", 1.000, 15.2, 21.1}, {"target_ms=5", 0.9995, 5.2, 9.9},
	  {"target_ms=2", 0.998, 2.3, 6.0}}},
	{40, 100, {"cubic"}, {1}, true,
	 {{"target_ms=15", 0.986, 10.3, 19.2}, {"target_ms=5", 0.972, 3.6, 9.2},
	  {"target_ms=2", 0.971, 1.8, 6.9}}},
	{40, 100, {"cubic"}, {1}, false,
	 {{"target_ms=15", 0.979, 7.8, 16.8}, {"target_ms=5", 0.926, 1.3, 10.5},
	  {"target_ms=2", 0.868, 0.8, 8.1}}},
	{12, 20, {"cubic", "newreno"}, {1, 1}, true,
	 {{"target_ms=15", 0.998, 15.7, 30.8}, {"target_ms=5", 0.981, 5.9, 16.7}}},
};

static void room_add(struct list *list, const struct room *room, size_t at)
{
	struct envelope_case *to =
		add(list, (struct envelope_case){.rate_mbps = room->rate, DUALPI2});
	size_t n = 0;

	to->params[2] = room->at[at].target;
	for (; n < 2 && room->classic[n]; n++)
		to->flows[n] = (struct envelope_flows){room->classic[n], ENDPOINT_ECN_NONE,
						       room->classic_count[n], room->rtt, 0};
	if (room->prague)
		to->flows[n] = (struct envelope_flows){"prague", ENDPOINT_ECN_ACCECN, 1, room->rtt,
						       0};
	snprintf(to->name, sizeof(to->name), "room: %g Mbit/s, RTT %g ms%s, %s", room->rate,
		 room->rtt, room->prague ? "" : ", no Prague", room->at[at].target);
	expect(to, UTILISATION, NAN, NAN, room->at[at].share);
	expect(to, C_MEAN, NAN, NAN, room->at[at].mean);
	expect(to, C_P99, NAN, NAN, room->at[at].p99);
}

struct envelope_case *envelope_cases(size_t *count)
{
	struct list list = {calloc(CASES_MAX, sizeof(*list.cases)), 0};

	if (!list.cases)
		return NULL;
	equal_round_trips(&list);
	against_reno(&list);
	mixed_round_trips(&list);
	overloads(&list);
	classic_ecn(&list);
	one_classic_queue(&list);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		for (size_t at = 0; at < 3 && rooms[i].at[at].target; at++)
			room_add(&list, &rooms[i], at);
	*count = list.count;
	return list.cases;
}

/* ---- a case as a network, and a run of it as figures ---- */

void envelope_scenario(const struct envelope_case *which, struct scenario *scenario)
{
	double shortest_ms = 1e9;

	scenario_init(scenario);
	snprintf(scenario->name, sizeof(scenario->name), "%s", which->name);
	scenario->duration_s = which->duration_s;
	scenario->warmup_s = which->duration_s / 3;
	scenario->rate_mbps = which->rate_mbps;
	snprintf(scenario->aqm, sizeof(scenario->aqm), "%s", which->aqm);
	for (size_t i = 0; i < 3 && which->params[i]; i++)
		snprintf(scenario->params[scenario->param_count++], sizeof(scenario->params[0]),
			 "%s", which->params[i]);
	for (size_t i = 0; i < ENVELOPE_FLOWS && which->flows[i].cc; i++) {
		const struct envelope_flows *flows = &which->flows[i];
		struct scenario_group *group = &scenario->groups[scenario->group_count++];

		*group = (struct scenario_group){.count = flows->count, .rtt_ms = flows->rtt_ms,
						 .rate_mbps = flows->rate_mbps, .ecn = flows->ecn};
		snprintf(group->cc, sizeof(group->cc), "%s", flows->cc);
		group->options.linux_cubic = strcmp(flows->cc, "cubic") == 0;
		group->options.linux_prague = strcmp(flows->cc, "prague") == 0;
		shortest_ms = flows->rtt_ms < shortest_ms ? flows->rtt_ms : shortest_ms;
	}
	scenario->delay_ms = shortest_ms / 2;
}

/* Goodput of group `index`; flows are numbered group by group. */
static double group_mbps(const struct envelope_case *which, size_t index,
			 const struct sim_result *result)
{
	size_t first = 0;
	double sum = 0;

	for (size_t i = 0; i < index; i++)
		first += which->flows[i].count;
	for (size_t i = 0; i < which->flows[index].count; i++)
		sum += result->flows[first + i].goodput_mbps;
	return sum;
}

/* In per cent of what all flows got: shares of a link that is never idle here. */
static double share_percent(const struct envelope_case *which, bool udp,
			    const struct sim_result *result)
{
	double sums[2] = {0, 0};

	for (size_t i = 0; i < ENVELOPE_FLOWS && which->flows[i].cc; i++)
		sums[strcmp(which->flows[i].cc, "udp") == 0] += group_mbps(which, i, result);
	return 100 * sums[udp] / (sums[0] + sums[1]);
}

double envelope_measure(const struct envelope_case *which, enum envelope_figure figure,
			const struct sim_result *result)
{
	const struct histogram *l = &result->queues[AQM_QUEUE_L].qdelay_ns;
	const struct histogram *c = &result->queues[AQM_QUEUE_C].qdelay_ns;

	switch (figure) {
	case L_MEAN:
		return histogram_mean(l) / 1e6;
	case L_P99:
		return (double)histogram_quantile(l, 0.99) / 1e6;
	case C_MEAN:
		return histogram_mean(c) / 1e6;
	case C_P99:
		return (double)histogram_quantile(c, 0.99) / 1e6;
	case UTILISATION:
		return result->utilisation;
	case RATIO:
		return group_mbps(which, 0, result) / which->flows[0].count /
		       (group_mbps(which, 1, result) / which->flows[1].count);
	case TCP_SHARE:
		return share_percent(which, false, result);
	case UDP_SHARE:
		return share_percent(which, true, result);
	case ENVELOPE_FIGURES:
		break;
	}
	return NAN;
}
