/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a backbone computes: the CPU, or a device that this build knows.
 */
#include "backbone/pass.h"

#include <string.h>

static const struct placement {
	const char *name;
	bool cuda, bf16;
} placements[] = {
	{"cpu", false, false},
	{"cuda", true, false},
	{"cuda:bf16", true, true},
};

static const struct placement *placement_find(const char *name)
{
	for (size_t i = 0; i < sizeof(placements) / sizeof(placements[0]); i++)
		if (strcmp(placements[i].name, name) == 0)
			return &placements[i];
	return NULL;
}

static const struct placement *for_all = &placements[0];

static int name_unknown(const char *device, struct error *error)
{
	return error_at(error, ERR_INVALID, NULL, 0, "--device",
			"%s is not known; there are cpu, cuda and cuda:bf16", device);
}

int backbone_place_all(const char *device, struct error *error)
{
	const struct placement *placement = placement_find(device);

	if (!placement)
		return name_unknown(device, error);
	for_all = placement;
	return 0;
}

int backbone_place_opened(struct backbone *backbone, struct error *error)
{
	return backbone_place(backbone, for_all->name, error);
}

int backbone_place(struct backbone *backbone, const char *device, struct error *error)
{
	const struct placement *placement = placement_find(device);

	if (!placement)
		return name_unknown(device, error);
	if (backbone->device)
		backbone->device->close(backbone->device);
	backbone->device = NULL;
	return placement->cuda ? backbone_place_cuda(backbone, placement->bf16, error) : 0;
}

const char *backbone_device_name(const struct backbone *backbone)
{
	return backbone->device ? backbone->device->name(backbone->device) : "CPU";
}

size_t backbone_device_peak_bytes(const struct backbone *backbone)
{
	return backbone->device ? backbone->device->peak_bytes(backbone->device) : 0;
}
