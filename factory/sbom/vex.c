/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/vex.h"

#include "bill/record.h"
#include "sbom/purl.h"
#include "sbom/sbom_print.h"
#include "sbom/vex_claims.h"

#include <stdlib.h>

/* --- claims --- */

static int compare_claims(const void *a, const void *b)
{
    const struct vex_claim *one = *(struct vex_claim *const *)a, *other = *(struct vex_claim *const *)b;
    int order = strcmp(one->cve, other->cve);
    if (order == 0)
        order = (int)one->status - (int)other->status;
    if (order == 0)
        order = strcmp(one->package, other->package);
    return order ? order : (one->platform > other->platform) - (one->platform < other->platform);
}

/* --- the document --- */

static const struct {
    const char *status, *justification, *text_key;
} words[] = {[VEX_FIXED] = {"fixed", NULL, "status_notes"},
             [VEX_NO_COMPONENT] = {"not_affected", "component_not_present", "impact_statement"},
             [VEX_AFFECTED] = {"affected", NULL, "action_statement"},
             [VEX_NO_CODE] = {"not_affected", "vulnerable_code_not_present", "impact_statement"}};

/* A run of claims with one CVE and one status. */
struct vex_run {
    struct vex_claim *const *items;
    size_t count;
};

static json_t *product(struct arena *arena, const struct vex_request *request, const struct digest *digest,
                       json_t *packages)
{
    struct digest_hex hex = digest_hex(digest);
    return json_pack("{s:s, s:{s:s}, s:{s:s}, s:o}", "@id", purl_of_digest(arena, request->name->name, digest),
                     "identifiers", "purl", purl_of_digest(arena, request->name->name, digest), "hashes", "sha-256",
                     hex.chars, "subcomponents", packages);
}

/* Finds a package that a platform lists, or selected; NULL: it has nothing to do with it. */
static const struct bill_package *find_package(const struct sbom *platform, const char *name)
{
    for (size_t i = 0; i < platform->packages.count; i++) {
        if (strcmp(platform->packages.items[i].from->name, name) == 0)
            return platform->packages.items[i].from;
    }
    return platform->bill ? bill_find_package(platform->bill, name) : NULL;
}

static void add_package(struct arena *arena, const struct sbom *platform, const char *name, json_t *packages)
{
    struct sbom_package package = sbom_package_of(arena, platform, find_package(platform, name));
    struct strings purls = purls_of_name(arena, platform, &package);
    for (size_t i = 0; i < purls.count; i++)
        json_array_append_new(packages, json_pack("{s:s}", "@id", purls.items[i]));
}

/* Returns whether each platform that has the package has the claim: then it holds of the index. */
static bool holds_everywhere(const struct vex_request *request, const struct vex_run *run, const char *package)
{
    for (size_t i = 0; i < request->count; i++) {
        bool is_claimed = false;
        for (size_t k = 0; k < run->count && !is_claimed; k++)
            is_claimed = run->items[k]->platform == i && strcmp(run->items[k]->package, package) == 0;
        if (!is_claimed && find_package(&request->platforms[i], package))
            return false;
    }
    return true;
}

static json_t *products_json(struct arena *arena, const struct vex_request *request, const struct vex_run *run)
{
    json_t *products = json_array(), *everywhere = json_array();
    for (size_t i = 0; i < run->count; i++) { /* they are sorted by package */
        const struct vex_claim *claim = run->items[i];
        if ((!i || strcmp(run->items[i - 1]->package, claim->package) != 0) &&
            holds_everywhere(request, run, claim->package))
            add_package(arena, &request->platforms[claim->platform], claim->package, everywhere);
    }
    if (request->image->is_index && json_array_size(everywhere))
        json_array_append_new(products, product(arena, request, &request->image->root.digest, json_incref(everywhere)));
    json_decref(everywhere);
    for (size_t i = 0; i < request->count; i++) {
        json_t *packages = json_array();
        for (size_t k = 0; k < run->count; k++) {
            if (run->items[k]->platform == i)
                add_package(arena, &request->platforms[i], run->items[k]->package, packages);
        }
        if (json_array_size(packages))
            json_array_append_new(products, product(arena, request, &request->platforms[i].manifest, packages));
        else
            json_decref(packages);
    }
    return products;
}

