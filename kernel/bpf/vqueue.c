/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vqueue attach DEV MBIT [dualpi2|student] [OPTION VALUE]...: marks at DEV's egress from a virtual
 * queue of that rate; `show DEV` prints what it counted, `detach DEV` takes it away.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "aqm/student_bytes.h"
#include "kernel/bpf/vqueue.h"
#include "kernel/dual_params.h"
#include "kernel/linux/uapi.h"

/* Where the filter stands: behind those to which tc gives a number (49152 and below), ect1 too. */
#define HANDLE 1
#define PRIORITY 60000

static int complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("vqueue: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return 2;
}

enum kind { MS, GAIN, COUNT, SWITCH, WORD };

static const struct option {
	const char *name;
	enum kind kind;
	size_t offset, size; /* in struct dual_host_params */
	uint64_t least, most;
} options[] = {
#define OPTION_ROW(attribute, name, kind, member, least, most, text)                               \
	{#name, kind, offsetof(struct dual_host_params, member),                                   \
	 sizeof(((struct dual_host_params *)0)->member), least, most},
	AQMLLM_OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const schedulers[] = AQMLLM_SCHEDULERS;

/* What the command line asks for. */
struct wanted {
	struct dual_host_params params;
	struct aqm_student_model model;
	bool has_model;
	const char *object;
};

static void set_defaults(struct wanted *wanted)
{
	wanted->object = "vqueue.bpf.o";
	dual_params_default(&wanted->params, DUAL_HOST_DUALPI2);
	wanted->params.own.base.step.min_qlen_pkts = 1;
	wanted->params.own.limit_pkts = VIRTUAL_QUEUE_PLACES - 1;
}

static void store(struct dual_host_params *params, const struct option *option, uint64_t value)
{
	char *at = (char *)params + option->offset;

	if (option->size == 8)
		memcpy(at, &value, 8);
	else if (option->size == 4)
		memcpy(at, &(uint32_t){(uint32_t)value}, 4);
	else
		*at = (char)value;
}

static int set_number(struct dual_host_params *params, const struct option *option,
		      const char *text)
{
	const double unit = option->kind == MS ? 1e6 : option->kind == GAIN ? 65536 : 1;
	char *end;
	double value = strtod(text, &end);

	if (option->kind == WORD) {
		value = strcmp(text, schedulers[1]) == 0;
		if (value == 0 && strcmp(text, schedulers[0]) != 0)
			return complain("%s is %s or %s, not \"%s\"", option->name, schedulers[0],
					schedulers[1], text);
	} else if (end == text || *end || !(value * unit >= (double)option->least) ||
		   !(value * unit <= (double)option->most)) {
		return complain("%s is a number from %g to %g, not \"%s\"", option->name,
				(double)option->least / unit, (double)option->most / unit, text);
	}
	store(params, option, (uint64_t)(value * unit + 0.5));
	return 0;
}

static int read_model(struct wanted *wanted, const char *path)
{
	static uint8_t bytes[AQM_STUDENT_BYTES_MAX + 1];
	FILE *file = fopen(path, "rb");
	const char *wrong;
	size_t size;

	if (!file)
		return complain("model %s: %s", path, strerror(errno));
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	memset(&wanted->model, 0, sizeof(wanted->model));
	wrong = aqm_student_from_bytes(&wanted->model, bytes, size);
	wanted->has_model = wrong == NULL;
	return wrong ? complain("model %s: %s; aqmllm info %s says more", path, wrong, path) : 0;
}

static int set_option(struct wanted *wanted, const char *name, const char *value)
{
	if (strcmp(name, "model") == 0)
		return read_model(wanted, value);
	if (strcmp(name, "object") == 0) {
		wanted->object = value;
		return 0;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (strcmp(options[i].name, name) == 0)
			return set_number(&wanted->params, &options[i], value);
	return complain("there is no option \"%s\"; vqueue help lists them", name);
}

/* The students' ranges, and what a virtual queue has room for. */
static int check(const struct wanted *wanted)
{
	const char *wrong = dual_params_wrong(&wanted->params);

	if (wanted->params.own.limit_pkts >= VIRTUAL_QUEUE_PLACES)
		return complain("limit_packets is at most %d here", VIRTUAL_QUEUE_PLACES - 1);
	if (wanted->params.law == DUAL_HOST_STUDENT && !wanted->has_model)
		return complain("student needs its weights: model FILE.aqms");
	return wrong ? complain("%s", wrong) : 0;
}

static int parse(struct wanted *wanted, int count, char **words)
{
	set_defaults(wanted);
	for (int i = 0; i < count; i++) {
		int status;

		if (strcmp(words[i], "dualpi2") == 0 || strcmp(words[i], "student") == 0) {
			wanted->params.law =
				words[i][0] == 's' ? DUAL_HOST_STUDENT : DUAL_HOST_DUALPI2;
			continue;
		}
		if (i + 1 == count)
			return complain("\"%s\" needs a value", words[i]);
		status = set_option(wanted, words[i], words[i + 1]);
		if (status)
			return status;
		i++;
	}
	return check(wanted);
}

static int hook_of(const char *device, struct bpf_tc_hook *hook)
{
	*hook = (struct bpf_tc_hook){
		.sz = sizeof(*hook),
		.ifindex = (int)if_nametoindex(device),
		.attach_point = BPF_TC_EGRESS,
	};
	return hook->ifindex ? 0 : complain("there is no device %s", device);
}

/* Bytes of a device's own header: Ethernet's, or none (TUN, WireGuard, PPP). */
static uint64_t link_bytes_of(const char *device)
{
	struct ifreq request = {0};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ethernet;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	ethernet = fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) ||
		   request.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
		   request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	if (fd >= 0)
		close(fd);
	return ethernet ? ETH_HLEN : 0;
}

static int put_global(struct bpf_object *object, const char *section, const void *value)
{
	const uint32_t key = 0;
	const int map = bpf_map__fd(bpf_object__find_map_by_name(object, section));

	return bpf_map_update_elem(map, &key, value, BPF_ANY)
		       ? complain("%s: %s", section, strerror(errno))
		       : 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Loads, sets up, and lets packets in only then. */
static int attach(const char *device, double mbit, struct wanted *wanted)
{
	static struct vqueue state;
	struct bpf_tc_hook hook;
	struct bpf_object *object;
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY);
	int status = hook_of(device, &hook);

	if (status)
		return status;
	object = bpf_object__open_file(wanted->object, NULL);
	if (!object || bpf_object__load(object))
		return complain("%s: %s", wanted->object, strerror(errno)), 1;
	virtual_queue_init(&state.queue, &wanted->params, (uint64_t)(mbit * 125000), now_ns());
	state.link_bytes = link_bytes_of(device);
	status = put_global(object, ".data.vqueue", &state);
	if (!status)
		status = put_global(object, ".data.model", &wanted->model);
	filter.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "vqueue_mark"));
	if (!status) {
		status = bpf_tc_hook_create(&hook);
		status = status == -EEXIST ? 0 : status;
	}
	if (!status)
		status = bpf_tc_attach(&hook, &filter);
	bpf_object__close(object);
	return status < 0 ? complain("%s: %s", device, strerror(-status)), 1 : status;
}

