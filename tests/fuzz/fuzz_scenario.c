/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML scenarios: read or refused with a message; what was read passes its own check, and written
 * and read again it is the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const struct scenario *scenario, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (out == NULL)
		abort();
	scenario_put(out, scenario);
	fclose(out);
	return text;
}

static void check_round_trip(const struct scenario *scenario)
{
	struct scenario *again = calloc(1, sizeof(*again));
	size_t size, size_again;
	char *text = text_of(scenario, &size), *text_again;

	/* More than a file may hold is refused. */
	if (size < 1 << 20) {
		if (scenario_parse(again, text, size, "again.yaml", NULL) != 0)
			abort();
		text_again = text_of(again, &size_again);
		if (strcmp(text, text_again) != 0)
			abort();
		free(text_again);
		scenario_free(again);
	}
	free(text);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_parse(scenario, (const char *)data, size, "fuzz.yaml", &error) == 0) {
		if (scenario_check(scenario, NULL) != 0)
			abort();
		check_round_trip(scenario);
	} else if (error.text[0] == '\0') {
		abort();
	}
	scenario_free(scenario);
	free(scenario);
	return 0;
}