static json_t *statement_json(struct arena *arena, const struct vex_request *request, const struct vex_run *run)
{
    const struct vex_claim *first = run->items[0];
    struct strings texts = {0};
    for (size_t i = 0; i < run->count; i++) {
        if (!strings_has(&texts, run->items[i]->text))
            list_add(arena, &texts, run->items[i]->text);
    }
    json_t *statement = json_pack("{s:{s:s}, s:o, s:s}", "vulnerability", "name", first->cve, "products",
                                  products_json(arena, request, run), "status", words[first->status].status);
    if (words[first->status].justification)
        json_object_set_new(statement, "justification", json_string(words[first->status].justification));
    json_object_set_new(statement, words[first->status].text_key, record_text(strings_join(arena, &texts, " ")));
    return statement;
}

static json_t *statements_json(struct arena *arena, const struct vex_request *request, const struct vex_claims *claims)
{
    json_t *statements = json_array();
    struct vex_claim **items = claims->items.items;
    size_t end;
    for (size_t i = 0; i < claims->items.count; i = end) {
        for (end = i + 1; end < claims->items.count && strcmp(items[end]->cve, items[i]->cve) == 0 &&
                          items[end]->status == items[i]->status;)
            end++;
        const struct vex_run run = {items + i, end - i};
        json_array_append_new(statements, statement_json(arena, request, &run));
    }
    return statements;
}

/* The image's own time: of its newest platform. */
static const char *time_of(const struct vex_request *request)
{
    const char *newest = "1970-01-01T00:00:00Z";
    for (size_t i = 0; i < request->count; i++) {
        if (strcmp(request->platforms[i].created, newest) > 0)
            newest = request->platforms[i].created;
    }
    return newest;
}

const char *vex_id(struct arena *arena, const struct digest *image, const char *author)
{
    struct digest digest = digest_of(author ? author : "", author ? strlen(author) : 0);
    return arena_printf(arena, "urn:imgfactory:vex:%s%s%s", digest_hex(image).chars, author ? ":" : "",
                        author ? digest_hex(&digest).chars : "");
}

const char *vex_tooling(struct arena *arena, const struct vex_data *data)
{
    return arena_printf(arena, "imgfactory %s, of data sha256:%s", IMGFACTORY_VERSION, digest_hex(&data->digest).chars);
}

void vex_data_seal(struct vex_data *data, const struct digest *records)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, records->bytes, sizeof records->bytes);
    for (size_t i = 0; i < data->feeds.count; i++) {
        struct digest digest = digest_of(data->feeds.items[i].bytes.ptr, data->feeds.items[i].bytes.len);
        digest_feed(&stream, digest.bytes, sizeof digest.bytes);
    }
    data->digest = digest_end(&stream);
}

bool vex_print(struct arena *arena, const struct vex_request *request, struct buf *text, size_t *ret_count,
               struct err *err)
{
    struct vex_claims claims = {.arena = arena, .known = {.arena = arena}};
    if (!vex_claim_feeds(request, &claims, err) || !vex_claim_records(request, &claims, err))
        return false;
    if (claims.items.count)
        qsort(claims.items.items, claims.items.count, sizeof(struct vex_claim *), compare_claims);
    json_t *statements = statements_json(arena, request, &claims);
    *ret_count = json_array_size(statements);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "@context", VEX_CONTEXT, "@id",
                                 vex_id(arena, &request->image->root.digest, request->author), "author",
                                 request->author ? request->author : "imgfactory", "timestamp", time_of(request),
                                 "version", (json_int_t)request->formers + 1, "tooling",
                                 vex_tooling(arena, request->data), "statements", statements);
    if (!document || !sbom_put(text, document)) {
        err_set(err, ERR_MALFORMED, "%s: its VEX document would have more than %zu MB", request->name->name,
                VEX_MAX_BYTES >> 20);
        return false;
    }
    return true;
}
