/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/file in a folder of their own: all-or-nothing replacement,
 * whole reads and maps, and the errors for what cannot be read or replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/test_folder.h"

static int folder_make(void **state)
{
	(void)state;
	return test_folder_make() || chdir(test_folder);
}

static int folder_remove(void **state)
{
	(void)state;
	return chdir("/") || test_folder_remove();
}

static void assert_content(const char *path, const char *expected)
{
	char *data;
	size_t size;

	assert_int_equal(file_read_all(path, &data, &size, NULL), 0);
	assert_int_equal(size, strlen(expected));
	assert_string_equal(data, expected);
	free(data);
}

static size_t files_here(void)
{
	DIR *here = opendir(".");
	size_t count = 0;

	while (readdir(here))
		count++;
	closedir(here);
	return count - 2;
}

static void a_replacement_is_all_or_nothing(void **state)
{
	struct file_replace replace;
	size_t before;

	(void)state;
	assert_int_equal(file_write_all("a.txt", "old", 3, NULL), 0);
	before = files_here();
	assert_int_equal(file_replace_open(&replace, "a.txt", NULL), 0);
	fputs("new content", replace.stream);
	fflush(replace.stream);
	assert_content("a.txt", "old");
	file_replace_abort(&replace);
	assert_content("a.txt", "old");
	assert_int_equal(files_here(), before);
	assert_int_equal(file_replace_open(&replace, "a.txt", NULL), 0);
	fputs("new content", replace.stream);
	assert_int_equal(file_replace_commit(&replace, NULL), 0);
	file_replace_abort(&replace);
	assert_content("a.txt", "new content");
	assert_int_equal(files_here(), before);
}

