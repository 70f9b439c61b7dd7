/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applications: who writes to connections, and what they measure.
 *
 * An application runs at one host for the whole of a run.  It opens
 * connections, writes to them (sim/host.h), is told what arrives, and wakes
 * when it asked to.  All its random draws come from a generator of its own, so
 * that what one flow draws moves no other.  Time that a client's request or a
 * handshake takes is that of an empty path.
 *
 * A flow without an application always has data to send, or sends datagrams at
 * a constant rate.
 */
#ifndef SIM_APP_H
#define SIM_APP_H

#include "sim/app_choice.h"
#include "sim/host.h"

/* Every application's state embeds this first. */
struct app {
	struct sim_node node;            /* first: its timer */
	const struct app_ops *ops;
	struct host *host;
	const struct app_choice *choice;
	struct rng random;
	uint64_t start_ns, stop_ns;      /* begins nothing new at or after stop_ns */
};

struct app_ops {
	const char *name;
	const char *summary;
	const struct app_param *params;  /* ends with {0} */
	enum sim_app_report report;      /* what it measures; datagrams: it runs over UDP */
	size_t size;                     /* of its state; zeroed */
	/* Optional: why the values do not go together; NULL: they do. */
	const char *(*fault)(const struct app_choice *choice);
	/* At start_ns, and whenever it asked for by app_wake(). */
	void (*run)(struct app *app, uint64_t now_ns);
	/* Optional: the far end of `connection` has `delivered_bytes` in all. */
	void (*on_delivered)(struct app *app, struct connection *connection, uint64_t now_ns,
			     uint64_t delivered_bytes);
	/* Optional: the run is over. */
	void (*finish)(struct app *app, uint64_t now_ns);
};

/* Every application, ends with NULL. */
extern const struct app_ops *const app_all[];

/* The application of the host's group, waiting for its start; NULL when out of memory. */
struct app *app_new(struct host *host, struct rng random, uint64_t start_ns, uint64_t stop_ns);
void app_free(struct app *app);

/* Runs it again at `at_ns`; TIME_NEVER_NS: not before something else happens. */
void app_wake(struct app *app, uint64_t at_ns);

/* A transfer or a page: begins, is done, or cannot begin.  Counted after warm-up. */
void app_task_begun(struct app *app, uint64_t now_ns);
void app_task_done(struct app *app, uint64_t begun_ns, uint64_t now_ns, uint64_t bytes);
void app_task_refused(struct app *app, uint64_t now_ns);

/* Log-normal with this mean and coefficient of variation; cv 0: the mean itself. */
double app_draw_lognormal(struct rng *random, double mean, double cv);

/* Pareto with this mean, least value mean (shape - 1) / shape; shape > 1. */
double app_draw_pareto(struct rng *random, double mean, double shape);

/* Exponential with this mean, in ns. */
uint64_t app_draw_exponential_ns(struct rng *random, double mean_s);

#endif
