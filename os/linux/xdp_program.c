/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Six instructions by hand (linux/bpf.h), so that no compiler and no library is needed:
 * redirect_map(sockets, ctx->rx_queue_index, XDP_PASS).
 */
#include "os/linux/xdp_program.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static struct bpf_insn instruction(uint8_t code, uint8_t to, uint8_t from, int16_t offset,
				   int32_t value)
{
	return (struct bpf_insn){.code = code,
				 .dst_reg = to & 15,
				 .src_reg = from & 15,
				 .off = offset,
				 .imm = value};
}

static int load(int map)
{
	const struct bpf_insn code[] = {
		instruction(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
			    offsetof(struct xdp_md, rx_queue_index), 0),
		instruction(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
		instruction(0, 0, 0, 0, 0), /* the upper half of the constant */
		instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, XDP_PASS),
		instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
		instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_XDP;
	attributes.insns = (uint64_t)(uintptr_t)code;
	attributes.insn_cnt = sizeof(code) / sizeof(code[0]);
	attributes.license = (uint64_t)(uintptr_t) "Dual BSD/GPL";
	return bpf(BPF_PROG_LOAD, &attributes);
}

int xdp_program_open(struct xdp_program *program, uint32_t queues, struct error *error)
{
	union bpf_attr attributes;

	*program = (struct xdp_program){-1, -1, -1};
	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_XSKMAP;
	attributes.key_size = sizeof(uint32_t);
	attributes.value_size = sizeof(uint32_t);
	attributes.max_entries = queues;
	program->map = bpf(BPF_MAP_CREATE, &attributes);
	if (program->map < 0)
		return error_errno(error, NULL, "cannot make a map of sockets (AF_XDP)");
	program->program = load(program->map);
	return program->program < 0 ? error_errno(error, NULL, "cannot load the XDP program") : 0;
}

int xdp_program_serve(const struct xdp_program *program, uint32_t queue, int socket,
		      struct error *error)
{
	const uint32_t value = (uint32_t)socket;
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_fd = (uint32_t)program->map;
	attributes.key = (uint64_t)(uintptr_t)&queue;
	attributes.value = (uint64_t)(uintptr_t)&value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attributes)
		       ? error_errno(error, NULL, "cannot enter a socket into the map")
		       : 0;
}

int xdp_program_attach(struct xdp_program *program, int interface_index, bool native,
		       struct error *error)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.link_create.prog_fd = (uint32_t)program->program;
	attributes.link_create.target_ifindex = (uint32_t)interface_index;
	attributes.link_create.attach_type = BPF_XDP;
	attributes.link_create.flags = native ? XDP_FLAGS_DRV_MODE : 0;
	program->link = bpf(BPF_LINK_CREATE, &attributes);
	return program->link < 0 ? error_errno(error, NULL, "cannot attach the XDP program") : 0;
}

void xdp_program_close(struct xdp_program *program)
{
	const int files[] = {program->link, program->program, program->map};

	for (int i = 0; i < 3; i++)
		if (files[i] >= 0)
			close(files[i]);
	*program = (struct xdp_program){-1, -1, -1};
}
