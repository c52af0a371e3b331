/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/bill.h"

#include "base/auto.h"
#include "package/path.h"

#include <stddef.h>

static const char *const kinds[] = {[NODE_DIRECTORY] = "directory",
                                    [NODE_FILE] = "file",
                                    [NODE_SYMLINK] = "symlink",
                                    [NODE_HARDLINK] = "hardlink",
                                    NULL};

/* A chunked layer reads back as one of zstd with a table of contents, which is what documents say of it. */
static const char *const media_types[] = {[LAYER_ZSTD] = OCI_MEDIA_LAYER "+zstd",
                                          [LAYER_GZIP] = OCI_MEDIA_LAYER "+gzip",
                                          [LAYER_CHUNKED] = OCI_MEDIA_LAYER "+zstd",
                                          NULL};

static const struct record_field package_fields[] = {
    RECORD_FIELD(bill_package, RECORD_TEXT, "name", name),
    RECORD_FIELD(bill_package, RECORD_TEXT, "version", version),
    RECORD_FIELD(bill_package, RECORD_TEXT, "architecture", architecture),
    RECORD_FIELD(bill_package, RECORD_U64, "size", size_bytes),
    RECORD_FIELD(bill_package, RECORD_SHA256, "digest", digest),
    RECORD_FIELD(bill_package, RECORD_TEXT, "url", url),
    RECORD_FIELD(bill_package, RECORD_MAYBE_TEXT, "repository", repository),
    RECORD_FIELD(bill_package, RECORD_FLAG, "gave_files", has_given),
    RECORD_FIELD(bill_package, RECORD_MAYBE_TEXT, "source_package", source_package),
    RECORD_FIELD(bill_package, RECORD_MAYBE_TEXT, "source_version", source_version),
    RECORD_FIELD(bill_package, RECORD_MAYBE_TEXT, "license", license),
};
static const struct record_table package_table = RECORD_TABLE(bill_package, package_fields);

static const struct record_field file_fields[] = {
    RECORD_FIELD(bill_file, RECORD_TEXT, "path", path),
    RECORD_FIELD(bill_file, RECORD_MAYBE_TEXT, "package", package),
    RECORD_FIELD(bill_file, RECORD_MAYBE_TEXT, "why", why),
    RECORD_FIELD(bill_file, RECORD_MAYBE_TEXT, "by", by),
    RECORD_ONE_OF(bill_file, "kind", kind, kinds),
    RECORD_FIELD(bill_file, RECORD_MODE, "mode", mode),
    RECORD_FIELD(bill_file, RECORD_U32, "uid", uid),
    RECORD_FIELD(bill_file, RECORD_U32, "gid", gid),
    RECORD_FIELD(bill_file, RECORD_U64, "size", size_bytes),
    RECORD_FIELD(bill_file, RECORD_MAYBE_SHA256, "digest", digest),
    RECORD_FIELD(bill_file, RECORD_MAYBE_TEXT, "target", target),
    RECORD_FIELD(bill_file, RECORD_MAYBE_TEXT, "capability", capability),
};
static const struct record_table file_table = RECORD_TABLE(bill_file, file_fields);

static const struct record_field soname_fields[] = {
    RECORD_FIELD(bill_soname, RECORD_TEXT, "path", path),
    RECORD_FIELD(bill_soname, RECORD_TEXT, "soname", soname),
};
static const struct record_table soname_table = RECORD_TABLE(bill_soname, soname_fields);

static const struct record_field choice_fields[] = {
    RECORD_FIELD(bill_choice, RECORD_TEXT, "path", path),
    RECORD_FIELD(bill_choice, RECORD_TEXT, "package", package),
    RECORD_FIELD(bill_choice, RECORD_TEXT, "why", why),
    RECORD_FIELD(bill_choice, RECORD_TEXTS, "others", others),
};
static const struct record_table choice_table = RECORD_TABLE(bill_choice, choice_fields);

static const char *const wish_kinds[] = {[BILL_BINARY] = "binary",       [BILL_FILE] = "file",
                                         [BILL_PACKAGE] = "package",     [BILL_MADE_DIRECTORY] = "made directory",
                                         [BILL_MADE_FILE] = "made file", [BILL_MADE_SYMLINK] = "made symlink",
                                         [BILL_USER] = "user",           [BILL_GROUP] = "group",
                                         [BILL_VARIABLE] = "variable",   NULL};

