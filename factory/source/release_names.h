/* release_names.h - whether a repository is the one that was asked for, and the one that it was
 *
 * The keys that sign a suite sign others, too: with a Release of another suite under its URL a mirror could replace one
 * by the other. Like apt (Acquire::AllowReleaseInfoChange, apt-secure(8)) we remember what a repository calls itself.
 * Threads: any.
 * Fails with: ERR_TRUST, with the way to accept it.
 */
#ifndef IMGFACTORY_SOURCE_RELEASE_NAMES_H
#define IMGFACTORY_SOURCE_RELEASE_NAMES_H

#include "source/release_state.h"
#include "source/repomd.h"

/* What a Release calls itself, in the form in which it is remembered; in the arena. */
struct release_names release_names_of(struct arena *arena, const struct release *release);
/* The same of the tags of a repomd.xml: distro, its CPE names, content, repo. */
struct release_names release_names_of_tags(struct arena *arena, const struct repomd *repomd);
/* Compares with what was remembered; a difference is refused unless env->is_change_accepted. Nothing remembered (mark
 * NULL, or of an older version) is fine. `what` is "Release" or "repomd.xml", `uri` the mirror. */
bool release_names_check_same(const struct source_env *env, struct arena *arena, const struct repository *repository,
                              const struct dated *dated, const struct release_names *names,
                              const struct release_mark *mark, struct err *err) MUST_CHECK;
/* At first sight Suite or Codename must be what was asked for (or one of release-names, then always). Otherwise:
 * a warning for a third party's repository and with env->is_change_accepted, else refused. Flat repositories, and those
 * that have neither name, cannot be told. */
bool release_names_check_asked(const struct source_env *env, struct arena *arena, const struct release *release,
                               const struct release_mark *mark, struct err *err) MUST_CHECK;

#endif
