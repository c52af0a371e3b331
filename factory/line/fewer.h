/* SPDX-License-Identifier: Apache-2.0 */
/* fewer.h - what to do when a tag would lose platforms: the two commands that would be right
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_LINE_FEWER_H
#define IMGFACTORY_LINE_FEWER_H

#include "oci/platforms.h"
#include "plan/arch.h"

/* How the user called us, as a shell reads it: "imgfactory push" and "--quiet --authfile 'a b'", without --arch. */
struct fewer_call {
    const char *program, *options, *arch; /* arch: the value of --arch, or NULL */
    const char *words;                    /* images, layout, references */
};

/* Adds to a refusal (err) the command that builds the image for all platforms (`image`: the word that names it to a
 * build; `build_options` of that build), and the call itself with --allow-fewer-platforms. Nothing is added when
 * nothing would be lost. */
void fewer_advise(const struct arches *arches, const struct platforms_loss *loss, const struct fewer_call *call,
                  const char *build_options, const char *image, struct err *err);

#endif
