/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/families.h"

const struct family families[FAMILIES] = {
	{
		.name = "gpt2",
		.title = "GPT-2",
		.small = "{\"model_type\": \"gpt2\", \"n_layer\": 4, \"n_embd\": 128, "
			 "\"n_head\": 4, \"vocab_size\": 16, \"n_positions\": 1024}\n",
		.whole = "{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, "
			 "\"n_head\": 12, \"vocab_size\": 50257, \"n_positions\": 1024}\n",
		.whole_name = "GPT-2 124 M",
		.checkpoints = true,
		.paper_trainable_m = 125,
		.paper_memory_gb = 3.6,
		.paper_decision_ms = 41.4,
		.paper_training_h = 17.96 / 60,
	},
	{
		.name = "opt",
		.title = "OPT",
		.small = "{\"model_type\": \"opt\", \"num_hidden_layers\": 4, "
			 "\"hidden_size\": 128, \"num_attention_heads\": 4, "
			 "\"ffn_dim\": 512, \"word_embed_proj_dim\": 128, "
			 "\"do_layer_norm_before\": true, \"vocab_size\": 16, "
			 "\"max_position_embeddings\": 1024}\n",
		.whole = "{\"model_type\": \"opt\", \"num_hidden_layers\": 24, "
			 "\"hidden_size\": 2048, \"num_attention_heads\": 32, \"ffn_dim\": 8192, "
			 "\"word_embed_proj_dim\": 2048, \"do_layer_norm_before\": true, "
			 "\"vocab_size\": 50272, \"max_position_embeddings\": 2048}\n",
		.whole_name = "OPT 1.3 B",
		.checkpoints = true,
		.paper_trainable_m = 25,
		.paper_memory_gb = 7,
		.paper_decision_ms = 39.5,
		.paper_training_h = 29.9 / 60,
	},
	{
		.name = "llama",
		.title = "Llama 2",
		.small = "{\"model_type\": \"llama\", \"num_hidden_layers\": 4, "
			 "\"hidden_size\": 128, \"num_attention_heads\": 4, "
			 "\"num_key_value_heads\": 4, \"intermediate_size\": 344, "
			 "\"vocab_size\": 16, \"max_position_embeddings\": 4096, "
			 "\"rms_norm_eps\": 1e-5}\n",
		.whole = "{\"model_type\": \"llama\", \"num_hidden_layers\": 32, "
			 "\"hidden_size\": 4096, \"num_attention_heads\": 32, "
			 "\"num_key_value_heads\": 32, \"intermediate_size\": 11008, "
			 "\"vocab_size\": 32000, \"max_position_embeddings\": 4096, "
			 "\"rms_norm_eps\": 1e-5}\n",
		.whole_name = "Llama 2 7 B",
		.checkpoints = true,
		.paper_trainable_m = 70,
		.paper_memory_gb = 23.91,
		.paper_decision_ms = 39.1,
		.paper_training_h = 22.3,
	},
	{
		.name = "t5",
		.title = "T5",
		.small = "{\"model_type\": \"t5\", \"num_layers\": 2, \"num_decoder_layers\": 2, "
			 "\"d_model\": 128, \"d_kv\": 32, \"num_heads\": 4, \"d_ff\": 512, "
			 "\"vocab_size\": 16, \"relative_attention_num_buckets\": 32, "
			 "\"relative_attention_max_distance\": 128, "
			 "\"feed_forward_proj\": \"relu\"}\n",
		.whole = "{\"model_type\": \"t5\", \"num_layers\": 12, \"num_decoder_layers\": 12, "
			 "\"d_model\": 768, \"d_kv\": 64, \"num_heads\": 12, \"d_ff\": 3072, "
			 "\"vocab_size\": 32128, \"relative_attention_num_buckets\": 32, "
			 "\"relative_attention_max_distance\": 128, "
			 "\"feed_forward_proj\": \"relu\"}\n",
		.whole_name = "T5 220 M",
		.paper_trainable_m = 220,
		.paper_memory_gb = 2.32,
		.paper_decision_ms = 41.1,
		.paper_training_h = 32.26 / 60,
	},
};
