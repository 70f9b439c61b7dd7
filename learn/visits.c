/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments side by side in arrays that grow up to their limit; beyond it, each
 * new one takes the place of one that is drawn.
 */
#include "learn/visits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"

void visits_init(struct visits *visits, int features, int outputs, int64_t most_steps)
{
	const int64_t most = most_steps / VISITS_SEGMENT;

	*visits = (struct visits){
		.features = features,
		.outputs = outputs,
		.train.most = most > 1 ? most : 1,
		.held_out.most = most > 4 ? most / 4 : 1,
	};
}

static void part_free(struct visits_part *part)
{
	free(part->seen);
	free(part->target);
	free(part->law);
	free(part->round);
}

void visits_free(struct visits *visits)
{
	part_free(&visits->train);
	part_free(&visits->held_out);
	memset(visits, 0, sizeof(*visits));
}

bool visits_grow(void **array, int64_t count, size_t size)
{
	void *more = realloc(*array, (size_t)count * size);

	if (more)
		*array = more;
	return more != NULL;
}

static int part_reserve(const struct visits *visits, struct visits_part *part, int64_t segments,
			struct error *error)
{
	const int64_t doubled = part->room ? 2 * part->room : 64;
	const int64_t asked = segments > doubled ? segments : doubled;
	const int64_t room = asked < part->most ? asked : part->most;
	const int64_t steps = room * VISITS_SEGMENT;

	if (room <= part->room)
		return 0;
	if (!visits_grow((void **)&part->seen, steps * visits->features, sizeof(*part->seen)) ||
	    !visits_grow((void **)&part->target, steps * visits->outputs, sizeof(*part->target)) ||
	    !visits_grow((void **)&part->law, steps, sizeof(*part->law)) ||
	    !visits_grow((void **)&part->round, room, sizeof(*part->round)))
		return error_set(error, ERR_NO_MEMORY, "%lld visited states; choose a smaller "
				 "--visits", (long long)steps);
	part->room = room;
	return 0;
}

static void put(const struct visits *visits, struct visits_part *part, int64_t place,
		const struct visits_run *run, int64_t first, int32_t round)
{
	const size_t features = (size_t)visits->features, outputs = (size_t)visits->outputs;
	const size_t to = (size_t)place * VISITS_SEGMENT, from = (size_t)first;

	memcpy(part->seen + to * features, run->seen + from * features,
	       VISITS_SEGMENT * features * sizeof(*part->seen));
	memcpy(part->target + to * outputs, run->target + from * outputs,
	       VISITS_SEGMENT * outputs * sizeof(*part->target));
	memcpy(part->law + to, run->law + from, VISITS_SEGMENT * sizeof(*part->law));
	part->round[place] = round;
}

int visits_add(struct visits *visits, struct visits_part *part, const struct visits_run *run,
	       int32_t round, struct rng *rng, struct error *error)
{
	const int64_t segments = run->steps / VISITS_SEGMENT;
	const int64_t wanted = part->segments + segments;
	const int status = part_reserve(visits, part, wanted < part->most ? wanted : part->most,
					error);

	if (status)
		return status;
	for (int64_t s = 0; s < segments; s++) {
		const int64_t place = part->segments < part->most
					      ? part->segments++
					      : (int64_t)rng_below(rng, (uint64_t)part->most);

		put(visits, part, place, run, s * VISITS_SEGMENT, round);
	}
	return 0;
}

/* The arrays of a part as they stand in a file. */
struct layout {
	char name[4][32];
	struct safetensors_item item[4];
	void **array[4];
};

static void layout_of(struct layout *layout, const struct visits *visits, struct visits_part *part,
		      const char *which)
{
	static const char *const names[] = {"seen", "target", "law", "round"};
	static const enum safetensors_dtype types[] = {SAFETENSORS_I16, SAFETENSORS_F32,
						       SAFETENSORS_F32, SAFETENSORS_I32};
	const int64_t across[] = {visits->features, visits->outputs, 1, 1};

	layout->array[0] = (void **)&part->seen;
	layout->array[1] = (void **)&part->target;
	layout->array[2] = (void **)&part->law;
	layout->array[3] = (void **)&part->round;
	for (int i = 0; i < 4; i++) {
		snprintf(layout->name[i], sizeof(layout->name[i]), "%s.%s", which, names[i]);
		layout->item[i] = (struct safetensors_item){
			.name = layout->name[i],
			.dtype = types[i],
			.dims = 2,
			.shape = {part->segments * (i == 3 ? 1 : VISITS_SEGMENT), across[i]},
			.data = *layout->array[i],
		};
	}
}

int visits_save(const struct visits *visits, const char *path, const char *fingerprint,
		struct error *error)
{
	struct visits copy = *visits;
	struct layout train, held_out;
	struct safetensors_item items[8];
	const char *const metadata[] = {"run", fingerprint, NULL};

	layout_of(&train, visits, &copy.train, "train");
	layout_of(&held_out, visits, &copy.held_out, "held_out");
	memcpy(items, train.item, sizeof(train.item));
	memcpy(items + 4, held_out.item, sizeof(held_out.item));
	return safetensors_write(path, items, 8, metadata, error);
}

static int part_load(struct visits *visits, struct visits_part *part, const char *which,
		     const struct safetensors *file, struct error *error)
{
	char name[32];
	const struct safetensors_entry *entry;
	struct layout layout;
	int status;

	snprintf(name, sizeof(name), "%s.round", which);
	entry = safetensors_find(file, name);
	if (!entry || entry->count > part->most)
		return error_at(error, ERR_INVALID, file->path, 0, name, "missing or too long");
	status = part_reserve(visits, part, entry->count, error);
	if (status)
		return status;
	part->segments = entry->count;
	layout_of(&layout, visits, part, which);
	for (int i = 0; i < 4; i++) {
		const struct safetensors_item *item = &layout.item[i];

		entry = safetensors_find(file, item->name);
		if (!entry || entry->dtype != item->dtype ||
		    entry->count != item->shape[0] * item->shape[1])
			return error_at(error, ERR_INVALID, file->path, 0, item->name,
					"missing, or of another shape; name a new folder");
		if (entry->size_bytes)
			memcpy(*layout.array[i], entry->data, entry->size_bytes);
	}
	return 0;
}

int visits_load(struct visits *visits, const char *path, const char *fingerprint,
		struct error *error)
{
	struct safetensors file;
	const char *run;
	int status = safetensors_open(&file, path, error);

	if (status)
		return status;
	run = safetensors_metadata(&file, "run");
	if (!run || strcmp(run, fingerprint) != 0)
		status = error_at(error, ERR_INVALID, path, 0, "run",
				  "is of a run with other options or inputs");
	if (!status)
		status = part_load(visits, &visits->train, "train", &file, error);
	if (!status)
		status = part_load(visits, &visits->held_out, "held_out", &file, error);
	safetensors_close(&file);
	return status;
}
