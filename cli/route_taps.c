/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_taps.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "config.h"
#include "net/pcapng.h"

enum interface { INTERFACE_C, INTERFACE_L, INTERFACE_DROPPED };

static void record(void *context, uint64_t now_ns, const struct aqm_record *out)
{
	struct route_taps *taps = context;

	if (taps->failed == 0)
		taps->failed = kernel_log_write(taps->log, taps->year_ns + now_ns, out);
}

static void leave(void *context, uint64_t now_ns, const struct packet *packet,
		  enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct route_taps *taps = context;
	const struct wire_header *wire = &packet->wire;
	const uint32_t size = wire->size - wire->ip;
	char comment[64];

	if (taps->failed || !wire->is_ip)
		return;
	snprintf(comment, sizeof(comment), "sojourn %.6f ms", (double)sojourn_ns / 1e6);
	pcapng_packet(taps->capture.stream,
		      &(struct pcapng_packet){
			      .interface = verdict == AQM_DROP	  ? INTERFACE_DROPPED
					   : queue == AQM_QUEUE_L ? INTERFACE_L
								  : INTERFACE_C,
			      .time_ns = taps->epoch_ns + now_ns,
			      .data = wire->bytes + wire->ip,
			      .captured_bytes = size < PCAPNG_SNAP_BYTES ? size : PCAPNG_SNAP_BYTES,
			      .original_bytes = packet->len_bytes,
			      .comment = verdict == AQM_DROP ? NULL : comment,
		      });
	if (ferror(taps->capture.stream))
		taps->failed = ERR_IO;
}

static void begin_capture(const struct route_taps *taps, const char *law)
{
	char comment[256];

	snprintf(comment, sizeof(comment), "routed through %s", law);
	pcapng_begin(taps->capture.stream, "aqmllm " AQMLLM_VERSION, comment);
	pcapng_interface(taps->capture.stream, "C", "leaving the Classic queue, after marking", 0);
	pcapng_interface(taps->capture.stream, "L", "leaving the L4S queue, after marking", 0);
	pcapng_interface(taps->capture.stream, "dropped", "dropped by the router", 0);
}

int route_taps_open(struct route_taps *taps, const char *log, const char *pcap, const char *law,
		    uint64_t now_ns, struct error *error)
{
	struct timespec now;
	struct tm local;
	int code = 0;

	memset(taps, 0, sizeof(*taps));
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	taps->epoch_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec - now_ns;
	taps->year_ns = ((uint64_t)local.tm_yday * 86400 + (uint64_t)local.tm_hour * 3600 +
			 (uint64_t)local.tm_min * 60 + (uint64_t)local.tm_sec) *
				NS_PER_S +
			(uint64_t)now.tv_nsec;
	taps->year_ns -= now_ns < taps->year_ns ? now_ns : taps->year_ns;
	if (log)
		code = kernel_log_create(&taps->log, log, error);
	if (code == 0 && pcap) {
		code = file_replace_open(&taps->capture, pcap, error);
		if (code && log)
			kernel_log_close(taps->log, false, NULL);
	}
	if (code)
		return code;
	taps->log_path = log;
	taps->pcap_path = pcap;
	if (pcap)
		begin_capture(taps, law);
	return 0;
}

struct path_sink route_taps_sink(struct route_taps *taps)
{
	return (struct path_sink){
		.context = taps,
		.record = taps->log_path ? record : NULL,
		.leave = taps->pcap_path ? leave : NULL,
	};
}

int route_taps_close(struct route_taps *taps, bool keep, struct error *error)
{
	int code = 0;

	if (keep && taps->failed)
		code = error_set(error, taps->failed,
				 "the log or the capture could not be written");
	keep = keep && code == 0;
	if (taps->log_path) {
		const int closed = kernel_log_close(taps->log, keep, code ? NULL : error);

		code = code ? code : closed;
	}
	if (taps->pcap_path && keep) {
		const int closed = file_replace_commit(&taps->capture, code ? NULL : error);

		keep = closed == 0;
		code = code ? code : closed;
	}
	if (taps->pcap_path && !keep)
		file_replace_abort(&taps->capture);
	return code;
}
