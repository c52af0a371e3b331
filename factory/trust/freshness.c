/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/freshness.h"

#include <fnmatch.h>

#include "base/auto.h"
#include "base/date.h"
#include "source/source.h"

#define DAY_SECONDS INT64_C(86400)
#define MAX_AGE_DAYS_MAX 36500

#define THIRD_PARTY_DAYS 365u /* vendors publish when they have something */

static bool has_name(const struct freshness_subject *subject, const char *pattern)
{
    for (size_t i = 0; i < ARRAY_COUNT(subject->names); i++) {
        if (subject->names[i] && fnmatch(pattern, subject->names[i], FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

static bool fits(const struct freshness_rule *rule, const struct freshness_subject *subject)
{
    bool is_origin = !rule->origin || (subject->origin && fnmatch(rule->origin, subject->origin, 0) == 0);
    return is_origin && (!rule->name || has_name(subject, rule->name));
}

unsigned freshness_days(const struct repository *repository, const struct freshness_subject *subject)
{
    if (repository->is_optional)
        return THIRD_PARTY_DAYS;
    const struct freshness_rule *rule = subject->rules;
    while (!fits(rule, subject))
        rule++;
    return rule->days;
}

void freshness_warn(const struct source_env *env, const struct repository *repository,
                    const struct freshness_subject *subject)
{
    unsigned days = freshness_days(repository, subject);
    int64_t age_days = (env->now - subject->date) / DAY_SECONDS;
    if (!days || !subject->date || age_days < days || repository->max_age_days || repository->is_valid_until_ignored)
        return;
    AUTO(arena_done) struct arena scratch = {0};
    log_line(
        env->log, LOG_QUIET,
        "warning: %s: its %s is of %s, %lld days old; such a suite has a newer one within %u days as a rule: the "
        "mirror %s may stand still, somebody may replay old data, or this machine's clock (%s) is ahead (max-age in "
        "a source file sets another limit)",
        repository->name, subject->what, date_print(subject->date).chars, (long long)age_days, days,
        source_public_uri(&scratch, subject->uri), date_print(env->now).chars);
}

bool freshness_check_key(const struct yaml_node *node, uint64_t days, struct err *err)
{
    const struct yaml_node *key = yaml_get(node, "max-age");
    if (!key || (days >= 1 && days <= MAX_AGE_DAYS_MAX))
        return true;
    return yaml_fail(key, err, "max-age is a number of days from 1 to %d", MAX_AGE_DAYS_MAX);
}

bool freshness_check_age(const struct source_env *env, struct arena *arena, const struct repository *repository,
                         const struct dated *dated, struct err *err)
{
    int64_t age_days = (env->now - dated->date) / DAY_SECONDS;
    if (!repository->max_age_days || age_days < (int64_t)repository->max_age_days)
        return true;
    err_set(err, ERR_TRUST,
            "%s: its %s is dated %s, %lld days ago; max-age in %s allows %llu: the mirror %s is not updated any more, "
            "someone replays old data, or this machine's clock (%s) is ahead",
            repository->name, dated->what, date_print(dated->date).chars, (long long)age_days, repository->place,
            (unsigned long long)repository->max_age_days, source_public_uri(arena, dated->uri),
            date_print(env->now).chars);
    return false;
}
