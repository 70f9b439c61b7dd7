/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A comparison told: on a terminal, in files, on a page.
 */
#ifndef CLI_TRIAL_PAIRS_TELL_H
#define CLI_TRIAL_PAIRS_TELL_H

#include <jansson.h>

#include "cli/trial_pairs.h"
#include "report/html.h"

#define TRIAL_PAIRS_CELL 64

/* "0.482 [0.450, 0.510]"; without an interval the value; "–" where there is none. */
const char *trial_pairs_cell(char *cell, const struct estimate *estimate);

/*
 * Whether an arm's claims are told where there is no room for all: those of
 * policies and of the first law that is no baseline.
 */
bool trial_pairing_is_candidate(const struct trial_pairs *pairs,
				const struct trial_pairing *pairing);

/* "small-1-000003 L4S p99 1.3 [1.2, 1.4]": all that is worse of a network, in `size` bytes. */
void trial_pairs_worse_text(char *text, size_t size, const struct trial_pairs *pairs,
			    const struct trial_pairing *pairing, size_t network);

/* Medians of all arms beside each baseline; claims of candidates. */
void trial_pairs_print(const struct trial_pairs *pairs);

/*
 * Writes networks.csv (a row a baseline, arm, network and quantity), groups.csv,
 * claims.csv, and comparison.json with all three.
 */
int trial_pairs_write(const struct trial_pairs *pairs, const char *folder, struct error *error);

/* Sections of a page, pictures in `figures`; `without_pictures` is set when there is no gnuplot. */
int trial_pairs_page(struct html *html, const struct trial_pairs *pairs, const char *figures,
		     bool *without_pictures, struct error *error);

#endif
