/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four backbone families of the paper: what it reports of each (figures 17
 * to 20), and the shapes this program compares.
 */
#ifndef CLI_FAMILIES_H
#define CLI_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

struct family {
	const char *name;	/* "gpt2": also the folder of its results */
	const char *title;	/* "GPT-2" */
	const char *small;	/* config.json of some 800,000 parameters, four layers */
	const char *whole;	/* config.json of the paper's model */
	const char *whole_name; /* "GPT-2 124 M" */
	bool checkpoints;	/* its training can keep each layer's input only */
	/* The paper's: trained parameters (M), memory (GB), decision (ms), 80 epochs (h). */
	double paper_trainable_m, paper_memory_gb, paper_decision_ms, paper_training_h;
};

#define FAMILIES 4
extern const struct family families[FAMILIES];

#endif
