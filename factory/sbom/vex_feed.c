/* SPDX-License-Identifier: Apache-2.0 */
/* What feeds say of the versions that an image has. */
#include "base/auto.h"
#include "rpmmd/updateinfo.h"
#include "sbom/vex_claims.h"
#include "source/format.h"

#include <ctype.h>

/* --- which feed it is --- */

static size_t skip_space(struct text bytes, size_t at)
{
    while (at < bytes.len && strchr(" \t\r\n", bytes.ptr[at]) && bytes.ptr[at])
        at++;
    return at;
}

/* Returns where a string ends, behind its closing quote; 0: it does not. */
static size_t skip_string(struct text bytes, size_t at)
{
    for (at++; at < bytes.len; at++) {
        if (bytes.ptr[at] == '\\')
            at++;
        else if (bytes.ptr[at] == '"')
            return at + 1;
    }
    return 0;
}

/* Returns where a value ends; 0: it does not. */
static size_t skip_value(struct text bytes, size_t at)
{
    size_t depth = 0;
    while (at < bytes.len) {
        char c = bytes.ptr[at];
        if (c == '"') {
            at = skip_string(bytes, at);
            if (!at)
                return 0;
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
            at++;
        } else if (!depth && (c == ',' || c == '}' || c == ']' || isspace((unsigned char)c))) {
            return at;
        } else {
            at++;
            continue;
        }
        if (!depth)
            return at;
    }
    return 0;
}

/* Finds the members of an object without making values of them: a tracker of 70 MB would take a gigabyte. */
static bool split_object(struct arena *arena, struct text bytes, size_t at, struct map *members)
{
    at = skip_space(bytes, at + 1);
    while (at < bytes.len && bytes.ptr[at] == '"') {
        size_t end = skip_string(bytes, at);
        if (!end)
            return false;
        struct text *value = arena_new(arena, struct text);
        const char *key = arena_strndup(arena, bytes.ptr + at + 1, end - at - 2);
        at = skip_space(bytes, end);
        if (at >= bytes.len || bytes.ptr[at] != ':')
            return false;
        at = skip_space(bytes, at + 1);
        end = skip_value(bytes, at);
        if (!end)
            return false;
        *value = (struct text){bytes.ptr + at, end - at};
        map_set(members, text_of(key), value);
        at = skip_space(bytes, end);
        if (at < bytes.len && bytes.ptr[at] == ',')
            at = skip_space(bytes, at + 1);
        else
            break;
    }
    return at < bytes.len && bytes.ptr[at] == '}' && skip_space(bytes, at + 1) == bytes.len;
}

static bool fail(const struct vex_feed *feed, struct err *err, const char *why)
{
    err_set(err, ERR_MALFORMED, "%s: %s", feed->name, why);
    return false;
}

/* The parser needs a hundredfold of "[{},{},…". */
static bool are_values_few(struct text bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.len; i++)
        count += bytes.ptr[i] == ',' || bytes.ptr[i] == '{' || bytes.ptr[i] == '[';
    return count <= VEX_VALUES_MAX;
}

static json_t *parse(const struct vex_feed *feed, struct text bytes, struct err *err)
{
    json_error_t fault;
    if (!are_values_few(bytes)) {
        (void)fail(feed, err, "more values than are read at once");
        return NULL;
    }
    json_t *json = json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, &fault);
    if (!json)
        err_set(err, ERR_MALFORMED, "%s: no JSON: %s", feed->name, fault.text);
    return json;
}

bool vex_feed_take(struct arena *arena, const char *name, struct text bytes, struct vex_feed *ret_feed, struct err *err)
{
    struct vex_feed *feed = ret_feed;
    size_t start = skip_space(bytes, 0);
    *feed = (struct vex_feed){.name = name, .bytes = bytes, .kind = VEX_OSV, .members = {.arena = arena}};
    char first = start < bytes.len ? bytes.ptr[start] : '\0';
    if (first == '<') {
        feed->kind = VEX_UPDATEINFO;
        return true;
    }
    if (first == '{' && !split_object(arena, bytes, start, &feed->members))
        return fail(feed, err, "it is cut, or no JSON");
    if (first == '[' || map_get(&feed->members, TEXT("vulns")) || map_get(&feed->members, TEXT("affected"))) {
        feed->json = parse(feed, bytes, err);
        return feed->json != NULL;
    }
    feed->kind = VEX_DEBIAN;
    return first == '{' ||
           fail(feed, err, "neither Debian's security tracker (JSON), nor OSV (JSON), nor updateinfo.xml");
}

void vex_feed_done(struct vex_feed *feed)
{
    json_decref(feed->json);
    feed->json = NULL;
}

/* --- versions --- */

