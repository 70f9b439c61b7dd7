/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paper's figures 11 to 16 for one scenario of a trial.
 */
#ifndef CLI_TRIAL_FIGURES_H
#define CLI_TRIAL_FIGURES_H

#include "cli/trial.h"

/* X(name, caption): in the order in which a report shows them */
#define TRIAL_FIGURE_TABLE(X)                                                                      \
	X(qdelay_time,                                                                             \
	  "Queue delay over time, first seed (paper: figure 11). Mean of the packets that left "   \
	  "within each bin; L and Classic together.")                                              \
	X(qdelay_box, "Queue delay of all packets, all seeds (figure 12). Box: quartiles and "     \
		      "median; whiskers: 5th and 95th percentile; cross: mean.")                   \
	X(qdelay_cdf, "Cumulative distribution of queue delay, all seeds (figure 13).")            \
	X(utilisation_time, "Bandwidth utilisation over time, first seed (figure 14).")            \
	X(utilisation_box, "Bandwidth utilisation of all bins, all seeds (figure 15).")            \
	X(utilisation_cdf, "Cumulative distribution of utilisation over bins, all seeds "          \
			   "(figure 16).")

enum trial_figure {
#define TRIAL_FIGURE_ENUM(name, caption) TRIAL_FIGURE_##name,
	TRIAL_FIGURE_TABLE(TRIAL_FIGURE_ENUM)
#undef TRIAL_FIGURE_ENUM
		TRIAL_FIGURES
};

/* "paper-qdelay_cdf": also the stem of its files. */
void trial_figure_name(const struct trial *trial, size_t scenario, enum trial_figure figure,
		       char *name, size_t size);
const char *trial_figure_caption(enum trial_figure figure);

/*
 * Writes all figures of the first `scenarios` scenarios into `folder`, on
 * `threads` threads (0: one a core).  ERR_UNSUPPORTED without gnuplot (the CSV
 * files are there), ERR_INTERRUPTED when the trial is told to stop.
 */
int trial_figures_write(const struct trial *trial, size_t scenarios, const char *folder,
			unsigned threads, struct error *error);

#endif
