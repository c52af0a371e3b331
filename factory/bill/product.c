#include "bill/product.h"

static const char *const fact_keys[] = {"package", "full_version",   "version",
                                        "release", "source_package", "source_version"};
#define FACT_COUNT ARRAY_COUNT(fact_keys)

/* The facts' strings in the order of fact_keys. */
static void list_facts(struct oci_facts *facts, const char **ret_fields[FACT_COUNT])
{
    const char **fields[FACT_COUNT] = {&facts->package, &facts->full_version,   &facts->version,
                                       &facts->release, &facts->source_package, &facts->source_version};
    memcpy(ret_fields, fields, sizeof fields);
}

static json_t *string_or_null(const char *string)
{
    return string ? json_string(string) : json_null();
}

static json_t *digest_json(const struct digest *digest)
{
    return json_sprintf("sha256:%s", digest_hex(digest).chars);
}

static json_t *packages_json(const struct product *product)
{
    json_t *array = json_array();
    for (size_t i = 0; i < product->packages.count; i++) {
        const struct product_package *package = &product->packages.items[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I, s:o, s:s, s:o, s:b}", "name", package->name,
                                               "version", package->version, "architecture", package->architecture,
                                               "size", (json_int_t)package->size_bytes, "digest",
                                               digest_json(&package->digest), "url", package->url, "repository",
                                               string_or_null(package->repository), "gave_files", package->has_given));
    }
    return array;
}

static json_t *files_json(const struct product_files *files)
{
    json_t *array = json_array();
    for (size_t i = 0; i < files->count; i++) {
        const struct product_file *file = &files->items[i];
        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o}", "path", string_or_null(file->path), "package",
                                               string_or_null(file->package), "why", string_or_null(file->why), "by",
                                               string_or_null(file->by)));
    }
    return array;
}

static json_t *choices_json(const struct product *product)
{
    json_t *array = json_array();
    for (size_t i = 0; i < product->choices.count; i++) {
        const struct product_choice *choice = &product->choices.items[i];
        json_t *others = json_array();
        for (size_t j = 0; j < choice->others.count; j++)
            json_array_append_new(others, json_string(choice->others.items[j]));
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:o}", "path", choice->path, "package", choice->package,
                                               "why", choice->why, "others", others));
    }
    return array;
}

static json_t *proof_json(const struct product *product)
{
    json_t *notes = json_array();
    for (size_t i = 0; i < product->proof.notes.count; i++)
        json_array_append_new(notes, json_string(product->proof.notes.items[i]));
    return json_pack("{s:I, s:I, s:o}", "files", (json_int_t)product->proof.file_count, "symbols",
                     (json_int_t)product->proof.symbol_count, "notes", notes);
}

static json_t *strings_json(const struct strings *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(array, json_string(strings->items[i]));
    return array;
}

static json_t *env_json(const struct product *product)
{
    json_t *object = json_object();
    for (size_t i = 0; i < product->env.count; i++)
        json_object_set_new(object, product->env.items[i].key, json_string(product->env.items[i].value));
    return object;
}

static json_t *openers_json(const struct product *product)
{
    json_t *array = json_array();
    for (size_t i = 0; i < product->openers.count; i++) {
        const struct opener *opener = &product->openers.items[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:o}", "path", opener->path, "absent",
                                        strings_json(&opener->absent), "feature", string_or_null(opener->feature)));
    }
    return array;
}

void product_note(struct arena *arena, struct product *product, const char *note)
{
    if (!strings_has(&product->notes, note))
        list_add(arena, &product->notes, arena_strdup(arena, note));
}