/* What is told of one source package in one platform. */
struct feed_look {
    const struct vex_request *request;
    struct vex_claims *claims;
    size_t platform;
    const struct sbom_package *package;
    bool is_absent; /* nothing of it is in the image */
};

/* A word of a feed, as a document may have it. */
static const char *clean(const struct feed_look *look, const char *word)
{
    return text_printable(look->claims->arena, text_of(word));
}

/* The installed version of a source, with its epoch; feeds compare that. */
static const char *source_version(const struct sbom_package *package)
{
    const struct bill_package *from = package->from;
    return from->source_version ? from->source_version : from->version;
}

static void claim(const struct feed_look *look, const char *cve, enum vex_status status, const char *text)
{
    vex_claim_add(look->claims, (struct vex_claim){.cve = arena_strdup(look->claims->arena, cve),
                                                   .package = look->package->from->name,
                                                   .platform = look->platform,
                                                   .status = status,
                                                   .text = text});
}

/* Claims by the version that mends it: NULL: there is none yet. */
static void claim_version(const struct feed_look *look, const char *cve, const char *fixed, const char *why)
{
    const struct sbom_package *package = look->package;
    struct arena *arena = look->claims->arena;
    bool is_fixed = fixed && package->format->compare_versions(source_version(package), fixed) >= 0;
    if (look->is_absent && !is_fixed)
        claim(
            look, cve, VEX_NO_COMPONENT,
            arena_printf(arena, "%s was installed to select by; no file of it is in this image.", package->from->name));
    if (look->is_absent)
        return;
    if (is_fixed)
        claim(look, cve, VEX_FIXED,
              arena_printf(arena, "%s has it mended since %s.", package->source_name, clean(look, fixed)));
    else if (fixed)
        claim(look, cve, VEX_AFFECTED,
              arena_printf(arena, "Update %s to %s.", package->source_name, clean(look, fixed)));
    else
        claim(look, cve, VEX_AFFECTED,
              arena_printf(arena, "No version of %s mends it%s%s.", package->source_name, why ? ": " : "",
                           why ? clean(look, why) : ""));
}

/* --- Debian's tracker --- */

/* A release is "undetermined" until somebody looked; a fixed version of "0" says that it never had the defect: the tracker's
 * word, which scanners know themselves. Nothing is claimed of either. */
static void look_debian_entry(const struct feed_look *look, const char *cve, const json_t *entry)
{
    const struct sbom *sbom = &look->request->platforms[look->platform];
    const json_t *release = json_object_get(json_object_get(entry, "releases"), sbom->os_codename);
    const char *status = json_string_value(json_object_get(release, "status"));
    const char *fixed = json_string_value(json_object_get(release, "fixed_version"));
    const char *why = json_string_value(json_object_get(release, "nodsa_reason"));
    if (!status || !vex_is_cve(cve) || (fixed && strcmp(fixed, "0") == 0))
        return;
    if (strcmp(status, "open") == 0 || (strcmp(status, "resolved") == 0 && fixed))
        claim_version(look, cve, fixed, why);
}

static bool look_debian(const struct feed_look *look, const struct vex_feed *feed, struct err *err)
{
    const struct sbom *sbom = &look->request->platforms[look->platform];
    const struct text *entries = map_get(&feed->members, text_of(look->package->source_name));
    const char *cve;
    json_t *entry;
    if (!entries || strcmp(sbom->os_id, "debian") != 0 || !*sbom->os_codename)
        return true;
    json_auto_t *json = parse(feed, *entries, err);
    if (!json)
        return false;
    json_object_foreach(json, cve, entry) look_debian_entry(look, cve, entry);
    return true;
}

/* --- OSV --- */

/* "Debian:12" of os-release's ID debian and VERSION_ID 12; of the others the major version counts. */
static bool is_ecosystem(const struct sbom *sbom, const char *ecosystem)
{
    static const struct {
        const char *name, *id;
    } known[] = {{"Debian", "debian"}, {"Ubuntu", "ubuntu"}, {"Rocky Linux", "rocky"}, {"AlmaLinux", "almalinux"}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        size_t len = strlen(known[i].name), version_len = strcspn(sbom->os_version, "."), told_len;
        if (strcmp(sbom->os_id, known[i].id) != 0 || strncmp(ecosystem, known[i].name, len) != 0 ||
            ecosystem[len] != ':')
            continue;
        if (strcmp(known[i].id, "ubuntu") == 0)
            version_len = strlen(sbom->os_version);
        told_len = strcspn(ecosystem + len + 1, ":");
        return version_len == told_len && strncmp(ecosystem + len + 1, sbom->os_version, told_len) == 0;
    }
    return false;
}

