/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm export: what is inside a policy, in other tools' formats.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "cli/command.h"
#include "policy/store.h"

static struct {
	const char *merge, *output;
} o;

static const struct option export_options[] = {
	{"merge", 0, OPTION_TEXT, &o.merge, "POLICY",
	 "write the policy's backbone with its adapter folded into the weights", 0, 0},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder to write; required", 0, 0},
	{0},
};

/* The adapter's backbone must survive: a merged copy there could not be told from the original. */
static int check_output(const struct policy_config *config, struct error *error)
{
	char path[4096];
	int status = file_join(path, sizeof(path), o.output, "config.json", error);

	if (status || !file_exists(path))
		return status;
	return error_at(error, ERR_INVALID, path, 0, "--output",
			"a backbone is there already, and the policy needs %s as it is; name an "
			"empty folder",
			config->backbone.reference);
}

static int merge(struct error *error)
{
	const struct policy_manner manner = {.precision = "f32"}; /* others cannot be saved */
	const size_t existed = file_existing_part(o.output);
	struct policy_config config;
	struct policy_net net;
	int status = policy_config_read(&config, o.merge, error);

	if (!status)
		status = check_output(&config, error);
	if (!status)
		status = policy_store_open_as(&net, &config, o.merge, &manner, error);
	if (status)
		return status;
	status = backbone_lora_merge(net.backbone, error);
	if (!status)
		status = file_make_folders(o.output, error);
	if (!status)
		status = backbone_save(net.backbone, o.output, error);
	if (status)
		file_remove_empty_folders(o.output, existed);
	policy_net_free(&net);
	return status;
}

static int print_json(struct error *error)
{
	json_t *root = json_pack("{s:s}", "directory", o.output);

	if (!root)
		return error_set(error, ERR_INVALID, "the path %s is not UTF-8", o.output);
	json_dumpf(root, stdout, 0);
	putchar('\n');
	json_decref(root);
	return 0;
}

static int run_export(const struct command_common *common, const char **operands, size_t count,
		      struct error *error)
{
	int status;

	if (count)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"export takes no operands; see aqmllm export --help");
	if (!o.merge || !o.output)
		return error_set(error, ERR_INVALID,
				 "name a policy and a folder: aqmllm export --merge POLICY -o DIR");
	status = merge(error);
	if (!status && common->json)
		status = print_json(error);
	else if (!status && !common->quiet)
		printf("%s\n", o.output);
	return status;
}

const struct command command_export = {
	.name = "export",
	.operands = "--merge POLICY -o DIR",
	.summary = "a policy's backbone with its adapter merged, as a Hugging Face folder",
	.details =
		"W + alpha / rank B A is written in place of W: config.json and "
		"model.safetensors, which any tool that reads Hugging Face folders opens, this one "
		"too (train --backbone DIR). Encoder and head stay in the policy's "
		"policy.safetensors.\n\n"
		"Nothing has to be unmerged: the policy and the backbone it names stay as they "
		"are. The adapter alone is a PEFT folder already, the policy's own.",
	.options = export_options,
	.run = run_export,
};
