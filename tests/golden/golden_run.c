/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golden_run [DIR [DEVICE]]: one line a case.
 *
 *     PASS name: largest difference D in WHERE (tolerance T, N arrays)
 *     FAIL name: ...
 *     SKIP name: reason
 *
 * DIR is the argument, else AQMLLM_GOLDEN_DIR, else ../shared/golden.  DEVICE
 * is where backbones compute (backbone_place()), the CPU by default.  Exit
 * status 0: nothing failed; 1: something did; 77: the directory is not there,
 * so nothing was compared (the test runner shows it as skipped).
 */
#include "tests/golden/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/file.h"

#define DEFAULT_FOLDER "../shared/golden"
#define EXIT_SKIPPED 77

static const struct golden_case cases[] = {
	{"gpt2", golden_backbone, "gpt2", 1e-4},
	{"llama", golden_backbone, "llama", 1e-4},
	{"llama_gqa", golden_backbone, "llama_gqa", 1e-4},
	{"llama_f16_sharded", golden_backbone, "llama_f16_sharded", 1e-4},
	{"opt", golden_backbone, "opt", 1e-4},
	{"opt350", golden_backbone, "opt350", 1e-4},
	{"t5", golden_backbone, "t5", 5e-4},
	{"t5_v11", golden_backbone, "t5_v11", 5e-4},
	{"gguf/gpt2", golden_gguf, "gpt2", 1e-4},
	{"gguf/llama", golden_gguf, "llama", 1e-4},
	{"gguf/llama_gqa", golden_gguf, "llama_gqa", 1e-4},
	{"gguf/llama_f16_sharded", golden_gguf, "llama_f16_sharded", 1e-4},
	{"dataset", golden_dataset, "dataset.safetensors", 1e-5},
	{"policy/gpt2", golden_policy, "gpt2", 5e-5},
	{"policy/gpt2_wpe", golden_policy, "gpt2_wpe", 5e-5},
	{"policy/llama", golden_policy, "llama", 5e-5},
	{"policy/opt", golden_policy, "opt", 5e-5},
	{"policy/t5", golden_policy, "t5", 5e-5},
};

void golden_note(struct golden_report *report, const char *name, double difference,
		 double tolerance)
{
	report->comparisons++;
	if (!(difference <= tolerance))
		report->failed = true;
	if (isnan(report->largest) || difference / tolerance <= report->largest)
		return;
	report->largest = difference / tolerance;
	report->largest_difference = difference;
	report->tolerance = tolerance;
	snprintf(report->where, sizeof(report->where), "%s", name);
}

void golden_compare(struct golden_report *report, const char *name, const float *got,
		    const float *want, int64_t count, double tolerance)
{
	double largest = 0;

	for (int64_t i = 0; i < count; i++) {
		const double difference = fabs((double)got[i] - (double)want[i]);

		if (!(difference <= largest))
			largest = difference;
		if (isnan(largest))
			break;
	}
	golden_note(report, name, largest, tolerance);
}

int golden_path(const struct golden_report *report, const char *subject, const char *name,
		char *path, size_t size, struct error *error)
{
	const int length = snprintf(path, size, "%s/%s%s%s", report->folder,
				    subject ? subject : "", subject ? "/" : "", name);

	if (length < 0 || (size_t)length >= size)
		return error_set(error, ERR_RANGE, "path of %s is too long", name);
	return 0;
}

int golden_floats(const struct safetensors *file, const char *name, float **out, int64_t *count,
		  struct error *error)
{
	const struct safetensors_entry *entry = safetensors_find(file, name);
	int code;

	*out = NULL;
	if (!entry)
		return error_at(error, ERR_INVALID, file->path, 0, name, "is missing");
	*out = malloc((size_t)entry->count * sizeof(**out) + 1);
	if (!*out)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", name);
	*count = entry->count;
	code = safetensors_to_f32(entry, *out, error);
	if (code) {
		free(*out);
		*out = NULL;
	}
	return code;
}

/* Runs one case and prints its line; true when it failed. */
static bool case_run(const struct golden_case *row, const char *folder)
{
	struct golden_report report = {.folder = folder, .tolerance = row->tolerance};
	struct error error = {0};
	char text[2048];
	const int code = row->run(&report, row->subject, &error);

	if (code == ERR_UNSUPPORTED) {
		printf("SKIP %s: %s\n", row->name, error_format(&error, text, sizeof(text)));
		return false;
	}
	if (code) {
		printf("FAIL %s: %s\n", row->name, error_format(&error, text, sizeof(text)));
		return true;
	}
	if (!report.comparisons) {
		printf("FAIL %s: nothing was compared\n", row->name);
		return true;
	}
	printf("%s %s: largest difference %.2e in %s (tolerance %.0e, %llu arrays)\n",
	       report.failed ? "FAIL" : "PASS", row->name, report.largest_difference,
	       report.where, report.tolerance, (unsigned long long)report.comparisons);
	return report.failed;
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 && argv[1][0] ? argv[1] : getenv("AQMLLM_GOLDEN_DIR");
	struct error error = {0};
	bool failed = false;

	if (argc > 2 && backbone_place_all(argv[2], &error)) {
		fprintf(stderr, "golden_run: %s\n", error.text);
		return 2;
	}
	if (!folder || !folder[0])
		folder = DEFAULT_FOLDER;
	if (!file_is_folder(folder)) {
		printf("SKIP everything: no folder %s; name one as argument or in "
		       "AQMLLM_GOLDEN_DIR\n", folder);
		return EXIT_SKIPPED;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		failed |= case_run(&cases[i], folder);
	return failed;
}
