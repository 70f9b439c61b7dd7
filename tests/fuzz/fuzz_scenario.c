/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML scenarios: read or refused with a message, and what was read passes its own check. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sim/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_parse(scenario, (const char *)data, size, "fuzz.yaml", &error) == 0) {
		if (scenario_check(scenario, NULL) != 0)
			abort();
	} else if (error.text[0] == '\0') {
		abort();
	}
	scenario_free(scenario);
	free(scenario);
	return 0;
}