json_t *product_to_json(const struct product *product)
{
    struct oci_facts facts = product->facts;
    const char **fields[FACT_COUNT];
    list_facts(&facts, fields);
    json_t *json = json_object();
    for (size_t i = 0; i < FACT_COUNT; i++)
        json_object_set_new(json, fact_keys[i], string_or_null(*fields[i]));
    json_object_set_new(json, "created", json_integer((json_int_t)facts.created_time));
    json_object_set_new(json, "media_type", json_string(layer_media_type(product->layer.compression)));
    json_object_set_new(json, "layer", digest_json(&product->layer.digest));
    json_object_set_new(json, "encoder", json_string(product->encoder.name));
    json_object_set_new(json, "encoder_code", digest_json(&product->encoder.code));
    json_object_set_new(json, "diff_id", digest_json(&product->layer.diff_id));
    json_object_set_new(json, "compressed_bytes", json_integer((json_int_t)product->layer.size_bytes));
    json_object_set_new(json, "tar_bytes", json_integer((json_int_t)product->layer.tar_bytes));
    json_object_set_new(json, "unpacked_bytes", json_integer((json_int_t)product->unpacked_bytes));
    json_object_set_new(json, "package_count", json_integer((json_int_t)product->package_count));
    json_object_set_new(json, "file_count", json_integer((json_int_t)product->files.count));
    json_object_set_new(json, "choices", choices_json(product));
    json_object_set_new(json, "notes", strings_json(&product->notes));
    json_object_set_new(json, "directories", files_json(&product->directories));
    json_object_set_new(json, "opens_at_run_time", openers_json(product));
    json_object_set_new(json, "recipes", strings_json(&product->recipes));
    json_object_set_new(json, "env", env_json(product));
    json_object_set_new(json, "selection", packages_json(product));
    json_object_set_new(json, "files", files_json(&product->files));
    json_object_set_new(json, "proof", product->proof.is_made ? proof_json(product) : json_null());
    return json;
}

/* A string member copied into the arena; NULL when it is null or absent. */
static const char *get_string(struct arena *arena, const json_t *json, const char *key)
{
    return arena_strdup(arena, json_string_value(json_object_get(json, key)));
}

static bool get_digest(const json_t *json, const char *key, struct digest *ret_digest)
{
    const char *string = json_string_value(json_object_get(json, key));
    return string && strncmp(string, "sha256:", 7) == 0 && digest_parse(text_of(string + 7), ret_digest);
}

static bool get_number(const json_t *json, const char *key, uint64_t *ret_value)
{
    const json_t *value = json_object_get(json, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret_value = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_packages(struct arena *arena, const json_t *array, struct product *product)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        struct product_package package = {.name = get_string(arena, json, "name"),
                                          .version = get_string(arena, json, "version"),
                                          .architecture = get_string(arena, json, "architecture"),
                                          .url = get_string(arena, json, "url"),
                                          .repository = get_string(arena, json, "repository"),
                                          .has_given = json_is_true(json_object_get(json, "gave_files"))};
        if (!package.name || !package.version || !package.architecture || !package.url ||
            !get_number(json, "size", &package.size_bytes) || !get_digest(json, "digest", &package.digest))
            return false;
        list_add(arena, &product->packages, package);
    }
    return json_is_array(array);
}

static bool read_files(struct arena *arena, const json_t *array, struct product_files *files)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        struct product_file file = {get_string(arena, json, "path"), get_string(arena, json, "package"),
                                    get_string(arena, json, "why"), get_string(arena, json, "by")};
        if (!file.path)
            return false;
        list_add(arena, files, file);
    }
    return json_is_array(array);
}

/* Reads an array of strings, each once. */
static bool read_strings(struct arena *arena, const json_t *array, struct strings *strings)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *string = json_string_value(json_array_get(array, i));
        if (!string)
            return false;
        if (!strings_has(strings, string))
            list_add(arena, strings, arena_strdup(arena, string));
    }
    return json_is_array(array);
}

static bool read_choices(struct arena *arena, const json_t *array, struct product *product)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        struct product_choice choice = {.path = get_string(arena, json, "path"),
                                        .package = get_string(arena, json, "package"),
                                        .why = get_string(arena, json, "why")};
        if (!choice.path || !choice.package || !choice.why ||
            !read_strings(arena, json_object_get(json, "others"), &choice.others))
            return false;
        list_add(arena, &product->choices, choice);
    }
    return json_is_array(array);
}