static const struct record_field wish_fields[] = {
    RECORD_ONE_OF(bill_wish, "kind", kind, wish_kinds),
    RECORD_FIELD(bill_wish, RECORD_TEXT, "name", name),
    RECORD_FIELD(bill_wish, RECORD_TEXTS, "from", from),
    RECORD_FIELD(bill_wish, RECORD_TEXT, "by", by),
};
static const struct record_table wish_table = RECORD_TABLE(bill_wish, wish_fields);

static const struct record_field layer_fields[] = {
    RECORD_ONE_OF(bill_layer, "media_type", layer.compression, media_types),
    RECORD_FIELD(bill_layer, RECORD_SHA256, "digest", layer.digest),
    RECORD_FIELD(bill_layer, RECORD_SHA256, "diff_id", layer.diff_id),
    RECORD_FIELD(bill_layer, RECORD_U64, "compressed_bytes", layer.size_bytes),
    RECORD_FIELD(bill_layer, RECORD_U64, "tar_bytes", layer.tar_bytes),
    RECORD_FIELD(bill_layer, RECORD_MAYBE_SHA256, "toc", layer.toc.digest),
    RECORD_FIELD(bill_layer, RECORD_U64, "toc_offset", layer.toc.offset),
    RECORD_FIELD(bill_layer, RECORD_U64, "toc_bytes", layer.toc.packed_bytes),
    RECORD_FIELD(bill_layer, RECORD_U64, "toc_plain_bytes", layer.toc.plain_bytes),
    RECORD_FIELD(bill_layer, RECORD_U64, "split_offset", layer.toc.split_offset),
    RECORD_FIELD(bill_layer, RECORD_U64, "split_bytes", layer.toc.split_packed_bytes),
    RECORD_FIELD(bill_layer, RECORD_U64, "split_plain_bytes", layer.toc.split_plain_bytes),
    RECORD_FIELD(bill_layer, RECORD_TEXT, "encoder", encoder),
    RECORD_FIELD(bill_layer, RECORD_SHA256, "encoder_code", encoder_code),
};
static const struct record_table layer_table = RECORD_TABLE(bill_layer, layer_fields);

static const struct record_field proof_fields[] = {
    RECORD_FIELD(bill_proof, RECORD_U64, "files", file_count),
    RECORD_FIELD(bill_proof, RECORD_U64, "symbols", symbol_count),
    RECORD_FIELD(bill_proof, RECORD_TEXTS, "notes", notes),
};
static const struct record_table proof_table = RECORD_TABLE(bill_proof, proof_fields);

static const struct record_field opener_fields[] = {
    RECORD_FIELD(opener, RECORD_TEXT, "path", path),
    RECORD_FIELD(opener, RECORD_TEXTS, "absent", absent),
    RECORD_FIELD(opener, RECORD_MAYBE_TEXT, "feature", feature),
};
static const struct record_table opener_table = RECORD_TABLE(opener, opener_fields);

static const struct record_field index_fields[] = {
    RECORD_FIELD(bill_index, RECORD_TEXT, "path", path),
    RECORD_FIELD(bill_index, RECORD_TEXT, "checksum", checksum),
    RECORD_FIELD(bill_index, RECORD_U64, "size", size_bytes),
};
static const struct record_table index_table = RECORD_TABLE(bill_index, index_fields);

static const struct record_field absent_fields[] = {
    RECORD_FIELD(bill_absent, RECORD_TEXT, "place", place),
    RECORD_FIELD(bill_absent, RECORD_TEXT, "suite", suite),
};
static const struct record_table absent_table = RECORD_TABLE(bill_absent, absent_fields);

static const struct record_field repository_fields[] = {
    RECORD_FIELD(bill_repository, RECORD_TEXT, "name", name),
    RECORD_FIELD(bill_repository, RECORD_TEXT, "uri", uri),
    RECORD_FIELD(bill_repository, RECORD_I64, "date", date),
    RECORD_FIELD(bill_repository, RECORD_SHA256, "digest", digest),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "codename", codename),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "signed_by", signed_by),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "place", place),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "suite", suite),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "from", from),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "distribution", distribution),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_TEXT, "version", version),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_SHA256, "file", file),
    RECORD_FIELD(bill_repository, RECORD_MAYBE_SHA256, "signature", signature),
    RECORD_FIELD(bill_repository, RECORD_FLAG, "bare", is_bare),
    RECORD_FIELD(bill_repository, RECORD_FLAG, "extra", is_extra),
    RECORD_FIELD(bill_repository, RECORD_FLAG, "stand_in", is_stand_in),
    RECORD_OF(bill_repository, RECORD_LIST, "indices", indices, index_table),
};
static const struct record_table repository_table = RECORD_TABLE(bill_repository, repository_fields);

