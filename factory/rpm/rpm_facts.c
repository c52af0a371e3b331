/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_facts.h"

#include "rpm/rpm_tags.h"

#include <inttypes.h>

#define TAG_NAME 1000u
#define TAG_VERSION 1001u
#define TAG_RELEASE 1002u
#define TAG_EPOCH 1003u
#define TAG_BUILDTIME 1006u
#define TAG_SIZE 1009u
#define TAG_VENDOR 1011u
#define TAG_ARCH 1022u
#define TAG_PREIN 1023u
#define TAG_POSTIN 1024u
#define TAG_TRIGGERNAME 1066u
#define TAG_PREINPROG 1085u
#define TAG_POSTINPROG 1086u
#define TAG_SOURCEPACKAGE 1106u
#define TAG_PRETRANS 1151u
#define TAG_POSTTRANS 1152u
#define TAG_PRETRANSPROG 1153u
#define TAG_POSTTRANSPROG 1154u
#define TAG_LONGSIZE 5009u
#define TAG_FILETRIGGERNAME 5069u
#define TAG_TRANSFILETRIGGERNAME 5079u

static void add_fact(struct arena *arena, struct package *package, const char *name, const char *text)
{
    struct package_fact fact = {name, text};
    if (text)
        list_add(arena, &package->facts, fact);
}

static bool need_string(const struct rpm_header *header, uint32_t tag, const char *name, const char **ret_string,
                        struct err *err)
{
    if (!rpm_header_string(header, tag, ret_string, err))
        return false;
    if (*ret_string && **ret_string)
        return true;
    err_set(err, ERR_MALFORMED, "not a valid RPM package: its header has no %s", name);
    return false;
}

static bool read_identity(struct arena *arena, const struct rpm_header *header, struct package *package,
                          struct err *err)
{
    const char *version, *release;
    uint64_t epoch;
    if (rpm_header_has(header, TAG_SOURCEPACKAGE)) {
        err_set(err, ERR_MALFORMED, "a source package, where a binary one should be");
        return false;
    }
    if (!need_string(header, TAG_NAME, "NAME", &package->name, err) ||
        !need_string(header, TAG_VERSION, "VERSION", &version, err) ||
        !need_string(header, TAG_RELEASE, "RELEASE", &release, err) ||
        !need_string(header, TAG_ARCH, "ARCH", &package->architecture, err) ||
        !rpm_header_number(header, TAG_EPOCH, 0, &epoch, err))
        return false;
    if (rpm_header_has(header, TAG_EPOCH))
        add_fact(arena, package, RPM_EPOCH, arena_printf(arena, "%" PRIu64, epoch));
    add_fact(arena, package, RPM_VERSION, version);
    add_fact(arena, package, RPM_RELEASE, release);
    package->version = epoch ? arena_printf(arena, "%" PRIu64 ":%s-%s", epoch, version, release)
                             : arena_printf(arena, "%s-%s", version, release);
    return true;
}

static bool read_details(struct arena *arena, const struct rpm_header *header, struct package *package, struct err *err)
{
    const char *source, *vendor, *license;
    uint64_t build_time, size;
    if (!rpm_header_string(header, RPM_TAG_SOURCERPM, &source, err) ||
        !rpm_header_string(header, TAG_VENDOR, &vendor, err) ||
        !rpm_header_string(header, RPM_TAG_LICENSE, &license, err) ||
        !rpm_header_number(header, TAG_BUILDTIME, 0, &build_time, err) ||
        !rpm_header_number(header, TAG_SIZE, 0, &size, err) ||
        !rpm_header_number(header, TAG_LONGSIZE, size, &size, err))
        return false;
    if (build_time > INT64_MAX) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: its build time is beyond all times");
        return false;
    }
    package->build_time = (int64_t)build_time;
    add_fact(arena, package, RPM_SOURCE, source);
    add_fact(arena, package, RPM_VENDOR, vendor);
    add_fact(arena, package, RPM_LICENSE, license);
    add_fact(arena, package, RPM_SIZE, arena_printf(arena, "%" PRIu64, size));
    return true;
}

/* A scriptlet as a file would hold it: "#!PROGRAM ARGUMENTS", and the text, which may be missing (%post -p). */
static bool add_scriptlet(struct arena *arena, const struct rpm_header *header, struct package *package,
                          const char *name, uint32_t tag, uint32_t program_tag, struct err *err)
{
    const char *text;
    struct strings program;
    if (!rpm_header_string(header, tag, &text, err) || !rpm_header_strings(arena, header, program_tag, &program, err))
        return false;
    if (!text && !program.count)
        return true;
    const char *shell = program.count ? strings_join(arena, &program, " ") : "/bin/sh";
    struct package_script script = {name, arena_printf(arena, "#!%s\n%s", shell, text ? text : "")};
    list_add(arena, &package->scripts, script);
    return true;
}

/* The names that triggers wait for, a line each, each once. */
static bool add_triggers(struct arena *arena, const struct rpm_header *header, struct package *package,
                         const char *name, uint32_t tag, struct err *err)
{
    struct strings all, each = {0};
    if (!rpm_header_strings(arena, header, tag, &all, err))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        if (i == 0 || strcmp(all.items[i - 1], all.items[i]) != 0)
            list_add(arena, &each, all.items[i]);
    }
    if (!each.count)
        return true;
    struct package_script script = {name, strings_join(arena, &each, "\n")};
    list_add(arena, &package->scripts, script);
    return true;
}

static bool read_scripts(struct arena *arena, const struct rpm_header *header, struct package *package, struct err *err)
{
    static const struct {
        const char *name;
        uint32_t tag, program;
    } scriptlets[] = {{"pretrans", TAG_PRETRANS, TAG_PRETRANSPROG},
                      {"prein", TAG_PREIN, TAG_PREINPROG},
                      {"postin", TAG_POSTIN, TAG_POSTINPROG},
                      {"posttrans", TAG_POSTTRANS, TAG_POSTTRANSPROG}},
      triggers[] = {{"triggers", TAG_TRIGGERNAME, 0},
                    {"filetriggers", TAG_FILETRIGGERNAME, 0},
                    {"transfiletriggers", TAG_TRANSFILETRIGGERNAME, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(scriptlets); i++) {
        if (!add_scriptlet(arena, header, package, scriptlets[i].name, scriptlets[i].tag, scriptlets[i].program, err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(triggers); i++) {
        if (!add_triggers(arena, header, package, triggers[i].name, triggers[i].tag, err))
            return false;
    }
    return true;
}

bool rpm_facts_read(struct arena *arena, const struct rpm_header *header, struct package *package, struct err *err)
{
    return read_identity(arena, header, package, err) && read_details(arena, header, package, err) &&
           read_scripts(arena, header, package, err);
}
