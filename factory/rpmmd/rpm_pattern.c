/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_pattern.h"

#include "base/auto.h"

#include <fnmatch.h>

static const struct form {
    bool has_version, has_release, has_arch;
} forms[RPM_PATTERN_FORMS] = {
    {true, true, true}, {false, false, true}, {false, false, false}, {true, true, false}, {true, false, false}};

/* Cuts off what stands behind the last `separator`; NULL when there is none. */
static char *cut(char *text, char separator)
{
    char *at = strrchr(text, separator);
    if (!at || at == text || !at[1])
        return NULL;
    *at = '\0';
    return at + 1;
}

/* Cuts an epoch off the front of a text. */
static const char *cut_epoch(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    if (!digits || (*text)[digits] != ':')
        return NULL;
    char *epoch = (char *)*text; /* of the caller's copy */
    epoch[digits] = '\0';
    *text += digits + 1;
    return epoch;
}

bool rpm_pattern_read(struct arena *arena, const char *word, int form, struct rpm_pattern *ret_pattern)
{
    char *rest = arena_strdup(arena, word);
    struct rpm_pattern pattern = {.name = rest};
    if (forms[form].has_arch && (!(pattern.arch = cut(rest, '.')) || strchr(pattern.arch, '-')))
        return false;
    if (forms[form].has_release && !(pattern.release = cut(rest, '-')))
        return false;
    if (forms[form].has_version && !(pattern.version = cut(rest, '-')))
        return false;
    pattern.epoch = cut_epoch(&pattern.name);
    if (pattern.version && strchr(pattern.version, ':')) {
        char *colon = strchr(pattern.version, ':');
        *colon = '\0';
        pattern.epoch = pattern.version;
        pattern.version = colon + 1;
    }
    *ret_pattern = pattern;
    return pattern.name[0] != '\0';
}

static bool is_match(const char *pattern, const char *text)
{
    return !pattern || fnmatch(pattern, text, 0) == 0;
}

bool rpm_pattern_matches(const Pool *pool, const Solvable *item, const struct rpm_pattern *pattern)
{
    if (!is_match(pattern->name, pool_id2str(pool, item->name)) ||
        !is_match(pattern->arch, pool_id2str(pool, item->arch)))
        return false;
    if (!pattern->version && !pattern->epoch)
        return true;
    AUTO(arena_done) struct arena scratch = {0};
    char *evr = arena_strdup(&scratch, pool_id2str(pool, item->evr)), *release = cut(evr, '-');
    char *colon = strchr(evr, ':');
    if (colon)
        *colon = '\0';
    return is_match(pattern->epoch, colon ? evr : "0") && is_match(pattern->version, colon ? colon + 1 : evr) &&
           is_match(pattern->release, release ? release : "");
}
