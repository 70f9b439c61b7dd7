/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `aqmllm search` searches: spaces of designs, each with a way to make
 * and measure one.
 */
#ifndef CLI_SEARCH_DESIGN_H
#define CLI_SEARCH_DESIGN_H

#include "cli/command.h"
#include "cli/policy_figures.h"
#include "learn/search.h"
#include "learn/sources.h"

/* X(name, heading, digits after the point) */
#define SEARCH_FIGURE_TABLE(X)                                                                     \
	X(loss, "loss", 4)                                                                         \
	X(operations, "operations", 0)                                                             \
	X(decision_ns, "ns", 0)                                                                    \
	X(parameters, "parameters", 0)                                                             \
	X(bytes, "bytes", 0)                                                                       \
	X(accuracy, "accuracy", 4)                                                                 \
	X(balanced_accuracy, "balanced", 4)                                                        \
	X(quality, "quality", 1)

enum search_figure {
#define SEARCH_FIGURE_ENUM(name, heading, digits) SEARCH_##name,
	SEARCH_FIGURE_TABLE(SEARCH_FIGURE_ENUM)
#undef SEARCH_FIGURE_ENUM
		SEARCH_FIGURES
};

#define SEARCH_TEXT_BYTES 256

/* A space over which somebody searches; `context` is passed to every call. */
struct search_designs {
	void *context;
	const struct search_gene *genes;
	int count;
	const struct search_design *first;
	size_t first_count;
	void (*settle)(struct search_design *design); /* see struct search_space; or NULL */
	/* Says a design in a few words, without commas. */
	void (*describe)(void *context, const struct search_design *design,
			 char text[SEARCH_TEXT_BYTES]);
	/* Makes it, trains it, keeps it in `folder` and fills the figures; NaN: not known. */
	int (*make)(void *context, const struct search_design *design, const char *folder,
		    double figures[SEARCH_FIGURES], struct error *error);
	void (*close)(void *context);
};

/* How designs are trained and measured. */
struct search_training {
	const struct sources *sources;
	uint64_t epochs, windows, batch, seed, limit, timed;
	double rate;
	const struct scenario *loop; /* closed loop, without a guard; NULL: none */
	uint64_t interval, seeds;    /* there: packets between questions to a policy; runs */
	bool (*stop)(void *context);
};

/*
 * Policies from nothing: gpt2 or llama of a few layers and widths, window, and
 * for every feature of the pool how many channels of which kernels.
 */
int search_policies(struct search_designs *designs, const struct search_training *training,
		    struct error *error);

/*
 * Students: layers, widths, memory and what they see, learning DualPI2's
 * probabilities (without seeing them) packet by packet in `scenario`.
 */
int search_students(struct search_designs *designs, const struct search_training *training,
		    const char *scenario, struct error *error);

#endif
