/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.h - everything that the bytes of one finished product depend on, and nothing else
 *
 * One list gives the struct, its place in the bill and the key under which a finished product is kept, so that nothing
 * that is added to the list can be forgotten in the key. An option that changes bytes becomes a field here (its row in
 * cli/option_table.c or plan/site.c says ALTERS_INPUTS); what only says how a run goes is in struct run_options
 * (line/plant.h).
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_BILL_INPUTS_H
#define IMGFACTORY_BILL_INPUTS_H

#include "bill/record.h"
#include "oci/descriptor.h"

/* The list: INPUT(type, member, key, kind, words). First what is of the run: the running program's file with its own
 * libraries and libsolv, the library that compresses and its code, the files of recipes, features, families, the
 * foreground and interpreters, how many layers at most and the lines of the plan that says which (plan/layer_plan.h), options;
 * then what is of the order: name and file of the manifest, what its base's name means, the architecture's file, what the first repository calls itself,
 * and what was asked of the indices with what they said (line/questions.h). Behind the list stands what the run saw of
 * the indices as a whole, which is not in the key: indices that give the same answers give the same bytes. */
#define INPUTS(INPUT)                                                                                                  \
    INPUT(struct digest, program, "program", RECORD_SHA256, NULL)                                                      \
    INPUT(const char *, encoder, "encoder", RECORD_TEXT, NULL)                                                         \
    INPUT(struct digest, encoder_code, "encoder_code", RECORD_SHA256, NULL)                                            \
    INPUT(enum packing, compression, "compression", RECORD_WORD, packing_names)                                        \
    INPUT(struct digest, recipes, "recipes", RECORD_MAYBE_SHA256, NULL)                                                \
    INPUT(struct digest, features, "features", RECORD_MAYBE_SHA256, NULL)                                              \
    INPUT(struct digest, families, "families", RECORD_MAYBE_SHA256, NULL)                                              \
    INPUT(struct digest, foregrounds, "foreground", RECORD_MAYBE_SHA256, NULL)                                         \
    INPUT(struct digest, interpreters, "interpreters", RECORD_MAYBE_SHA256, NULL)                                      \
    INPUT(size_t, layers, "layers", RECORD_SIZE, NULL)                                                                 \
    INPUT(struct strings, layer_plan, "layer_plan", RECORD_TEXTS, NULL)                                                \
    INPUT(int64_t, source_date_epoch, "source_date_epoch", RECORD_I64, NULL)                                           \
    INPUT(bool, is_strict, "strict", RECORD_FLAG, NULL)                                                                \
    INPUT(bool, is_no_check, "no_check", RECORD_FLAG, NULL)                                                            \
    INPUT(bool, is_older_fine, "allow_older", RECORD_FLAG, NULL)                                                       \
    INPUT(const char *, name, "name", RECORD_TEXT, NULL)                                                               \
    INPUT(struct digest, manifest, "manifest", RECORD_SHA256, NULL)                                                    \
    INPUT(struct digest, base, "base", RECORD_MAYBE_SHA256, NULL)                                                      \
    INPUT(struct digest, arch, "arch", RECORD_SHA256, NULL)                                                            \
    INPUT(const char *, release, "release", RECORD_MAYBE_TEXT, NULL)                                                   \
    INPUT(struct digest, answers, "answers", RECORD_MAYBE_SHA256, NULL)                                                \
    INPUT(struct digest, catalog, "catalog", RECORD_MAYBE_SHA256, NULL)

#define INPUT_MEMBER(type, member, key, kind, words) type member;
struct inputs {
    INPUTS(INPUT_MEMBER)
};
#undef INPUT_MEMBER

extern const struct record_table inputs_table;

/* Hashes all of it but the catalog: the key of a finished product. */
struct digest inputs_key(const struct inputs *inputs);
/* Hashes all of it but the answers: names what leads to them as long as no index changes. */
struct digest inputs_key_asking(const struct inputs *inputs);
/* Hashes what is neither catalog nor answers. */
struct digest inputs_key_apart(const struct inputs *inputs);

#endif
