/* SPDX-License-Identifier: BSD-2-Clause */
/* Each family's shape can be trained as its row says. */
#include "backbone/test_models.h"
#include "cli/families.h"

static void rows_say_what_training_can(void **state)
{
	const struct backbone_options options = {.precision = 0};

	(void)state;
	for (int i = 0; i < FAMILIES; i++) {
		struct backbone *backbone = test_model(families[i].small, &options, 1);

		assert_string_equal(backbone_shape(backbone)->architecture, families[i].name);
		assert_int_equal(backbone_checkpoint_activations(backbone, true),
				 families[i].checkpoints);
		backbone_close(backbone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_say_what_training_can)};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests_name("families", tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
