/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial as a page: what was compared, figures, tables, how policies were
 * trained, what they cost, and how to repeat all of it.
 */
#ifndef CLI_TRIAL_REPORT_H
#define CLI_TRIAL_REPORT_H

#include "cli/trial_pairs.h"
#include "report/html.h"
#include "report/results.h"

struct trial_report {
	const char *title;
	const char *command;		 /* that makes it again */
	const char *notes;		 /* shown as it is under the title; NULL: none */
	const char *folder;		 /* of report.html; figures go to its figures/ */
	size_t pictured;		 /* scenarios that get pictures, the first ones */
	unsigned threads;		 /* that draw them; 0: one a core */
	const struct trial_pairs *pairs; /* comparisons with baselines; NULL: none */
	const char *subtitle, *how;	 /* how runs came about; NULL: they were simulated */
	bool unpaired;			 /* runs of one number have nothing in common */
	/* Stands before everything else; NULL: nothing does. */
	void (*head)(struct html *html, void *context);
	void *head_context;
	bool without_pictures;		 /* set when gnuplot was not there */
};

/* Writes report.html and everything under figures/. */
int trial_report_write(struct trial_report *report, const struct trial *trial,
		       const struct results *results, struct error *error);

#endif