static const struct record_field source_fields[] = {
    RECORD_FIELD(bill_source, RECORD_TEXT, "name", name),
    RECORD_OF(bill_source, RECORD_LIST, "repositories", repositories, repository_table),
    RECORD_FIELD(bill_source, RECORD_TEXTS, "trusted", trusted),
    RECORD_FIELD(bill_source, RECORD_TEXTS, "left_out", left_out),
    RECORD_OF(bill_source, RECORD_LIST, "absent", absent, absent_table),
};
static const struct record_table source_table = RECORD_TABLE(bill_source, source_fields);

static const struct record_field base_fields[] = {
    RECORD_FIELD(bill_base, RECORD_TEXT, "name", name),
    RECORD_FIELD(bill_base, RECORD_MAYBE_TEXT, "written", written),
    RECORD_FIELD(bill_base, RECORD_SHA256, "digest", digest),
    RECORD_FIELD(bill_base, RECORD_SHA256, "manifest", manifest),
    RECORD_FIELD(bill_base, RECORD_SIZE, "layers", layer_count),
    RECORD_FIELD(bill_base, RECORD_FLAG, "unsigned", is_unsigned),
    RECORD_FIELD(bill_base, RECORD_MAYBE_SHA256, "moved_from", moved_from),
};
static const struct record_table base_table = RECORD_TABLE(bill_base, base_fields);

static const struct record_field process_fields[] = {
    RECORD_FIELD(manifest_config, RECORD_TEXTS, "entrypoint", entrypoint),
    RECORD_FIELD(manifest_config, RECORD_TEXTS, "cmd", cmd),
    RECORD_FIELD(manifest_config, RECORD_MAYBE_TEXT, "user", user),
    RECORD_FIELD(manifest_config, RECORD_MAYBE_TEXT, "working_dir", working_dir),
    RECORD_FIELD(manifest_config, RECORD_TEXTS, "ports", ports),
    RECORD_FIELD(manifest_config, RECORD_TEXTS, "volumes", volumes),
    RECORD_FIELD(manifest_config, RECORD_MAYBE_TEXT, "stop_signal", stop_signal),
};
static const struct record_table process_table = RECORD_TABLE(manifest_config, process_fields);

static const char *const networks[] = {
    [CONTRACT_PRIVATE] = "private", [CONTRACT_HOST] = "host", [CONTRACT_NO_NETWORK] = "none", NULL};
static const char *const mount_kinds[] = {[CONTRACT_DIRECTORY] = "directory", [CONTRACT_FILE] = "file", NULL};

static const struct record_field mount_fields[] = {
    RECORD_FIELD(contract_mount, RECORD_TEXT, "path", host),
    RECORD_FIELD(contract_mount, RECORD_TEXT, "mount", path),
    RECORD_ONE_OF(contract_mount, "kind", kind, mount_kinds),
    RECORD_FIELD(contract_mount, RECORD_MODE, "mode", mode),
    RECORD_FIELD(contract_mount, RECORD_U32, "uid", uid),
    RECORD_FIELD(contract_mount, RECORD_U32, "gid", gid),
    RECORD_FIELD(contract_mount, RECORD_FLAG, "read_only", is_read_only),
    RECORD_FIELD(contract_mount, RECORD_FLAG, "optional", is_optional),
    RECORD_FIELD(contract_mount, RECORD_FLAG, "shared", is_shared),
    RECORD_FIELD(contract_mount, RECORD_MAYBE_TEXT, "purpose", purpose),
};
static const struct record_table mount_table = RECORD_TABLE(contract_mount, mount_fields);