/* Looks which range holds the version: introduced in one that is not newer, and not mended before. *ret_fixed is the version that
 * ends it, or NULL. False: none says anything of it. */
static bool find_range(const struct feed_look *look, const json_t *ranges, const char **ret_fixed)
{
    const char *version = source_version(look->package);
    const json_t *range, *event;
    size_t i, k;
    bool is_told = false;
    json_array_foreach(ranges, i, range)
    {
        const char *type = json_string_value(json_object_get(range, "type"));
        bool is_begun = false;
        if (!type || strcmp(type, "ECOSYSTEM") != 0)
            continue;
        json_array_foreach(json_object_get(range, "events"), k, event)
        {
            const char *introduced = json_string_value(json_object_get(event, "introduced"));
            const char *fixed = json_string_value(json_object_get(event, "fixed"));
            if (json_object_get(event, "last_affected") || json_object_get(event, "limit"))
                return false; /* what it says of later versions is nobody's fix */
            if (introduced)
                is_begun =
                    strcmp(introduced, "0") == 0 || look->package->format->compare_versions(version, introduced) >= 0;
            else if (fixed && is_begun) {
                *ret_fixed = fixed;
                is_told = true;
                is_begun = look->package->format->compare_versions(version, fixed) < 0;
                if (is_begun)
                    return true;
            }
        }
        if (is_begun) {
            *ret_fixed = NULL;
            return true;
        }
    }
    return is_told;
}

/* The CVEs that an entry is: its own name, or what it calls so. */
static struct strings cves_of(struct arena *arena, const json_t *entry)
{
    static const char *const keys[] = {"aliases", "upstream"};
    struct strings cves = {0};
    const char *id = json_string_value(json_object_get(entry, "id"));
    if (id && vex_is_cve(id)) {
        list_add(arena, &cves, id);
        return cves;
    }
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const json_t *alias;
        size_t k;
        json_array_foreach(json_object_get(entry, keys[i]), k, alias)
        {
            const char *name = json_string_value(alias);
            if (name && vex_is_cve(name) && !strings_has(&cves, name))
                list_add(arena, &cves, name);
        }
    }
    return cves;
}

static void look_osv_entry(const struct feed_look *look, const json_t *entry)
{
    const struct sbom *sbom = &look->request->platforms[look->platform];
    const json_t *affected;
    size_t i;
    if (json_object_get(entry, "withdrawn"))
        return;
    json_array_foreach(json_object_get(entry, "affected"), i, affected)
    {
        const json_t *package = json_object_get(affected, "package");
        const char *ecosystem = json_string_value(json_object_get(package, "ecosystem"));
        const char *name = json_string_value(json_object_get(package, "name")), *fixed = NULL;
        bool is_apart = look->package->format->purl.source_ending != NULL; /* RPM's are told by the binary package */
        if (!ecosystem || !name || !is_ecosystem(sbom, ecosystem) ||
            strcmp(name, is_apart ? look->package->from->name : look->package->source_name) != 0 ||
            !find_range(look, json_object_get(affected, "ranges"), &fixed))
            continue;
        struct strings cves = cves_of(look->claims->arena, entry);
        for (size_t k = 0; k < cves.count; k++)
            claim_version(look, cves.items[k], fixed, NULL);
    }
}

static void look_osv(const struct feed_look *look, const struct vex_feed *feed)
{
    const json_t *list = json_is_array(feed->json) ? feed->json : json_object_get(feed->json, "vulns"), *entry;
    size_t i;
    if (!list)
        look_osv_entry(look, feed->json);
    json_array_foreach(list, i, entry) look_osv_entry(look, entry);
}

/* --- updateinfo.xml --- */

/* A reading of the advisories that are not newer than what is installed, or of those that are. */
struct advisory_reading {
    const struct vex_request *request;
    struct vex_claims *claims;
    size_t platform;
    enum vex_status status;
};

/* Finds the CVEs of an advisory: references, and, of Fedora, words of its title. */
static struct strings cves_of_advisory(struct arena *arena, const struct advisory *advisory)
{
    struct strings cves = {0};
    for (size_t i = 0; i < advisory->references.count; i++) {
        if (vex_is_cve(advisory->references.items[i]) && !strings_has(&cves, advisory->references.items[i]))
            list_add(arena, &cves, arena_strdup(arena, advisory->references.items[i]));
    }
    for (const char *at = advisory->title; at && (at = strstr(at, "CVE-")) != NULL; at += 4) {
        const char *cve = arena_strndup(arena, at, 4 + strspn(at + 4, "0123456789-"));
        if (vex_is_cve(cve) && !strings_has(&cves, cve))
            list_add(arena, &cves, cve);
    }
    return cves;
}

