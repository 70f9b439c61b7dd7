/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sysctls under net.inet.ip.dummynet: "LAW.NAME", set and read as user space does it.
 */
#include "kernel/freebsd/host.h"
#include "kernel/freebsd/test/world.h"

/* Of the kernel's own, this much is used here. */
struct node {
	struct sysctl_oid oid; /* first */
	struct node *next;     /* of all */
	const struct sysctl_oid_list *parent;
	int (*handler)(SYSCTL_HANDLER_ARGS);
	void *arg1;
	intmax_t arg2;
	char name[40];
	bool is_node;
};

struct sysctl_oid sysctl___net_inet_ip_dummynet;
static struct node *nodes;

int sysctl_ctx_init(struct sysctl_ctx_list *context)
{
	context->tqh_first = NULL;
	return 0;
}

/* A context is what was added under its node, which it begins with. */
int sysctl_ctx_free(struct sysctl_ctx_list *context)
{
	struct node *own = (struct node *)(void *)context->tqh_first, **at = &nodes;

	while (*at) {
		struct node *node = *at;

		if (node != own && node->parent != &own->oid.oid_children) {
			at = &node->next;
			continue;
		}
		*at = node->next;
		if (node != own)
			free(node, M_DUMMYNET);
	}
	if (own)
		free(own, M_DUMMYNET);
	return 0;
}

struct sysctl_oid *sysctl_add_oid(struct sysctl_ctx_list *context, struct sysctl_oid_list *parent,
				  int number, const char *name, int kind, void *arg1,
				  intmax_t arg2, int (*handler)(SYSCTL_HANDLER_ARGS),
				  const char *format, const char *text, const char *label)
{
	struct node *node = malloc(sizeof(*node), M_DUMMYNET, M_WAITOK | M_ZERO);

	(void)number;
	(void)format;
	(void)text;
	(void)label;
	node->next = nodes;
	node->parent = parent;
	node->handler = handler;
	node->arg1 = arg1;
	node->arg2 = arg2;
	node->is_node = (kind & 0xf) == CTLTYPE_NODE;
	strlcpy(node->name, name, sizeof(node->name));
	nodes = node;
	if (context->tqh_first == NULL)
		context->tqh_first = (void *)node;
	return &node->oid;
}

int sysctl_handle_64(SYSCTL_HANDLER_ARGS)
{
	int error;

	(void)oidp;
	(void)arg2;
	error = SYSCTL_OUT(req, arg1, sizeof(int64_t));
	if (error != 0 || req->newptr == NULL)
		return error;
	return SYSCTL_IN(req, arg1, sizeof(int64_t));
}

/* As the kernel's, a NULL buffer asks for the size only. */
static int out(struct sysctl_req *req, const void *from, size_t size)
{
	const size_t left = req->oldlen - req->oldidx;

	if (req->oldptr && size > left)
		return ENOMEM;
	if (req->oldptr)
		memcpy((char *)req->oldptr + req->oldidx, from, size);
	req->oldidx += size;
	return 0;
}

static int in(struct sysctl_req *req, void *to, size_t size)
{
	if (req->newptr == NULL)
		return 0;
	if (req->newlen - req->newidx < size)
		return EINVAL;
	memcpy(to, (const char *)req->newptr + req->newidx, size);
	req->newidx += size;
	return 0;
}

static bool is_under(const struct node *node, const char *law, size_t length)
{
	for (const struct node *parent = nodes; parent; parent = parent->next)
		if (node->parent == &parent->oid.oid_children && strlen(parent->name) == length &&
		    strncmp(parent->name, law, length) == 0)
			return true;
	return false;
}

static struct node *find(const char *name)
{
	size_t length = 0;

	while (name[length] && name[length] != '.')
		length++;
	for (struct node *node = nodes; node; node = node->next)
		if (!node->is_node && name[length] == '.' &&
		    strcmp(node->name, name + length + 1) == 0 && is_under(node, name, length))
			return node;
	return NULL;
}

static int ask(const char *name, struct sysctl_req *req)
{
	struct node *node = find(name);

	req->oldfunc = out;
	req->newfunc = in;
	return node ? node->handler(&node->oid, node->arg1, node->arg2, req) : EINVAL;
}

int world_sysctl_set(const char *name, int64_t value)
{
	struct sysctl_req req = {.newptr = &value, .newlen = sizeof(value)};

	return ask(name, &req);
}

int world_sysctl_get(const char *name, int64_t *value)
{
	struct sysctl_req req = {.oldptr = value, .oldlen = sizeof(*value)};

	return ask(name, &req);
}

int world_sysctl_write(const char *name, const char *text, size_t size)
{
	struct sysctl_req req = {.newptr = text, .newlen = size};

	return ask(name, &req);
}

int world_sysctl_read(const char *name, char *text, size_t room)
{
	struct sysctl_req req = {.oldptr = text, .oldlen = room};

	return ask(name, &req);
}