static const struct record_field health_fields[] = {
    RECORD_FIELD(contract_health, RECORD_TEXTS, "command", command),
    RECORD_FIELD(contract_health, RECORD_MAYBE_TEXT, "interval", interval),
    RECORD_FIELD(contract_health, RECORD_MAYBE_TEXT, "timeout", timeout),
    RECORD_FIELD(contract_health, RECORD_MAYBE_TEXT, "start", start_for),
    RECORD_FIELD(contract_health, RECORD_U64, "retries", retries),
};
static const struct record_table health_table = RECORD_TABLE(contract_health, health_fields);

static const struct record_field contract_fields[] = {
    RECORD_ONE_OF(contract, "network", network, networks),
    RECORD_FIELD(contract, RECORD_FLAG, "capabilities_known", has_capabilities),
    RECORD_FIELD(contract, RECORD_TEXTS, "capabilities", capabilities),
    RECORD_FIELD(contract, RECORD_FLAG, "gains", may_gain),
    RECORD_FIELD(contract, RECORD_TEXTS, "devices", devices),
    RECORD_FIELD(contract, RECORD_FLAG, "read_only", is_read_only),
    RECORD_FIELD(contract, RECORD_FLAG, "interactive", is_interactive),
    RECORD_FIELD(contract, RECORD_TEXTS, "tmpfs", tmpfs),
    RECORD_FIELD(contract, RECORD_TEXTS, "writes", writes),
    RECORD_FIELD(contract, RECORD_TEXTS, "publish", publish),
    RECORD_FIELD(contract, RECORD_PAIRS, "sysctls", sysctls),
    RECORD_FIELD(contract, RECORD_PAIRS, "limits", limits),
    RECORD_FIELD(contract, RECORD_TEXTS, "dns", dns),
    RECORD_OF(contract, RECORD_STRUCT, "health", health, health_table),
    RECORD_OF(contract, RECORD_LIST, "host", host, mount_table),
    RECORD_FIELD(contract, RECORD_TEXTS, "secrets", secrets),
    RECORD_FIELD(contract, RECORD_TEXTS, "needs", needs),
};
static const struct record_table contract_table = RECORD_TABLE(contract, contract_fields);

/* What every run needs comes first. */
static const struct record_field bill_fields[] = {
    RECORD_FIELD(bill, RECORD_U32, "format", format),
    RECORD_FIELD(bill, RECORD_TEXT, "image", facts.name),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "named", named),
    RECORD_FIELD(bill, RECORD_TEXT, "arch", facts.arch),
    RECORD_FIELD(bill, RECORD_MAYBE_SHA256, "digest", manifest),
    RECORD_FIELD(bill, RECORD_MAYBE_SHA256, "config", config),
    RECORD_OF(bill, RECORD_STRUCT, "inputs", inputs, inputs_table),
    RECORD_FIELD(bill, RECORD_SHA256, "key", key),
    RECORD_OF(bill, RECORD_MAYBE, "source", source, source_table),
    RECORD_OF(bill, RECORD_MAYBE, "base", base, base_table),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "package", facts.package),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "full_version", facts.full_version),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "version", facts.version),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "release", facts.release),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "source_package", facts.source_package),
    RECORD_FIELD(bill, RECORD_MAYBE_TEXT, "source_version", facts.source_version),
    RECORD_FIELD(bill, RECORD_I64, "created", facts.created_time),
    RECORD_OF(bill, RECORD_LIST, "layers", layers, layer_table),
    RECORD_FIELD(bill, RECORD_MAYBE_SHA256, "second", second),
    RECORD_OF(bill, RECORD_LIST, "second_layers", second_layers, layer_table),
    RECORD_FIELD(bill, RECORD_U64, "unpacked_bytes", unpacked_bytes),
    RECORD_FIELD(bill, RECORD_SIZE, "package_count", package_count),
    RECORD_FIELD(bill, RECORD_SIZE, "file_count", file_count),
    RECORD_FIELD(bill, RECORD_TEXTS, "notes", notes),
    RECORD_FIELD(bill, RECORD_TEXTS, "unloadable", unloadable),
    RECORD_OF(bill, RECORD_LIST, "opens_at_run_time", openers, opener_table),
    RECORD_FIELD(bill, RECORD_TEXTS, "recipes", recipes),
    RECORD_OF(bill, RECORD_STRUCT, "process", process, process_table),
    RECORD_FIELD(bill, RECORD_PAIRS, "env", process.env), /* behind what clears its struct */
    RECORD_OF(bill, RECORD_MAYBE, "run", contract, contract_table),
    /* the rest: REST_COUNT long lists */
    RECORD_OF(bill, RECORD_LIST, "choices", choices, choice_table),
    RECORD_OF(bill, RECORD_LIST, "directories", directories, file_table),
    RECORD_OF(bill, RECORD_LIST, "wanted", wanted, wish_table),
    RECORD_OF(bill, RECORD_LIST, "selection", packages, package_table),
    RECORD_OF(bill, RECORD_LIST, "files", files, file_table),
    RECORD_OF(bill, RECORD_LIST, "sonames", sonames, soname_table),
    RECORD_OF(bill, RECORD_MAYBE, "proof", proof, proof_table),
};
#define REST_COUNT 7
static const struct record_table bill_table = RECORD_TABLE(bill, bill_fields);
static const struct record_table head_table = {bill_fields, ARRAY_COUNT(bill_fields) - REST_COUNT, sizeof(struct bill)};
static const struct record_table rest_table = {bill_fields + ARRAY_COUNT(bill_fields) - REST_COUNT, REST_COUNT,
                                               sizeof(struct bill)};

