/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Energy counters of the machine.
 *
 * Of the powercap tree only packages count (intel-rapl:N, which AMD's driver
 * uses too): their parts, intel-rapl:N:M, are in them.  NVML's own names are
 * those of nvml.h; its error code 0 is success.
 */
#include "learn/energy.h"

#include <dirent.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool read_number(const char *path, uint64_t *value)
{
	FILE *file = fopen(path, "r");
	const bool good = file && fscanf(file, "%" SCNu64, value) == 1;

	if (file)
		fclose(file);
	return good;
}

/* intel-rapl:0, but not intel-rapl:0:1 */
static bool is_package(const char *name)
{
	const char *colon = strchr(name, ':');

	return strncmp(name, "intel-rapl:", 11) == 0 && !strchr(colon + 1, ':');
}

static void add_package(struct energy *energy, const char *powercap, const char *name)
{
	struct energy_counter counter = {0};
	char range[300];

	if (energy->count == ENERGY_COUNTERS_MAX)
		return;
	snprintf(counter.path, sizeof(counter.path), "%.100s/%.100s/energy_uj", powercap, name);
	snprintf(range, sizeof(range), "%.100s/%.100s/max_energy_range_uj", powercap, name);
	if (!read_number(counter.path, &counter.last))
		return;
	if (!read_number(range, &counter.range))
		counter.range = 0;
	energy->counters[energy->count++] = counter;
}

static void find_packages(struct energy *energy, const char *powercap)
{
	DIR *folder = opendir(powercap);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (is_package(entry->d_name))
			add_package(energy, powercap, entry->d_name);
	if (folder)
		closedir(folder);
}

/* A function of NVML; through memcpy, because ISO C keeps functions and data apart. */
static bool find_function(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void find_devices(struct energy *energy)
{
	int (*init)(void), (*count_of)(unsigned *), (*handle_of)(unsigned, void **);
	unsigned long long millijoules;
	unsigned count = 0;

	energy->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!energy->library || !find_function(energy->library, "nvmlInit_v2", &init) ||
	    !find_function(energy->library, "nvmlDeviceGetCount_v2", &count_of) ||
	    !find_function(energy->library, "nvmlDeviceGetHandleByIndex_v2", &handle_of) ||
	    !find_function(energy->library, "nvmlDeviceGetTotalEnergyConsumption",
			   &energy->read_device) ||
	    init() != 0 || count_of(&count) != 0)
		return;
	for (unsigned i = 0; i < count && energy->count < ENERGY_COUNTERS_MAX; i++) {
		struct energy_counter counter = {0};

		if (handle_of(i, &counter.device) == 0 &&
		    energy->read_device(counter.device, &millijoules) == 0) {
			counter.last = millijoules;
			energy->counters[energy->count++] = counter;
		}
	}
}

void energy_open(struct energy *energy, const char *powercap)
{
	memset(energy, 0, sizeof(*energy));
	find_packages(energy, powercap);
	find_devices(energy);
}

void energy_close(struct energy *energy)
{
	int (*shutdown)(void);

	if (energy->library && find_function(energy->library, "nvmlShutdown", &shutdown))
		shutdown();
	if (energy->library)
		dlclose(energy->library);
	memset(energy, 0, sizeof(*energy));
}

/* Joules since the counter was read last. */
static double counter_joules(const struct energy *energy, struct energy_counter *counter)
{
	const bool device = counter->path[0] == '\0';
	unsigned long long millijoules;
	uint64_t now = counter->last, spent;

	if (device && energy->read_device(counter->device, &millijoules) == 0)
		now = millijoules;
	else if (!device)
		read_number(counter->path, &now);
	spent = now >= counter->last ? now - counter->last : now + counter->range - counter->last;
	if (now < counter->last && counter->range < counter->last)
		spent = 0; /* set back by somebody */
	counter->last = now;
	return (double)spent * (device ? 1e-3 : 1e-6);
}

double energy_sample(struct energy *energy)
{
	for (int i = 0; i < energy->count; i++)
		energy->joules += counter_joules(energy, &energy->counters[i]);
	return energy->count ? energy->joules : NAN;
}
