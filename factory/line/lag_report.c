/* SPDX-License-Identifier: Apache-2.0 */
#include "line/lag_report.h"

#include "base/auto.h"
#include "base/date.h"
#include "bill/record.h"
#include "line/together.h"

/* In exact parity rebuilds differ, which source versions do not tell. */
static bool is_of_sources(const struct lag *lag)
{
    const struct bill_package *first = lag->versions.items[0].package;
    for (size_t i = 1; i < lag->versions.count; i++) {
        const struct bill_package *package = lag->versions.items[i].package;
        if (!text_same(first->source_version, package->source_version) ||
            !text_same(first->source_package, package->source_package))
            return true;
    }
    return false;
}

/* The version in which they differ. */
static const char *version_of(const struct lag *lag, const struct bill_package *package)
{
    return is_of_sources(lag) && package->source_version ? package->source_version : package->version;
}

static const char *nights_of(struct arena *arena, const struct lag *lag)
{
    if (!lag->nights)
        return "";
    return arena_printf(arena, ", for %u night%s", lag->nights, lag->nights > 1 ? "s" : "");
}

const char *lag_report_line(struct arena *arena, const struct lag *lag)
{
    struct strings parts = {0};
    const char *named = lag->package;
    if (strcmp(lag->package, lag->source) != 0)
        named = arena_printf(arena, "%s (of %s)", lag->package, lag->source);
    for (size_t i = 0; i < lag->versions.count; i++) {
        const struct parity_version *version = &lag->versions.items[i];
        list_add(arena, &parts,
                 arena_printf(arena, "%s for %s", version_of(lag, version->package), version->arch->name));
    }
    return arena_printf(arena, "%s is %s%s%s", named, strings_join(arena, &parts, ", "),
                        lag->is_security ? ", a security update" : "", nights_of(arena, lag));
}

static void print_lag(FILE *out, const struct batch_image *image, const struct lag *lag)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fprintf(out, "%-7s %s  %s (source %s)%s%s\n",
                  lag->is_overdue    ? "OVERDUE"
                  : image->is_held   ? "HELD"
                  : image->is_common ? "COMMON"
                                     : "DIFFERS",
                  image->manifest->name, text_shown(&scratch, lag->package), text_shown(&scratch, lag->source),
                  lag->is_security ? ", a security update" : "", nights_of(&scratch, lag));
    for (size_t i = 0; i < lag->versions.count; i++) {
        const struct parity_version *version = &lag->versions.items[i];
        const char *repository = version->package->repository ? version->package->repository : "?";
        (void)fprintf(
            out, "        %-8s %s %s of %s, %s%s\n", version->arch->name, text_shown(&scratch, version->package->name),
            text_shown(&scratch, version->package->version), text_shown(&scratch, repository),
            version->date ? date_print(version->date).chars : "date not known", version->is_behind ? " (behind)" : "");
    }
}

void lag_report_print(FILE *out, const struct batch *batch)
{
    bool is_any = false;
    for (int is_overdue = 1; is_overdue >= 0; is_overdue--) {
        for (size_t i = 0; i < batch->count; i++) {
            const struct batch_image *image = &batch->images[i];
            for (size_t j = 0; j < image->lags.count; j++) {
                if (image->lags.items[j].is_overdue != is_overdue)
                    continue;
                print_lag(out, image, &image->lags.items[j]);
                is_any = true;
            }
            if (!is_overdue && image->is_held && !image->lags.count) {
                (void)fprintf(out, "%-7s %s  as its base %s is\n", "HELD", image->manifest->name,
                              image->base->manifest->name);
                is_any = true;
            }
        }
    }
    if (is_any)
        (void)fputc('\n', out);
}

static json_t *version_json(const struct parity_version *version)
{
    const struct bill_package *package = version->package;
    json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "arch", version->arch->name, "package",
                             record_text(package->name), "version", record_text(package->version), "source_package",
                             record_text(package->source_package), "source_version",
                             record_text(package->source_version), "repository", record_text(package->repository));
    json_object_set_new(json, "date", version->date ? json_integer((json_int_t)version->date) : json_null());
    json_object_set_new(json, "behind", json_boolean(version->is_behind));
    return json;
}

static json_t *lag_json(const struct lag *lag)
{
    json_t *versions = json_array();
    for (size_t i = 0; i < lag->versions.count; i++)
        json_array_append_new(versions, version_json(&lag->versions.items[i]));
    json_t *json = json_pack("{s:o, s:o, s:b, s:b}", "package", record_text(lag->package), "source",
                             record_text(lag->source), "security", lag->is_security, "overdue", lag->is_overdue);
    json_object_set_new(json, "nights", lag->nights ? json_integer((json_int_t)lag->nights) : json_null());
    json_object_set_new(json, "since", lag->since ? json_integer((json_int_t)lag->since) : json_null());
    json_object_set_new(json, "versions", versions);
    return json;
}

/* What could not be built, and went out otherwise. */
static json_t *missing_json(const struct batch_image *image)
{
    json_t *all = json_array();
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct image *made = image->made[i];
        if (image->jobs[i].is_good)
            continue;
        json_t *json = json_pack("{s:s}", "arch", image->arches[i]->name);
        json_object_set_new(json, "previous",
                            made ? json_sprintf("sha256:%s", digest_hex(&made->manifest.digest).chars) : json_null());
        json_array_append_new(all, json);
    }
    return all;
}

json_t *lag_report_json(const struct batch_image *image)
{
    json_t *lags = json_array();
    if (!image->is_compared && !image->is_partial) {
        json_decref(lags);
        return NULL;
    }
    for (size_t i = 0; i < image->lags.count; i++)
        json_array_append_new(lags, lag_json(&image->lags.items[i]));
    json_t *json = json_pack("{s:s, s:b, s:b, s:o}", "parity", together_parity_name(image->together.parity), "held",
                             image->is_held, "common", image->is_common, "differences", lags);
    if (image->is_partial)
        json_object_set_new(json, "missing", missing_json(image));
    if (image->base && image->base->is_held)
        json_object_set_new(json, "base", record_text(image->base->manifest->name));
    return json;
}

json_t *lag_report_overdue(const struct batch *batch)
{
    json_t *all = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        for (size_t j = 0; j < image->lags.count; j++) {
            if (!image->lags.items[j].is_overdue)
                continue;
            json_t *json = json_object();
            json_object_set_new(json, "image", record_text(image->manifest->name));
            json_t *lag = lag_json(&image->lags.items[j]);
            json_object_update(json, lag);
            json_decref(lag);
            json_array_append_new(all, json);
        }
    }
    if (json_array_size(all))
        return all;
    json_decref(all);
    return NULL;
}