static void a_link_is_followed_and_kept(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(file_write_all("target.txt", "1", 1, NULL), 0);
	assert_int_equal(symlink("target.txt", "link.txt"), 0);
	assert_int_equal(file_write_all("link.txt", "22", 2, NULL), 0);
	assert_int_equal(lstat("link.txt", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_content("target.txt", "22");
}

/* As at the end of a process that a signal ends: more replacements than are known by name, too. */
static void those_under_way_can_be_discarded(void **state)
{
	enum { COUNT = 70 };
	static struct file_replace replace[COUNT];
	int left = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many-%d.txt", i);
		assert_int_equal(file_replace_open(&replace[i], name, NULL), 0);
	}
	assert_int_equal(file_replace_commit(&replace[0], NULL), 0);
	file_replace_discard_all();
	for (int i = 0; i < COUNT; i++)
		left += file_exists(replace[i].temporary);
	assert_int_equal(left, COUNT - 64);
	assert_true(file_exists("many-0.txt"));
	assert_int_equal(file_replace_commit(&replace[1], NULL), ERR_NOT_FOUND);
	for (int i = 2; i < COUNT; i++)
		file_replace_abort(&replace[i]);
	/* Their places are free again. */
	assert_int_equal(file_replace_open(&replace[2], "many-2.txt", NULL), 0);
	file_replace_discard_all();
	assert_false(file_exists(replace[2].temporary));
	file_replace_abort(&replace[2]);
}

static void what_is_no_file_is_not_replaced(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(file_write_all("pipe", "x", 1, &error), ERR_INVALID);
	assert_int_equal(file_write_all(".", "x", 1, &error), ERR_INVALID);
	assert_int_equal(file_write_all("", "x", 1, &error), ERR_INVALID);
	assert_int_equal(file_write_all("no/such/folder/x", "x", 1, &error), ERR_NOT_FOUND);
	assert_string_equal(error.file, "no/such/folder/x");
}

static void maps_show_content_and_refuse_the_rest(void **state)
{
	struct file_map map;
	struct error error;

	(void)state;
	assert_int_equal(file_write_all("m.txt", "abc", 3, NULL), 0);
	assert_int_equal(file_map_open(&map, "m.txt", NULL), 0);
	assert_int_equal(map.size, 3);
	assert_memory_equal(map.data, "abc", 3);
	file_map_close(&map);
	assert_int_equal(file_write_all("empty", "", 0, NULL), 0);
	assert_int_equal(file_map_open(&map, "empty", NULL), 0);
	assert_null(map.data);
	assert_int_equal(map.size, 0);
	file_map_close(&map);
	assert_int_equal(file_map_open(&map, ".", &error), ERR_INVALID);
	assert_int_equal(file_map_open(&map, "missing", &error), ERR_NOT_FOUND);
	assert_string_equal(error.file, "missing");
	if (mkfifo("pipe2", 0600) == 0)
		assert_int_equal(file_map_open(&map, "pipe2", &error), ERR_INVALID);
}

static void large_reads_are_whole(void **state)
{
	const size_t size = 300000;
	char *out = malloc(size), *in;
	size_t got;

	(void)state;
	for (size_t i = 0; i < size; i++)
		out[i] = (char)(i * 7 + i / 251);
	assert_int_equal(file_write_all("big", out, size, NULL), 0);
	assert_int_equal(file_read_all("big", &in, &got, NULL), 0);
	assert_int_equal(got, size);
	assert_memory_equal(in, out, size);
	assert_int_equal(in[size], 0);
	free(in);
	free(out);
	assert_int_equal(file_read_all(".", &in, &got, NULL), ERR_INVALID);
	assert_null(in);
}

static void folders_and_names(void **state)
{
	char path[10];

	(void)state;
	assert_int_equal(file_make_folders("a/b//c/", NULL), 0);
	assert_int_equal(file_make_folders("a/b/c", NULL), 0);
	assert_true(file_is_folder("a/b/c"));
	assert_int_equal(file_write_all("plain", "", 0, NULL), 0);
	assert_int_equal(file_make_folders("plain", NULL), ERR_INVALID);
	assert_int_not_equal(file_make_folders("plain/below", NULL), 0);
	assert_true(file_exists("plain"));
	assert_false(file_exists("nothing"));
	assert_int_equal(file_join(path, sizeof(path), "dir", "name", NULL), 0);
	assert_string_equal(path, "dir/name");
	assert_int_equal(file_join(path, sizeof(path), "dir/", "name", NULL), 0);
	assert_string_equal(path, "dir/name");
	assert_int_equal(file_join(path, sizeof(path), "folder", "name", NULL), ERR_RANGE);
	assert_string_equal(file_name("some/folder"), "folder");
	assert_string_equal(file_name("name"), "name");
	assert_string_equal(file_name("folder/"), "folder/");
	assert_true(file_has_suffix("x.csv", ".csv"));
	assert_false(file_has_suffix("csv", ".csv"));
}

/* What was made for a file that then failed goes; what was there, or is not empty, stays. */
static void made_folders_can_go_again(void **state)
{
	(void)state;
	assert_int_equal(file_make_folders("kept", NULL), 0);
	assert_int_equal(file_existing_part("kept/new/deep/"), 4);
	assert_int_equal(file_existing_part("kept"), 4);
	assert_int_equal(file_existing_part("none/at/all"), 0);
	assert_int_equal(file_make_folders("kept/new/deep", NULL), 0);
	file_remove_empty_folders("kept/new/deep", 4);
	assert_false(file_exists("kept/new"));
	assert_true(file_exists("kept"));
	assert_int_equal(file_make_folders("kept/new/deep", NULL), 0);
	assert_int_equal(file_write_all("kept/new/note", "x", 1, NULL), 0);
	file_remove_empty_folders("kept/new/deep", 4);
	assert_true(file_exists("kept/new/note"));
	assert_false(file_exists("kept/new/deep"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replacement_is_all_or_nothing),
		cmocka_unit_test(a_link_is_followed_and_kept),
		cmocka_unit_test(those_under_way_can_be_discarded),
		cmocka_unit_test(what_is_no_file_is_not_replaced),
		cmocka_unit_test(maps_show_content_and_refuse_the_rest),
		cmocka_unit_test(large_reads_are_whole),
		cmocka_unit_test(folders_and_names),
		cmocka_unit_test(made_folders_can_go_again),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