void bill_note(struct arena *arena, struct bill *bill, const char *note)
{
    char *line = arena_strdup(arena, note);
    text_flatten(line); /* names in it came from outside */
    if (!strings_has(&bill->notes, line))
        list_add(arena, &bill->notes, line);
}

static struct bill_repository repository_of(struct arena *arena, const struct origin *origin)
{
    const struct pin *pin = &origin->pin;
    struct bill_repository repository = {.name = origin->name,
                                         .uri = source_public_uri(arena, origin->uri),
                                         .codename = origin->codename,
                                         .signed_by = origin->signed_by,
                                         .date = origin->date,
                                         .digest = origin->digest,
                                         .place = pin->uri,
                                         .suite = pin->suite,
                                         .from = pin->from,
                                         .distribution = origin->distribution,
                                         .version = origin->version,
                                         .file = pin->file,
                                         .is_bare = pin->is_bare,
                                         .is_extra = pin->is_extra,
                                         .is_stand_in = origin->is_stand_in};
    if (pin->has_signature)
        repository.signature = pin->signature;
    for (size_t i = 0; i < origin->indices.count; i++) {
        const struct listed_file *file = &origin->indices.items[i];
        struct bill_index index = {.path = file->path,
                                   .checksum = arena_strdup(arena, checksum_text(&file->checksum).chars),
                                   .size_bytes = file->is_size_known ? file->size_bytes : 0};
        list_add(arena, &repository.indices, index);
    }
    return repository;
}

struct bill_source *bill_source_of(struct arena *arena, const struct origins *origins)
{
    struct bill_source *source = arena_new(arena, struct bill_source);
    *source =
        (struct bill_source){.name = origins->source->name, .trusted = origins->trusted, .left_out = origins->left_out};
    for (size_t i = 0; i < origins->count; i++)
        list_add(arena, &source->repositories, repository_of(arena, &origins->items[i]));
    for (size_t i = 0; i < origins->absent.count; i++)
        list_add(arena, &source->absent,
                 (struct bill_absent){origins->absent.items[i].uri, origins->absent.items[i].suite});
    return source;
}

static const struct bill_file *find_in(const struct bill_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) == 0)
            return &files->items[i];
    }
    return NULL;
}

const struct bill_file *bill_find(const struct bill *bill, const char *path)
{
    const struct bill_file *file = find_in(&bill->files, path);
    return file ? file : find_in(&bill->directories, path);
}

/* Whether a wish names a file of packages, as it is written or below /usr. */
static bool names_shipped(const struct bill_wish *wish, const struct bill_file *file)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *why;
    if (wish->kind == BILL_PACKAGE)
        return strcmp(wish->name, file->package) == 0;
    if (wish->kind > BILL_FILE || (wish->from.count && !strings_has(&wish->from, file->package)))
        return false;
    const char *canonical = path_canonical(&scratch, text_of(wish->name), &why);
    return path_matches(canonical ? canonical : wish->name, file->path);
}

static bool names_made(const struct bill_wish *wish, const struct bill_file *file)
{
    return wish->kind >= BILL_MADE_DIRECTORY && wish->kind <= BILL_MADE_SYMLINK && strcmp(wish->name, file->path) == 0;
}

