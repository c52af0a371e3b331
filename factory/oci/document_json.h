/* SPDX-License-Identifier: Apache-2.0 */
/* document_json.h - what documents of an image say, as JSON for reports
 *
 * Documents come from anywhere: a value of another type than the specification says is left out.
 * Threads: no state.
 * Owns: the caller owns what is returned.
 */
#ifndef IMGFACTORY_OCI_DOCUMENT_JSON_H
#define IMGFACTORY_OCI_DOCUMENT_JSON_H

#include "base/text.h"

#include <jansson.h>

/* Parses an object; an empty one when it is none. */
json_t *document_object(struct text bytes);
/* Copies the strings of an array or the string values of an object; NULL when there are none. */
json_t *document_strings(const json_t *from);
/* Copies a string that is not empty; else NULL. */
json_t *document_string(const json_t *from);
/* Sets a member unless there is no value, which is used up. */
void document_set(json_t *object, const char *name, json_t *value);
/* Sets what an image's configuration (image-spec config.md) says: created, author, entrypoint, cmd, env, user, workdir,
 * stop_signal, ports, volumes, labels. */
void document_config(json_t *object, struct text bytes);

#endif
