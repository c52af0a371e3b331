/* SPDX-License-Identifier: Apache-2.0 */
/* spoken.h - which helpers of a service somebody in the image says the name of
 *
 * A service starts helpers out of a directory of its own by names that stand somewhere: in its programs, its configuration, its
 * scripts ("smtpd" in master.cf), maybe only how they begin ("rpcd_", "git-"). A helper of which no file in the image says
 * anything is one that people start.
 * Heard are ELF files whole and texts of at most 1 MiB, with comments. What a file says of itself does not count.
 * Threads: one.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_SPOKEN_H
#define IMGFACTORY_SERVICE_SPOKEN_H

#include "service/own.h"

/* What files were heard to say in former rounds. Zero-initialise with .by_file.arena set. */
struct spoken_memory {
    struct map by_file; /* path → struct strings * */
    size_t word_count;  /* for how many words they were listened to */
};

struct spoken {
    struct arena *arena;
    struct map words; /* that may be said of helpers: names, beginnings → anything */
    struct map said;  /* those that are */
    struct spoken_memory *memory;
};

/* Listens to the kept files of the service, of the packages of other scripts that are kept, and to what is wished for to be
 * made. `memory` may be NULL. */
void spoken_collect(struct arena *arena, const struct automatic_request *request, const struct own *own,
                    const struct wishes *wishes, struct spoken_memory *memory, struct spoken *ret_spoken);
/* Listens to a file as well. Returns whether it said something new. */
bool spoken_hear(struct spoken *spoken, const struct entry *content);
/* Listens to a text: that of a command. */
void spoken_hear_text(struct spoken *spoken, struct text text);
/* Returns whether the helper at a path is said. */
bool spoken_has(const struct spoken *spoken, const char *path);

#endif
