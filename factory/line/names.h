/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - what a word means that is no manifest: a program, package or unit of the source, as a manifest made of it
 *
 * In this order: an absolute path of a program (of several packages that of which a manifest would take it, choose.h); a command (of PATH) that exactly one package ships; a package; a systemd unit;
 * a program that packages have for themselves.
 * "command:", "package:" and "unit:" in front settle which. Of a package it is the program that its service starts, else
 * the only one in a directory for administrators, else the only one, else that of a package of the same source on which
 * it depends, of which it is a part then that comes whole (names_program.h). A metapackage leads to what a manifest of the
 * catalogue is called like (postgresql: postgresql-15), and, when no program is found so, to the command of that name. The answer is one for all architectures, and is a text that the reader of manifests reads:
 * so an image by name is the image of a manifest.
 * Threads: names_resolve() blocks; called by main before the orders start; it asks for all names and architectures at once.
 * Owns: nothing; answers live in the arena.
 * Fails with: ERR_USAGE (nothing has the name, or several do), ERR_RESOLVE (it means something else for another
 * architecture), and as plant_catalog(), catalog.h and supply.h.
 */
#ifndef IMGFACTORY_LINE_NAMES_H
#define IMGFACTORY_LINE_NAMES_H

#include "line/plant.h"

/* What is asked. */
struct name_question {
    const char *word; /* names_is_word() says it may be one */
    const struct source *source;
    const struct arch *const *arches; /* at least one */
    size_t arch_count;
    const struct strings *manifests; /* names of the catalogue, to which a metapackage may lead; or NULL */
    const char *otherwise;           /* for messages, when nothing has the name: "did you mean 'dhcpd'?"; or NULL */
};

/* What is answered. */
struct name_answer {
    const char
        *manifest;     /* of the catalogue, to which the name leads; then nothing but `said` is set besides. Or NULL */
    const char *image; /* name of the image: that of the program, as images may be called */
    const char *said;  /* "nsd is the command /usr/sbin/nsd of the package nsd" */
    const char *path;  /* of the program */
    const char *package;     /* that ships it */
    const char *whole;       /* a package that comes whole, since it is a part of the program; or NULL */
    const char *description; /* one line; never NULL */
    bool is_package_needed;  /* without the package's name another could be taken, or none be found */
};

/* Returns whether a word could be a name: of letters, digits and "@._+-", perhaps with a prefix, or an absolute path that
 * is not that of a YAML file. A word that is a file's path on this machine, and none of a program's, is none. */
bool names_is_word(const char *word);
/* Answers all questions; `answers` has room for `count`. The error is that of the first question that failed, the gravest
 * first. */
bool names_resolve(struct plant *plant, struct arena *arena, const struct name_question *questions, size_t count,
                   struct name_answer *answers, struct err *err) MUST_CHECK;
#endif
