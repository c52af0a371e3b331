/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_triggers.h - private to rpm/: the scripts that rpm would run because packages come, beside the packages' own
 *
 * %triggerin and its kin wait for names, file triggers for the beginnings of paths; both of what the base has and of what
 * comes (rpm's lib/rpmtriggers.c, lib/psm.c). Where a trigger's version is told, only versions that meet it set it off.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_MALFORMED (headers that contradict themselves).
 */
#ifndef IMGFACTORY_RPM_RPM_TRIGGERS_H
#define IMGFACTORY_RPM_RPM_TRIGGERS_H

#include "base/map.h"
#include "rpm/rpm_header.h"

/* What sets triggers off. */
struct rpm_trigger_cause {
    const char *name, *evr;
    struct strings paths;
    bool is_removed; /* a former version, which goes; else it comes, or is there */
};

struct rpm_trigger_causes {
    struct {
        struct rpm_trigger_cause *items;
        size_t count, capacity;
    } packages;
    struct strings added, removed; /* all paths, sorted by rpm_triggers_settle() */
    struct map by_name;            /* name → the first of that name … */
};

struct rpm_triggers_request {
    const struct rpm_header *header; /* whose triggers are asked for */
    const struct rpm_trigger_causes *causes;
    /* Takes a script that would run: "triggerin", and its text with the program in its first line. */
    void (*take)(void *self, const char *kind, const char *text);
    void *self;
};

/* Sorts the paths; call it when all causes are there. */
void rpm_triggers_settle(struct arena *arena, struct rpm_trigger_causes *causes);
/* Calls take() for each script once. */
bool rpm_triggers_find(struct arena *arena, const struct rpm_triggers_request *request, struct err *err) MUST_CHECK;

#endif
