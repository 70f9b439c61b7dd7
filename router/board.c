/* SPDX-License-Identifier: BSD-2-Clause */
#include "router/board.h"

#include <stdlib.h>
#include <string.h>

int board_open(struct board *board, struct error *error)
{
	memset(board, 0, sizeof(*board));
	board->copy = calloc(1, sizeof(*board->copy));
	if (board->copy == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	pthread_mutex_init(&board->lock, NULL);
	return 0;
}

void board_close(struct board *board)
{
	if (board->copy == NULL)
		return;
	pthread_mutex_destroy(&board->lock);
	free(board->copy);
	board->copy = NULL;
}

void board_put(struct board *board, const struct monitor *monitor)
{
	if (pthread_mutex_trylock(&board->lock))
		return;
	memcpy(board->copy, monitor, sizeof(*monitor));
	board->version++;
	pthread_mutex_unlock(&board->lock);
}

uint64_t board_get(struct board *board, struct monitor *monitor)
{
	uint64_t version;

	pthread_mutex_lock(&board->lock);
	memcpy(monitor, board->copy, sizeof(*monitor));
	version = board->version;
	pthread_mutex_unlock(&board->lock);
	return version;
}
