/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What world.c needs of the C library.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *world_c_alloc(size_t size);
void world_c_free(void *block);
int world_c_format(char *text, size_t size, const char *format, va_list arguments);

void *world_c_alloc(size_t size)
{
	return malloc(size);
}

void world_c_free(void *block)
{
	free(block);
}

int world_c_format(char *text, size_t size, const char *format, va_list arguments)
{
	return vsnprintf(text, size, format, arguments);
}
