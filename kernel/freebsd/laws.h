/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The laws of dn_aqm_laws.c and their parameters, in the order in which a request has them: for the
 * module, and for the program that asks for them.  At most ten fit a request.
 */
#ifndef KERNEL_FREEBSD_LAWS_H
#define KERNEL_FREEBSD_LAWS_H

/* X(name, enum single_host_law without its prefix) */
#define LAWS(X) X(pi2, PI2) X(pie_rfc, PIE) X(codel_rfc, CODEL) X(red_floyd, RED)

/* X(name, default, least, most, text): ranges and defaults are those of the program. */
#define LAWS_PI2(X)                                                                                \
	X(target_us, 20000, 10, 4000000, "queue delay aimed at")                                   \
	X(tupdate_us, 32000, 100, 4000000, "time between updates")                                 \
	X(alpha_millionths, 312500, 0, 64000000, "integral gain, per second")                      \
	X(beta_millionths, 3125000, 0, 64000000, "proportional gain, per second")                  \
	X(k_millionths, 2000000, 62500, 64000000, "coupling factor")                               \
	X(max_burst_us, 0, 0, 4000000, "burst let through after a quiet time")                     \
	X(ecn_max_p_millionths, 250000, 0, 1000000, "from here on Classic packets are dropped")    \
	X(mtu_bytes, 1500, 64, 65535, "longest packet")                                            \
	X(log, 0, 0, 1, "print a line for every packet")

#define LAWS_PIE(X)                                                                                \
	X(target_us, 15000, 10, 4000000, "queue delay aimed at")                                   \
	X(tupdate_us, 15000, 100, 4000000, "time between updates")                                 \
	X(alpha_millionths, 125000, 0, 64000000, "gain on the distance from the target")           \
	X(beta_millionths, 1250000, 0, 64000000, "gain on the change of delay")                    \
	X(max_burst_us, 150000, 0, 4000000, "burst let through after a quiet time")                \
	X(ecn_max_p_millionths, 100000, 0, 1000000, "packets are marked up to this probability")   \
	X(log, 0, 0, 1, "print a line for every packet")

#define LAWS_CODEL(X)                                                                              \
	X(target_us, 5000, 10, 4000000, "sojourn time that may stand")                             \
	X(interval_us, 100000, 10, 4000000, "how long it may be above")                            \
	X(ecn, 1, 0, 1, "mark packets that can carry a mark")                                      \
	X(mtu_bytes, 1500, 0, 65535, "a backlog up to this is never above")                        \
	X(log, 0, 0, 1, "print a line for every packet")

#define LAWS_RED(X)                                                                                \
	X(min_bytes, 7500, 0, 99999999, "average queue below which packets pass")                  \
	X(max_bytes, 22500, 1, 100000000, "average queue at which max_p is reached; above min")    \
	X(max_p_millionths, 100000, 0, 1000000, "probability at max_bytes")                        \
	X(weight_millionths, 2000, 1, 1000000, "of one arrival in the average queue")              \
	X(adaptive, 0, 0, 1, "move max_p so that the average stays in the middle")                 \
	X(gentle, 1, 0, 1, "probability rises to 1 at twice max_bytes")                            \
	X(ecn, 1, 0, 1, "mark packets that can carry a mark")                                      \
	X(packet_time_us, 1000, 1, 4000000, "what a packet takes on the idle link")                \
	X(log, 0, 0, 1, "print a line for every packet")

#endif
