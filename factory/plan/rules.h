/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h - what a path, name, port, signal or tag in one of our YAML files may look like
 *
 * Functions that return `const char *` return NULL when the value is fine, else why it is not, for "'x' ... <why>".
 * Threads: no state.
 */
#ifndef IMGFACTORY_PLAN_RULES_H
#define IMGFACTORY_PLAN_RULES_H

#include "base/text.h"

#define RULE_ID_MAX 4294967294u /* 2^32-1 is chown(2)'s "leave it alone" */

/* Checks an absolute path: begins with '/', no "", "." or ".." component, no '/' at the end, no control characters. */
const char *rule_path(const char *path);
/* The same, and "/" is fine too. */
const char *rule_path_or_root(const char *path);
/* Checks that each '[' of a glob has its ']'. */
const char *rule_glob(const char *glob);
/* Returns whether it is an image's name: [a-z0-9]+([._-][a-z0-9]+)*. */
bool rule_is_image_name(const char *name);
/* Returns whether it is a user's or group's name, as Debian's adduser and the useradd of all take some:
 * [A-Za-z_][A-Za-z0-9_.-]*, at most 32 ("Debian-exim", "_chrony"). */
bool rule_is_user_name(const char *name);
/* Returns whether it can be a package's name (Debian, RPM): letters, digits, "+._-", not first. */
bool rule_is_package_name(const char *name);
/* Returns whether it can be a word for packages to install: what a package manager takes besides names, too (versions, globs, what
 * packages provide): one line of at most 500 bytes that begins with a letter, a digit or one of "*?[/_^". */
bool rule_is_package_wish(const char *word);
/* Returns whether it can name an architecture: [a-z0-9][a-z0-9._/-]*. */
bool rule_is_arch_name(const char *name);
/* Returns whether the text has no control characters (and, with is_field, no ':', which would end a passwd field). */
bool rule_is_one_line(const char *string, bool is_field);
/* Returns whether it can name a variable of a shell: letters, digits and '_', no digit first. */
bool rule_is_variable(const char *name);
/* Parses a decimal user or group number of at most RULE_ID_MAX. */
bool rule_parse_id(const char *string, uint32_t *ret_id) MUST_CHECK;
/* Checks a port, "N" or "N/udp|tcp|sctp", and writes it with its protocol. */
const char *rule_port(struct arena *arena, const char *port, const char **ret_port);
/* Returns whether it is a signal's number (1 to 64) or name (SIGTERM, SIGRTMIN+3). */
bool rule_is_signal(const char *signal);
/* Checks a tag's template: OCI distribution-spec's tag grammar, with {placeholders}. */
const char *rule_tag(const char *tag);
/* Takes the next part off the front of a template: plain text, a {placeholder} (without its braces), or a brace that is
 * neither doubled nor part of one. "{{" and "}}" are the plain texts "{" and "}". */
enum rule_part { RULE_END, RULE_PLAIN, RULE_PLACEHOLDER, RULE_BROKEN };
enum rule_part rule_next_part(const char **at, struct text *ret_part);
/* The placeholders that exist, and their number. */
const char *const *rule_placeholders(size_t *ret_count);
/* Returns whether an annotation of the reserved prefix "org.opencontainers." is one that the image-spec
 * (annotations.md) knows. */
bool rule_is_annotation(const char *key);

#endif
