/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm export: what is inside a policy, in other tools' formats; a student as a C header.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "cli/command.h"
#include "policy/store.h"
#include "policy/student_file.h"
#include "policy/student_header.h"

static struct {
	const char *merge, *output, *student, *c_header, *name;
} o = {.name = "student_model"};

static const struct option export_options[] = {
	{"merge", 0, OPTION_TEXT, &o.merge, "POLICY",
	 "write the policy's backbone with its adapter folded into the weights", 0, 0},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder to write, of --merge", 0, 0},
	{"student", 0, OPTION_TEXT, &o.student, "FILE", "a student, *.aqms", 0, 0},
	{"c-header", 0, OPTION_TEXT, &o.c_header, "OUT.h",
	 "write the student as constant data for aqm/student.h", 0, 0},
	{"name", 0, OPTION_TEXT, &o.name, "NAME", "of that data; default student_model", 0, 0},
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

static bool is_identifier(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "0123456789";

	return *name && (*name < '0' || *name > '9') && name[strspn(name, letters)] == '\0';
}

static int write_header(struct error *error)
{
	struct aqm_student_model model;
	struct file_replace replace;
	int status;

	if (!is_identifier(o.name))
		return error_at(error, ERR_INVALID, NULL, 0, "--name",
				"%s is no name in C: letters, digits and _", o.name);
	status = student_file_read(&model, o.student, error);
	if (!status)
		status = file_replace_open(&replace, o.c_header, error);
	if (status)
		return status;
	student_header_print(replace.stream, &model, o.name);
	status = file_replace_commit(&replace, error);
	if (status)
		file_replace_abort(&replace);
	return status;
}

static int print_json(const char *key, const char *path, struct error *error)
{
	json_t *root = json_pack("{s:s}", key, path);

	if (!root)
		return error_set(error, ERR_INVALID, "the path %s is not UTF-8", path);
	json_dumpf(root, stdout, 0);
	putchar('\n');
	json_decref(root);
	return 0;
}

static int run_export(const struct command_common *common, const char **operands, size_t count,
		      struct error *error)
{
	const char *path;
	int status;

	if (count)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"export takes no operands; see aqmllm export --help");
	if (o.student ? !o.c_header || o.merge || o.output : !o.merge || !o.output || o.c_header)
		return error_set(error, ERR_INVALID,
				 "name a policy and a folder: aqmllm export --merge POLICY -o DIR; "
				 "or a student and a header: --student FILE.aqms --c-header OUT.h");
	path = o.student ? o.c_header : o.output;
	status = o.student ? write_header(error) : merge(error);
	if (!status && common->json)
		status = print_json(o.student ? "header" : "directory", path, error);
	else if (!status && !common->quiet)
		printf("%s\n", path);
	return status;
}

const struct command command_export = {
	.name = "export",
	.operands = "--merge POLICY -o DIR | --student FILE --c-header OUT.h",
	.summary = "a policy's backbone with its adapter merged, as a Hugging Face folder; a "
		   "student as a C header",
	.details =
		"W + alpha / rank B A is written in place of W: config.json and "
		"model.safetensors, which any tool that reads Hugging Face folders opens, this one "
		"too (train --backbone DIR). Encoder and head stay in the policy's "
		"policy.safetensors.\n\n"
		"Nothing has to be unmerged: the policy and the backbone it names stay as they "
		"are. The adapter alone is a PEFT folder already, the policy's own.\n\n"
		"The header of a student is constant data of type struct aqm_student_model, for "
		"hosts of aqm/student.h that read no files: kernels.",
	.options = export_options,
	.run = run_export,
};