/* Jansson keeps the order of a JSON object's members, and so the image's configuration is the same again. */
static bool read_env(struct arena *arena, json_t *object, struct product *product)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return false;
        list_add(arena, &product->env,
                 (struct yaml_pair){.key = arena_strdup(arena, key),
                                    .value = arena_strdup(arena, json_string_value(value))});
    }
    return json_is_object(object);
}

static bool read_openers(struct arena *arena, const json_t *array, struct product *product)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        struct opener opener = {.path = get_string(arena, json, "path"), .feature = get_string(arena, json, "feature")};
        if (!opener.path || !read_strings(arena, json_object_get(json, "absent"), &opener.absent))
            return false;
        list_add(arena, &product->openers, opener);
    }
    return json_is_array(array);
}

static bool read_encoder(const json_t *json, struct layer_encoder *encoder)
{
    const char *name = json_string_value(json_object_get(json, "encoder"));
    if (!name || strlen(name) >= sizeof encoder->name)
        return false;
    memcpy(encoder->name, name, strlen(name) + 1);
    return get_digest(json, "encoder_code", &encoder->code);
}

/* Reads the numbers and digests that describe the layer. */
static bool read_layer(const json_t *json, struct product *product)
{
    const char *media_type = json_string_value(json_object_get(json, "media_type"));
    if (!media_type)
        return false;
    product->layer.compression = strcmp(media_type, layer_media_type(LAYER_GZIP)) == 0 ? LAYER_GZIP : LAYER_ZSTD;
    uint64_t created, package_count;
    if (!read_encoder(json, &product->encoder) || !get_digest(json, "layer", &product->layer.digest) ||
        !get_digest(json, "diff_id", &product->layer.diff_id) ||
        !get_number(json, "compressed_bytes", &product->layer.size_bytes) ||
        !get_number(json, "tar_bytes", &product->layer.tar_bytes) ||
        !get_number(json, "unpacked_bytes", &product->unpacked_bytes) || !get_number(json, "created", &created) ||
        !get_number(json, "package_count", &package_count))
        return false;
    product->facts.created_time = (int64_t)created;
    product->package_count = (size_t)package_count;
    return true;
}

/* null: the proof was turned off. */
static bool read_proof(struct arena *arena, const json_t *json, struct product *product)
{
    product->proof.is_made = json_is_object(json);
    if (!product->proof.is_made)
        return json_is_null(json);
    return read_strings(arena, json_object_get(json, "notes"), &product->proof.notes) &&
           get_number(json, "files", &product->proof.file_count) &&
           get_number(json, "symbols", &product->proof.symbol_count);
}

bool product_from_json(struct arena *arena, const json_t *json, struct product *ret_product)
{
    struct product product = {0};
    const char **fields[FACT_COUNT];
    list_facts(&product.facts, fields);
    for (size_t i = 0; i < FACT_COUNT; i++)
        *fields[i] = get_string(arena, json, fact_keys[i]);
    if (!read_layer(json, &product) || !read_packages(arena, json_object_get(json, "selection"), &product) ||
        !read_files(arena, json_object_get(json, "files"), &product.files) ||
        !read_files(arena, json_object_get(json, "directories"), &product.directories) ||
        !read_choices(arena, json_object_get(json, "choices"), &product) ||
        !read_openers(arena, json_object_get(json, "opens_at_run_time"), &product) ||
        !read_proof(arena, json_object_get(json, "proof"), &product) ||
        !read_strings(arena, json_object_get(json, "notes"), &product.notes) ||
        !read_strings(arena, json_object_get(json, "recipes"), &product.recipes) ||
        !read_env(arena, json_object_get(json, "env"), &product))
        return false;
    *ret_product = product;
    return true;
}
