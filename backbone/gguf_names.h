/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What GGUF files call the settings and tensors that Hugging Face directories
 * hold, and how tensors lie there.
 *
 * Sources: the GGUF specification's standard keys (ggml, docs/gguf.md) and the
 * tensor names that llama.cpp reads.
 */
#ifndef BACKBONE_GGUF_NAMES_H
#define BACKBONE_GGUF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* How rows of a matrix differ from Hugging Face's (out, in). */
enum gguf_layout {
	GGUF_STRAIGHT,
	GGUF_TRANSPOSED, /* a Conv1D (in, out) there is (out, in) here */
	/* Rows of a head lie in rotary pairs 0, d/2, 1, d/2 + 1, ...; there in two halves. */
	GGUF_ROTARY_Q,
	GGUF_ROTARY_K, /* the same, over key/value heads */
};

/* A number in both worlds: `architecture`.`key` and a key of config.json. */
struct gguf_setting {
	const char *key, *setting;
	bool real;     /* binary32 here; else a whole number */
	bool required; /* a file without it is refused */
};

struct gguf_name {
	const char *here, *there; /* without .weight or .bias; %d: the layer */
	enum gguf_layout layout;
};

struct gguf_architecture {
	const char *name; /* general.architecture, and model_type */
	const struct gguf_setting *settings; /* end with key NULL */
	const struct gguf_name *names;       /* end with here NULL */
};

/* By name, or NULL. */
const struct gguf_architecture *gguf_architecture(const char *name);

/* "gpt2, llama", for messages. */
const char *gguf_architectures(void);

/*
 * Name here of the tensor called `name` there, whatever class prefix it has,
 * and its layout; false when there is none.
 */
bool gguf_name(const struct gguf_architecture *architecture, const char *name, char *here,
	       size_t size, enum gguf_layout *layout);

/* "layers.3.mlp.up_proj.weight": the entry's name there for a layer; `ending` weight or bias. */
void gguf_name_there(const struct gguf_name *entry, int layer, const char *ending, char *there,
		     size_t size);

/* "gpt2.block_count" for the setting "n_layer"; false when there is no such setting. */
bool gguf_key(const struct gguf_architecture *architecture, const char *setting, char *key,
	      size_t size);

#endif
