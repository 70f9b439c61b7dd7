/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may slow a flow down but must not stop it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tests/cc_laws/laws.h"
#include "tests/cc_laws/path.h"

#define RTT_MS 50

struct control {
	const char *cc;
	enum endpoint_ecn ecn;
	bool answers_marks; /* as L4S does */
	bool quick;
};

static const struct control controls[] = {
	{"newreno", ENDPOINT_ECN_CLASSIC, false, true},
	{"cubic", ENDPOINT_ECN_CLASSIC, false, false},
	{"dctcp", ENDPOINT_ECN_ECT1, true, false},
	{"prague", ENDPOINT_ECN_ACCECN, true, true},
	{"udp_prague", ENDPOINT_ECN_ACCECN, true, false},
};

static struct path *path_of(const struct control *control, double lose, double mark,
			    double lose_acks)
{
	return path_new(&(struct path_config){
		.cc = control->cc,
		.ecn = control->ecn,
		.rtt_ns = RTT_MS * NS_PER_MS,
		.lose = lose,
		.mark = mark,
		.lose_acks = lose_acks,
		.seed = 1,
	});
}

/* Every packet marked: down to the floor, and going on there. */
static void all_marked(const struct control *control)
{
	struct path *path = path_of(control, 0, 1, 0);
	double longest_s = 0;

	if (path == NULL)
		return;
	path_run(path, 30);
	/* The longest time without a delivery. */
	for (double idle_s = 0, t = 0; t < 60; t += 0.05) {
		idle_s = path_mean_window(path, 0.05) > 0 ? 0 : idle_s + 0.05;
		longest_s = fmax(longest_s, idle_s);
	}
	law_report(&(struct law_row){control->cc, "all marked: window, segments, at most", 2,
				     path_mean_window(path, 60), 0.1, 2.2});
	law_report(&(struct law_row){control->cc,
				     "all marked: longest time without data, s, at most", 1,
				     longest_s, 0, 1});
	path_free(path);
}

/* Half the acknowledgements lost: the same window, for bytes are counted, not acknowledgements. */
static void half_the_acks(const struct control *control)
{
	const double lose = control->answers_marks ? 0 : 0.001;
	const double mark = control->answers_marks ? 0.02 : 0;
	struct path *with = path_of(control, lose, mark, 0);
	struct path *without = path_of(control, lose, mark, 0.5);
	double expected;

	if (with && without) {
		path_run(with, 100);
		path_run(without, 100);
		expected = path_mean_window(with, 300);
		law_report(&(struct law_row){control->cc, "half the ACKs lost: window, segments",
					     expected, path_mean_window(without, 300),
					     0.75 * expected, 1.25 * expected});
	}
	if (with)
		path_free(with);
	if (without)
		path_free(without);
}

/* 60 s of darkness: timeouts back off (RFC 6298), and light brings the flow back. */
static void darkness(const struct control *control)
{
	struct path *path = path_of(control, control->answers_marks ? 0 : 0.001,
				    control->answers_marks ? 0.02 : 0, 0);
	uint64_t before, timeouts;
	/* The first after 250 ms, each twice the one before; UDP Prague's are one a second. */
	const double most = strcmp(control->cc, "udp_prague") == 0 ? 60 : 9;
	double window, waited_s = 0;

	if (path == NULL)
		return;
	path_run(path, 60);
	window = path_mean_window(path, 60);
	before = path->data_pkts;
	timeouts = path_sender_stats(path).timeouts;
	path->dark = true;
	path_run(path, 60);
	timeouts = path_sender_stats(path).timeouts - timeouts;
	law_report(&(struct law_row){control->cc, "60 s dark: timeouts, at most", most,
				     (double)timeouts, 5, most});
	law_report(&(struct law_row){control->cc, "60 s dark: packets sent, windows, at most", 2,
				     (double)(path->data_pkts - before) / window, 0, 2});
	path->dark = false;
	while (waited_s < 200 && path_mean_window(path, 1) < window / 2)
		waited_s++;
	law_report(&(struct law_row){control->cc, "then: s until half the window is back, at most",
				     60, waited_s, 0, 60});
	path_free(path);
}

void laws_harsh(bool quick)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (!controls[i].quick && quick)
			continue;
		all_marked(&controls[i]);
		half_the_acks(&controls[i]);
		darkness(&controls[i]);
	}
}