static bool take_advisory(void *user, const struct advisory *advisory, struct err *err)
{
    const struct advisory_reading *reading = user;
    struct arena *arena = reading->claims->arena;
    if (!advisory->kind || strcmp(advisory->kind, "security") != 0)
        return true;
    struct strings cves = cves_of_advisory(arena, advisory);
    const char *id = advisory->id ? text_printable(arena, text_of(advisory->id)) : "an advisory";
    for (size_t i = 0; i < cves.count; i++) {
        for (size_t k = 0; k < advisory->packages.count; k++)
            vex_claim_add(reading->claims,
                          (struct vex_claim){.cve = cves.items[i],
                                             .package = arena_strdup(arena, advisory->packages.items[k]),
                                             .platform = reading->platform,
                                             .status = reading->status,
                                             .text = reading->status == VEX_FIXED
                                                         ? arena_printf(arena, "Mended by %s.", id)
                                                         : arena_printf(arena, "Update as %s says.", id)});
    }
    if (reading->claims->items.count <= VEX_CLAIMS_MAX)
        return true;
    err_set(err, ERR_MALFORMED, "more than %zu statements", VEX_CLAIMS_MAX);
    return false;
}

/* Reads it twice: what is mended up to the installed version, and what only later. */
static bool look_updateinfo(const struct vex_request *request, struct vex_claims *claims, size_t platform,
                            const struct vex_feed *feed, struct err *err)
{
    static const char *const newest = "2147483647:~";
    const struct sbom *sbom = &request->platforms[platform];
    for (int is_later = 0; is_later < 2; is_later++) {
        AUTO(arena_done) struct arena arena = {0};
        struct map wanted = {.arena = &arena};
        struct advisory_reading reading = {request, claims, platform, is_later ? VEX_AFFECTED : VEX_FIXED};
        for (size_t i = 0; i < sbom->packages.count; i++) {
            const struct sbom_package *package = &sbom->packages.items[i];
            if (!package->format || !package->format->advisories || strstr(package->from->version, ".module"))
                continue; /* of a module's streams the newer is not the one that mends the older */
            struct advisory_package *asked = arena_new(&arena, struct advisory_package);
            *asked = (struct advisory_package){package->from->name, is_later ? package->from->version : "",
                                               is_later ? newest : package->from->version};
            map_set(&wanted, text_of(asked->name), asked);
        }
        const struct updateinfo info = {feed->name, &wanted, take_advisory, &reading};
        if (!updateinfo_read(&info, COMPRESSION_NONE, feed->bytes, err))
            return false;
    }
    return true;
}

/* --- all feeds --- */

static bool look_package(const struct feed_look *look, const struct vex_feed *feed, struct err *err)
{
    if (!look->package->format || !look->package->source_name)
        return true;
    if (feed->kind == VEX_OSV)
        look_osv(look, feed);
    else if (!look_debian(look, feed, err))
        return false;
    if (look->claims->items.count <= VEX_CLAIMS_MAX)
        return true;
    err_set(err, ERR_MALFORMED, "%s: more than %zu statements", feed->name, VEX_CLAIMS_MAX);
    return false;
}

/* Looks for packages that were selected and gave nothing. */
static bool look_absent(const struct vex_request *request, struct vex_claims *claims, size_t platform,
                        const struct vex_feed *feed, struct err *err)
{
    const struct sbom *sbom = &request->platforms[platform];
    for (size_t i = 0; sbom->bill && i < sbom->bill->packages.count; i++) {
        if (sbom->bill->packages.items[i].has_given)
            continue;
        const struct sbom_package package = sbom_package_of(claims->arena, sbom, &sbom->bill->packages.items[i]);
        const struct feed_look look = {request, claims, platform, &package, true};
        if (vex_is_absent(sbom, &package) && !look_package(&look, feed, err))
            return false;
    }
    return true;
}

static bool look_platform(const struct vex_request *request, struct vex_claims *claims, size_t platform,
                          const struct vex_feed *feed, struct err *err)
{
    const struct sbom *sbom = &request->platforms[platform];
    if (feed->kind == VEX_UPDATEINFO)
        return look_updateinfo(request, claims, platform, feed, err);
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct feed_look look = {request, claims, platform, &sbom->packages.items[i], false};
        if (!look_package(&look, feed, err))
            return false;
    }
    return look_absent(request, claims, platform, feed, err);
}

bool vex_claim_feeds(const struct vex_request *request, struct vex_claims *claims, struct err *err)
{
    for (size_t i = 0; i < request->count; i++) {
        for (size_t k = 0; k < request->data->feeds.count; k++) {
            if (!look_platform(request, claims, i, &request->data->feeds.items[k], err))
                return false;
        }
    }
    return true;
}
