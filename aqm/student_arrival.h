/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a student says of a packet that arrives, from the values behind the features that change
 * with every packet.
 */
#ifndef AQM_STUDENT_ARRIVAL_H
#define AQM_STUDENT_ARRIVAL_H

#include "aqm/student_features.h"
#include "aqm/student_net.h"

/*
 * The model hears `value` and speaks: the features that it reads, or `all` of them, become their
 * logarithms; from them come its inputs, and from these, or a tree's features, `output`.
 */
AQM_INLINE void aqm_student_arrival_with(const struct aqm_student_way *way,
					 const struct aqm_student_model *model,
					 struct aqm_student_state *state,
					 const uint64_t value[AQM_STUDENT_VALUES], bool all,
					 int16_t *feature, int16_t *input, int16_t *output)
{
	if (all)
		aqm_student_features_of(value, 0, AQM_STUDENT_FIRST_TICK, feature);
	for (uint32_t i = 0; i < model->fast_inputs; i++) {
		const int16_t heard = aqm_student_log(value[model->feature[i]]);

		feature[model->feature[i]] = heard;
		input[i] = aqm_student_input(heard, model->offset[i], model->scale[i]);
	}
	if (model->kind == AQM_STUDENT_tree)
		aqm_student_tree_run(model, feature, output);
	else
		aqm_student_net_with(way, model, state, input, output);
}

/* The same in portable C. */
AQM_INLINE void aqm_student_arrival_plain(const struct aqm_student_model *model,
					  struct aqm_student_state *state,
					  const uint64_t value[AQM_STUDENT_VALUES], bool all,
					  int16_t *feature, int16_t *input, int16_t *output)
{
	aqm_student_arrival_with(&aqm_student_way_plain, model, state, value, all, feature,
				 input, output);
}

/* A host may do this with its own instructions; integers have one result. */
#ifndef AQM_STUDENT_ARRIVAL
#define AQM_STUDENT_ARRIVAL aqm_student_arrival_plain
#endif

#endif