const char *bill_wanted_by(const struct bill *bill, const struct bill_file *file)
{
    for (size_t i = 0; !file->by && i < bill->wanted.count; i++) {
        const struct bill_wish *wish = &bill->wanted.items[i];
        if (file->package ? names_shipped(wish, file) : names_made(wish, file))
            return wish->by;
    }
    return NULL;
}

const struct bill_package *bill_find_package(const struct bill *bill, const char *name)
{
    for (size_t i = 0; name && i < bill->packages.count; i++) {
        if (strcmp(bill->packages.items[i].name, name) == 0)
            return &bill->packages.items[i];
    }
    return NULL;
}

struct layers bill_layers(struct arena *arena, const struct bill *bill)
{
    struct layers layers = {0};
    for (size_t i = 0; i < bill->layers.count; i++)
        list_add(arena, &layers, bill->layers.items[i].layer);
    return layers;
}

uint64_t bill_layer_bytes(const struct bill *bill)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < bill->layers.count; i++)
        bytes += bill->layers.items[i].layer.size_bytes;
    return bytes;
}

/* Returns whether a document has more values than one may have. */
static bool has_too_many(struct text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    return count > BILL_MAX_VALUES;
}

bool bill_write_head(const struct bill *bill, struct buf *text)
{
    return record_write(&head_table, bill, text);
}

bool bill_write_rest(const struct bill *bill, struct buf *text)
{
    return bill->rest.ptr ? buf_add(text, bill->rest.ptr, bill->rest.len) : record_write(&rest_table, bill, text);
}

/* One object of both parts: the head's last brace becomes the comma before the rest, whose first goes. */
bool bill_write(const struct bill *bill, struct buf *text)
{
    if (!bill->rest.ptr)
        return record_write(&bill_table, bill, text);
    if (!bill_write_head(bill, text) || !bill->rest.len)
        return false;
    text->bytes[text->len - 1] = ',';
    return buf_add(text, bill->rest.ptr + 1, bill->rest.len - 1);
}

bool bill_text(struct arena *arena, const struct bill *bill, struct text *ret_text)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, BILL_MAX_BYTES);
    bool is_written = bill_write(bill, &text) && /* what was kept was counted when it was */
                      (bill->rest.ptr || !has_too_many((struct text){text.bytes, text.len}));
    if (is_written)
        *ret_text = (struct text){arena_strndup(arena, text.bytes, text.len), text.len};
    return is_written;
}

bool bill_source_write(const struct bill_source *source, struct buf *text)
{
    return record_write(&source_table, source, text);
}

bool bill_read(struct arena *arena, struct text text, struct bill *ret_bill)
{
    if (text.len > BILL_MAX_BYTES || has_too_many(text))
        return false;
    json_auto_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    return json && json_integer_value(json_object_get(json, "format")) == BILL_FORMAT &&
           record_read(arena, &bill_table, json, ret_bill);
}

bool bill_read_head(struct arena *arena, struct text head, struct text rest, struct bill *ret_bill)
{
    json_auto_t *json = json_loadb(head.ptr, head.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json || json_integer_value(json_object_get(json, "format")) != BILL_FORMAT || rest.len < 2 ||
        rest.ptr[0] != '{' || !record_read(arena, &head_table, json, ret_bill))
        return false;
    ret_bill->rest = rest;
    return true;
}

bool bill_complete(struct arena *arena, struct bill *bill)
{
    AUTO(buf_done) struct buf text = {0};
    struct bill whole;
    if (!bill->rest.ptr)
        return true;
    buf_init(&text, BILL_MAX_BYTES);
    if (!bill_write(bill, &text) || !bill_read(arena, (struct text){text.bytes, text.len}, &whole))
        return false;
    *bill = whole;
    return true;
}

bool bill_read_beside(struct arena *arena, const char *layout, const struct digest *manifest, struct bill *ret_bill)
{
    AUTO(buf_done) struct buf bytes = {0};
    return layout_read_beside(layout, manifest, BILL_MAX_BYTES, &bytes) &&
           bill_read(arena, (struct text){bytes.bytes, bytes.len}, ret_bill) &&
           digest_eq(&ret_bill->manifest, manifest);
}

bool bill_is_beside(const char *layout, const struct digest *manifest)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct bill bill;
    return bill_read_beside(&scratch, layout, manifest, &bill);
}

bool bill_shape(struct buf *text)
{
    return record_shape(&bill_table, text);
}
