/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much each layer of a backbone stretches: the largest singular value of
 * its Jacobian at given inputs, which no Lipschitz constant of the layer can be
 * smaller than, and the spectral radius of what a token's output owes to the
 * same token's input.
 *
 * In a causal network no token sees a later one, so a layer's Jacobian is
 * block triangular over tokens, and its eigenvalues are those of the blocks on
 * the diagonal: the radius of one token's block is a lower bound of the whole
 * one's.  J v comes from a central difference, J^T u from backward.
 */
#ifndef LEARN_LAYER_SPECTRA_H
#define LEARN_LAYER_SPECTRA_H

#include "backbone/backbone.h"
#include "learn/spectrum.h"

struct layer_spectrum {
	struct spectrum_value singular, radius;
};

/* `spectra` has room for so many: the layers', and the whole network's (embeds to hidden). */
int64_t layer_spectra_count(const struct backbone *backbone);

/*
 * At one sequence, embeds (tokens, H); the radius is that of the last token.  Every layer is looked
 * at where the layers before it lead.  ERR_UNSUPPORTED for T5 and on a device; what layers return.
 */
int layer_spectra_measure(struct backbone *backbone, const float *embeds, int64_t tokens,
			  const struct spectrum_options *options, struct layer_spectrum *spectra,
			  struct error *error);

#endif
