/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparisons as files.  A value that there is not is an empty cell, and null.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/trial_pairs_tell.h"

static void put_number(FILE *out, double value)
{
	fputc(',', out);
	if (isfinite(value))
		fprintf(out, "%.9g", value);
}

static void put_estimate(FILE *out, const struct estimate *estimate)
{
	put_number(out, estimate->value);
	put_number(out, estimate->low);
	put_number(out, estimate->high);
	fprintf(out, ",%zu", estimate->count);
}

static void put_arms(FILE *out, const struct trial_pairs *pairs,
		     const struct trial_pairing *pairing)
{
	fprintf(out, "%s,%s,", pairs->trial->arms[pairing->baseline].name,
		pairs->trial->arms[pairing->arm].name);
}

static void put_networks(FILE *out, const struct trial_pairs *pairs,
			 const struct trial_pairing *pairing)
{
	for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
		const double *attributes = pairs->networks[n];

		for (int pair = 0; pair < TRIAL_PAIRS; pair++) {
			const struct estimate estimate =
				trial_pairing_of(pairing, n, (enum trial_pair)pair);

			put_arms(out, pairs, pairing);
			fprintf(out, "%s,%s", pairs->trial->scenarios[n].name,
				trial_link_label(
					(enum trial_link)attributes[TRIAL_ATTRIBUTE_link]));
			put_number(out, attributes[TRIAL_ATTRIBUTE_rate]);
			put_number(out, attributes[TRIAL_ATTRIBUTE_rtt]);
			put_number(out, pairing->unused[n]);
			fprintf(out, ",%s", trial_pair_name((enum trial_pair)pair));
			put_estimate(out, &estimate);
			fprintf(out, ",%d\n",
				trial_pairing_is_worse(pairing, n, (enum trial_pair)pair));
		}
	}
}

static void put_groups(FILE *out, const struct trial_pairs *pairs,
		       const struct trial_pairing *pairing)
{
	for (int group = 0; group < TRIAL_GROUPS; group++)
		for (int pair = 0; pair < TRIAL_PAIRS; pair++) {
			put_arms(out, pairs, pairing);
			fprintf(out, "%s,%s", trial_group_name((enum trial_group)group),
				trial_pair_name((enum trial_pair)pair));
			put_estimate(out, &pairing->groups[group][pair]);
			fputc('\n', out);
		}
}

static void put_claims(FILE *out, const struct trial_pairs *pairs,
		       const struct trial_pairing *pairing)
{
	for (int claim = 0; claim < TRIAL_CLAIMS; claim++) {
		const struct trial_claim_result *result = &pairing->claims[claim];

		put_arms(out, pairs, pairing);
		fprintf(out, "%s,%s", trial_claim_name((enum trial_claim)claim),
			trial_claim_asked((enum trial_claim)claim));
		put_estimate(out, &result->estimate);
		fprintf(out, ",\"%s\"\n", trial_verdict_label(result->verdict));
	}
}

static const struct sheet {
	const char *name, *heading;
	void (*put)(FILE *out, const struct trial_pairs *pairs,
		    const struct trial_pairing *pairing);
} sheets[] = {
	{"networks.csv",
	 "baseline,arm,network,link,rate_mbps,rtt_ms,unused_percent,quantity,value,low,high,seeds,"
	 "worse",
	 put_networks},
	{"groups.csv", "baseline,arm,group,quantity,median,low,high,networks", put_groups},
	{"claims.csv", "baseline,arm,claim,asked,value,low,high,networks,verdict", put_claims},
};

