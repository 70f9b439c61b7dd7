/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of a run into blocks of a capture file.
 */
#include "cli/capture.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "config.h"
#include "net/headers.h"
#include "net/pcapng.h"

static const struct interface {
	const char *name, *description;
} interfaces[SIM_TAPS] = {
	[SIM_TAP_C] = {"C", "leaving the bottleneck's Classic queue, after marking"},
	[SIM_TAP_L] = {"L", "leaving the bottleneck's L4S queue, after marking"},
	[SIM_TAP_DROPPED] = {"dropped", "dropped by the router"},
	[SIM_TAP_RETURN] = {"return", "leaving a receiver, not through the queue"},
};

static void write_begin(FILE *stream, const struct scenario *scenario, const char *law,
			uint64_t seed)
{
	const uint64_t rate_bps = (uint64_t)llround(scenario->rate_mbps * 1e6);
	char comment[256];

	snprintf(comment, sizeof(comment), "simulated: %s through %s, seed %" PRIu64,
		 scenario->name, law, seed);
	pcapng_begin(stream, "aqmllm " AQMLLM_VERSION, comment);
	for (int i = 0; i < SIM_TAPS; i++)
		pcapng_interface(stream, interfaces[i].name, interfaces[i].description,
				 i <= SIM_TAP_L ? rate_bps : 0);
}

int capture_open(struct capture *capture, const char *path, const struct scenario *scenario,
		 const char *law, uint64_t seed, struct error *error)
{
	memset(capture, 0, sizeof(*capture));
	if (strcmp(path, "-") == 0) {
		capture->stream = stdout;
	} else {
		const int code = file_replace_open(&capture->file, path, error);

		if (code)
			return code;
		capture->stream = capture->file.stream;
	}
	write_begin(capture->stream, scenario, law, seed);
	return 0;
}

bool capture_packet(struct capture *capture, uint64_t now_ns, const struct packet *packet,
		    enum sim_tap tap, uint64_t sojourn_ns)
{
	uint8_t headers[NET_HEADERS_MAX_BYTES];
	const size_t size = net_headers_write(packet, headers);
	char comment[64];

	snprintf(comment, sizeof(comment), "sojourn %.6f ms", (double)sojourn_ns / 1e6);
	pcapng_packet(capture->stream,
		      &(struct pcapng_packet){
			      .interface = tap,
			      .time_ns = now_ns,
			      .data = headers,
			      .captured_bytes = (uint32_t)size,
			      .original_bytes = packet->len_bytes,
			      .comment = tap <= SIM_TAP_L ? comment : NULL,
		      });
	return !ferror(capture->stream);
}

int capture_close(struct capture *capture, bool keep, struct error *error)
{
	int code = 0;

	if (capture->stream == stdout) {
		if (keep && fflush(stdout) != 0)
			code = error_errno(error, "standard output", "cannot write the capture");
		return code;
	}
	if (keep)
		code = file_replace_commit(&capture->file, error);
	if (code || !keep)
		file_replace_abort(&capture->file);
	return code;
}
