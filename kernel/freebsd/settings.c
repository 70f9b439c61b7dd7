/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sysctls out of a table.
 */
#include "kernel/freebsd/settings.h"

static int on_setting(SYSCTL_HANDLER_ARGS)
{
	struct settings *settings = arg1;
	const unsigned index = (unsigned)arg2;
	const struct setting *setting = &settings->table[index];
	int64_t value = settings->values[index];
	const int error = sysctl_handle_64(oidp, &value, 0, req);

	if (error != 0 || req->newptr == NULL)
		return error;
	if (value < setting->least || value > setting->most)
		return EINVAL;
	settings->values[index] = value;
	if (settings->was_set)
		settings->was_set(settings->values, index);
	return 0;
}

void settings_start(struct settings *settings)
{
	sysctl_ctx_init(&settings->context);
	settings->node = SYSCTL_ADD_NODE(&settings->context,
					 SYSCTL_STATIC_CHILDREN(_net_inet_ip_dummynet), OID_AUTO,
					 settings->law, CTLFLAG_RW | CTLFLAG_MPSAFE, NULL,
					 "parameters of what is configured next");
	for (unsigned i = 0; settings->table[i].name; i++) {
		settings->values[i] = settings->table[i].initial;
		if (settings->table[i].least == settings->table[i].most)
			continue;
		SYSCTL_ADD_PROC(&settings->context, SYSCTL_CHILDREN(settings->node), OID_AUTO,
				settings->table[i].name, CTLTYPE_S64 | CTLFLAG_RW | CTLFLAG_MPSAFE,
				settings, i, on_setting, "Q", settings->table[i].text);
	}
}

void settings_stop(struct settings *settings)
{
	sysctl_ctx_free(&settings->context);
}

void settings_take(const struct settings *settings, const struct dn_extra_parms *parms,
		   int64_t values[SETTINGS_MOST])
{
	for (unsigned i = 0; settings->table[i].name; i++) {
		const struct setting *setting = &settings->table[i];
		const int64_t given = parms && i < DN_MAX_EXTRA_PARM ? parms->par[i] : -1;

		values[i] = settings->values[i];
		if (given >= 0)
			values[i] = given < setting->least  ? setting->least
				    : given > setting->most ? setting->most
							    : given;
	}
}

void settings_give(const struct settings *settings, const int64_t *values,
		   struct dn_extra_parms *parms)
{
	strlcpy(parms->name, settings->law, sizeof(parms->name));
	for (unsigned i = 0; settings->table[i].name && i < DN_MAX_EXTRA_PARM; i++)
		parms->par[i] = values[i];
}