static int detach(const char *device)
{
	struct bpf_tc_hook hook;
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY);
	int status = hook_of(device, &hook);

	if (status)
		return status;
	status = bpf_tc_detach(&hook, &filter);
	return status ? complain("%s has no virtual queue", device) : 0;
}

/* The map of a program whose value is the state. */
static int state_map(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t ids[16], size = sizeof(info);

	info.nr_map_ids = 16;
	info.map_ids = (uint64_t)(uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 16; i++) {
		struct bpf_map_info map = {0};
		const int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(map);
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &map, &size) == 0 &&
		    map.value_size == sizeof(struct vqueue))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void print_queue(const char *name, const struct virtual_queue *queue, unsigned q)
{
	const struct dual_host_counts *counts = &queue->host.counts[q];

	printf("%s: arrived %" PRIu64 " pkts %" PRIu64 " bytes, marked %" PRIu64 " dropped %" PRIu64
	       "; virtual: holds %u pkts %" PRIu64 " bytes\n",
	       name, counts->arrived_pkts, counts->arrived_bytes, queue->marked[q],
	       queue->dropped[q], queue->host.backlog_pkts[q], queue->host.backlog_bytes[q]);
}

static int show(const char *device)
{
	static struct vqueue state;
	const uint32_t key = 0;
	struct bpf_tc_hook hook;
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY);
	int status = hook_of(device, &hook), map;

	if (status)
		return status;
	if (bpf_tc_query(&hook, &filter))
		return complain("%s has no virtual queue", device);
	map = state_map(bpf_prog_get_fd_by_id(filter.prog_id));
	if (map < 0 || bpf_map_lookup_elem(map, &key, &state))
		return complain("%s: its counts cannot be read", device), 1;
	printf("%s at %.6g Mbit/s, p %.9f, passed by %" PRIu64 "\n",
	       dual_host_is_student(&state.queue.host) ? "student" : "dualpi2",
	       (double)state.queue.rate_bytes_per_s / 125000,
	       (double)dual_host_p_q32(&state.queue.host) / 4294967296.0, state.passed_by);
	print_queue("C", &state.queue, AQM_QUEUE_C);
	print_queue("L", &state.queue, AQM_QUEUE_L);
	return 0;
}

static int explain(int status)
{
	printf("vqueue attach DEV MBIT [dualpi2|student] [model FILE.aqms] [object "
	       "vqueue.bpf.o] [OPTION VALUE]...\n"
	       "vqueue show DEV\n"
	       "vqueue detach DEV\n"
	       "MBIT: of the virtual link, a few per cent below the real one's.  Options:");
	for (size_t i = 0; i < OPTIONS; i++)
		printf(" %s", options[i].name);
	printf("\n");
	return status;
}

int main(int argc, char **argv)
{
	static struct wanted wanted;
	double mbit;
	char *end;
	int status;

	libbpf_set_print(NULL); /* what it would say follows as one line of ours */
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return show(argv[2]);
	if (argc == 3 && strcmp(argv[1], "detach") == 0)
		return detach(argv[2]);
	if (argc < 4 || strcmp(argv[1], "attach") != 0)
		return explain(argc == 2 && strcmp(argv[1], "help") == 0 ? 0 : 2);
	mbit = strtod(argv[3], &end);
	if (*end || !(mbit >= 0.01 && mbit <= 60000))
		return complain("MBIT is from 0.01 to 60000, not \"%s\"", argv[3]);
	status = parse(&wanted, argc - 4, argv + 4);
	return status ? status : attach(argv[2], mbit, &wanted);
}
