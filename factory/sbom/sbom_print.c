/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom_print.h"

#include "base/auto.h"
#include "bill/record.h"

static int add_bytes(const char *bytes, size_t len, void *text)
{
    return buf_add(text, bytes, len) ? 0 : -1;
}

bool sbom_put(struct buf *text, json_t *value)
{
    bool is_good = json_dump_callback(value, add_bytes, text, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    json_decref(value);
    return is_good;
}

bool sbom_put_inside(struct buf *text, const char *string)
{
    bool is_plain = true;
    for (const char *c = string; *c && is_plain; c++)
        is_plain = *c >= ' ' && *c <= '~' && *c != '"' && *c != '\\';
    if (is_plain)
        return buf_add(text, string, strlen(string));
    AUTO(buf_done) struct buf quoted;
    buf_init(&quoted, SBOM_MAX_BYTES);
    return sbom_put(&quoted, record_text(string)) && buf_add(text, quoted.bytes + 1, quoted.len - 2);
}

bool sbom_put_item(struct buf *list, json_t *value)
{
    if (!list->len || buf_add(list, ",", 1))
        return sbom_put(list, value);
    json_decref(value);
    return false;
}

bool sbom_put_open(struct buf *text, json_t *object)
{
    if (!sbom_put(text, object))
        return false;
    text->bytes[--text->len] = '\0';
    return true;
}

bool sbom_put_list(struct buf *text, const char *name, const struct buf *list)
{
    return buf_printf(text, ",\"%s\":[", name) && buf_add(text, buf_text(list).ptr, list->len) && buf_add(text, "]", 1);
}

const struct bill_repository *sbom_repository_of(const struct sbom *sbom, const struct sbom_package *package)
{
    const struct bill_source *source = sbom->bill ? sbom->bill->source : NULL;
    for (size_t i = 0; source && package->from->repository && i < source->repositories.count; i++) {
        if (strcmp(source->repositories.items[i].name, package->from->repository) == 0)
            return &source->repositories.items[i];
    }
    return NULL;
}

const char *sbom_url(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://", "file://"};
    for (const char *c = url ? url : ""; *c; c++) {
        if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}", *c))
            return NULL;
    }
    for (size_t i = 0; url && i < ARRAY_COUNT(schemes); i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url;
    }
    return NULL;
}