static int write_sheet(const struct trial_pairs *pairs, const struct sheet *sheet,
		       const char *folder, struct error *error)
{
	struct file_replace file;
	char path[4096];
	int code = file_join(path, sizeof(path), folder, sheet->name, error);

	if (code == 0)
		code = file_replace_open(&file, path, error);
	if (code)
		return code;
	fprintf(file.stream, "%s\n", sheet->heading);
	for (size_t i = 0; i < pairs->count; i++)
		sheet->put(file.stream, pairs, &pairs->pairings[i]);
	code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

static json_t *number_json(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *estimate_json(const struct estimate *estimate)
{
	return json_pack("{s:o, s:o, s:o, s:I}", "value", number_json(estimate->value), "low",
			 number_json(estimate->low), "high", number_json(estimate->high), "count",
			 (json_int_t)estimate->count);
}

static json_t *claims_json(const struct trial_pairing *pairing)
{
	json_t *claims = json_object();

	for (int claim = 0; claim < TRIAL_CLAIMS; claim++) {
		const struct trial_claim_result *result = &pairing->claims[claim];
		json_t *one = estimate_json(&result->estimate);

		json_object_set_new(one, "text",
				    json_string(trial_claim_text((enum trial_claim)claim)));
		json_object_set_new(one, "asked",
				    json_string(trial_claim_asked((enum trial_claim)claim)));
		json_object_set_new(one, "verdict",
				    json_string(trial_verdict_label(result->verdict)));
		json_object_set_new(claims, trial_claim_name((enum trial_claim)claim), one);
	}
	return claims;
}

static json_t *groups_json(const struct trial_pairing *pairing)
{
	json_t *groups = json_object();

	for (int group = 0; group < TRIAL_GROUPS; group++) {
		json_t *medians = json_object();

		for (int pair = 0; pair < TRIAL_PAIRS; pair++)
			json_object_set_new(medians, trial_pair_name((enum trial_pair)pair),
					    estimate_json(&pairing->groups[group][pair]));
		json_object_set_new(groups, trial_group_name((enum trial_group)group), medians);
	}
	return groups;
}

static json_t *network_json(const struct trial_pairs *pairs, const struct trial_pairing *pairing,
			    size_t network)
{
	const double *attributes = pairs->networks[network];
	json_t *one = json_pack("{s:s, s:s, s:f, s:f, s:o, s:b}", "name",
				pairs->trial->scenarios[network].name, "link",
				trial_link_label((enum trial_link)attributes[TRIAL_ATTRIBUTE_link]),
				"rate_mbps", attributes[TRIAL_ATTRIBUTE_rate], "rtt_ms",
				attributes[TRIAL_ATTRIBUTE_rtt], "unused_percent",
				number_json(pairing->unused[network]), "worse",
				trial_pairing_network_is_worse(pairing, network));

	for (int pair = 0; pair < TRIAL_PAIRS; pair++) {
		const struct estimate estimate =
			trial_pairing_of(pairing, network, (enum trial_pair)pair);

		json_object_set_new(one, trial_pair_name((enum trial_pair)pair),
				    estimate_json(&estimate));
	}
	return one;
}

static json_t *pairing_json(const struct trial_pairs *pairs, const struct trial_pairing *pairing)
{
	const struct trial *trial = pairs->trial;
	json_t *networks = json_array();

	for (size_t n = 0; n < trial->scenario_count; n++)
		json_array_append_new(networks, network_json(pairs, pairing, n));
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "baseline",
			 trial->arms[pairing->baseline].name, "arm", trial->arms[pairing->arm].name,
			 "seeds", (json_int_t)trial->seeds, "claims", claims_json(pairing),
			 "groups", groups_json(pairing), "networks", networks);
}

static int write_json(const struct trial_pairs *pairs, const char *folder, struct error *error)
{
	json_t *all = json_array();
	char path[4096], *text;
	int code = file_join(path, sizeof(path), folder, "comparison.json", error);

	for (size_t i = 0; i < pairs->count; i++)
		json_array_append_new(all, pairing_json(pairs, &pairs->pairings[i]));
	text = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	json_decref(all);
	if (text == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the comparison");
	if (code == 0)
		code = file_write_all(path, text, strlen(text), error);
	free(text);
	return code;
}

int trial_pairs_write(const struct trial_pairs *pairs, const char *folder, struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < sizeof(sheets) / sizeof(sheets[0]); i++)
		code = write_sheet(pairs, &sheets[i], folder, error);
	return code ? code : write_json(pairs, folder, error);
}
