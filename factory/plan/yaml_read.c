/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/yaml.h"

/* Reads nodes into structs by tables. The schema decides what a plain scalar means, never its look: `no` and 1.10 in a
 * text field are the texts "no" and "1.10". */

/* What is being read, for values and for messages. */
struct slot {
    struct arena *arena;
    const char *key;
    void *into;
};

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    for (size_t i = 0; mapping->kind == YAML_MAPPING && i < mapping->count; i++) {
        if (strcmp(mapping->keys[i]->scalar, key) == 0)
            return mapping->items[i];
    }
    return NULL;
}

const struct yaml_node *yaml_item(const struct yaml_node *node, size_t index)
{
    return node->kind == YAML_SEQUENCE && index < node->count ? node->items[index] : node;
}

/* Shows a scalar in a message. */
static const char *shown(const struct slot *slot, const struct yaml_node *node)
{
    return text_printable(slot->arena, text_of(node->scalar));
}

/* Nothing at all, or YAML's null: neither is a text that somebody meant. */
static bool is_null(const struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; !node->is_quoted && i < ARRAY_COUNT(nulls); i++) {
        if (strcmp(node->scalar, nulls[i]) == 0)
            return true;
    }
    return false;
}

/* Checks that the node is a scalar with a value. */
static bool want_value(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (node->kind != YAML_SCALAR)
        return yaml_fail(node, err, "'%s' wants a single value here, not %s%s", slot->key, yaml_kind_name(node->kind),
                         node->kind == YAML_MAPPING ? " (quote a value that begins with '{')" : "");
    if (is_null(node))
        return yaml_fail(node, err, "'%s' has no value (write \"\" for an empty one)", slot->key);
    return true;
}

static bool read_string(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (!want_value(slot, node, err))
        return false;
    *(const char **)slot->into = node->scalar;
    return true;
}

static bool read_strings(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (node->kind == YAML_MAPPING)
        return yaml_fail(node, err, "'%s' wants a list, not a mapping", slot->key);
    struct strings strings = {0};
    size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = yaml_item(node, i);
        if (!want_value(slot, item, err))
            return false;
        list_add(slot->arena, &strings, item->scalar);
    }
    *(struct strings *)slot->into = strings;
    return true;
}

static bool read_bool(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (!want_value(slot, node, err))
        return false;
    bool is_true = strcmp(node->scalar, "true") == 0;
    if (node->is_quoted || (!is_true && strcmp(node->scalar, "false") != 0))
        return yaml_fail(node, err, "'%s' wants true or false (without quotes), not '%s'", slot->key,
                         shown(slot, node));
    *(bool *)slot->into = is_true;
    return true;
}

static bool read_number(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (!want_value(slot, node, err))
        return false;
    uint64_t number;
    bool has_octal_look = node->scalar[0] == '0' && node->scalar[1] != '\0';
    if (node->is_quoted || has_octal_look || !text_parse_u64(text_of(node->scalar), &number))
        return yaml_fail(node, err, "'%s' wants a decimal number without quotes, not '%s'", slot->key,
                         shown(slot, node));
    *(uint64_t *)slot->into = number;
    return true;
}

/* Modes must be quoted, because 0644 is 420 in YAML 1.1 and 644 in YAML 1.2. */
static bool read_mode(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (!want_value(slot, node, err))
        return false;
    size_t len = strlen(node->scalar);
    bool is_octal = len >= 3 && len <= 5 && strspn(node->scalar, "01234567") == len;
    uint32_t mode = 0;
    for (size_t i = 0; is_octal && i < len; i++)
        mode = mode * 8 + (uint32_t)(node->scalar[i] - '0');
    if (!node->is_quoted || !is_octal || mode > 07777)
        return yaml_fail(node, err, "'%s' wants an octal mode in quotes, such as \"0644\", not %s%s", slot->key,
                         shown(slot, node), node->is_quoted ? "" : " without quotes");
    *(uint32_t *)slot->into = mode;
    return true;
}

static bool read_pairs(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_fail(node, err, "'%s' wants a mapping of names to values, not %s", slot->key,
                         yaml_kind_name(node->kind));
    struct yaml_pairs pairs = {0};
    for (size_t i = 0; i < node->count; i++) {
        struct slot inner = {slot->arena, text_printable(slot->arena, text_of(node->keys[i]->scalar)), NULL};
        if (!want_value(&inner, node->items[i], err))
            return false;
        list_add(slot->arena, &pairs,
                 (struct yaml_pair){node->keys[i]->scalar, node->items[i]->scalar, node->items[i]});
    }
    *(struct yaml_pairs *)slot->into = pairs;
    return true;
}

static bool read_node(const struct slot *slot, const struct yaml_node *node, struct err *err)
{
    if (node->kind == YAML_SCALAR && is_null(node))
        return yaml_fail(node, err, "'%s' has no value", slot->key);
    *(const struct yaml_node **)slot->into = node;
    return true;
}

static bool read_value(const struct slot *slot, enum yaml_type type, const struct yaml_node *node, struct err *err)
{
    switch (type) {
    case YAML_STRING:
        return read_string(slot, node, err);
    case YAML_STRINGS:
        return read_strings(slot, node, err);
    case YAML_BOOL:
        return read_bool(slot, node, err);
    case YAML_NUMBER:
        return read_number(slot, node, err);
    case YAML_MODE:
        return read_mode(slot, node, err);
    case YAML_PAIRS:
        return read_pairs(slot, node, err);
    case YAML_NODE:
        return read_node(slot, node, err);
    }
    return false;
}

bool yaml_has_field(const struct yaml_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->fields[i].key, key) == 0)
            return true;
    }
    return false;
}

/* Returns the key that is another one's plural, further from it in letters than it looks: "binaries" of "binary". */
static const char *plural_of(struct arena *arena, const char *key, const struct strings *known)
{
    size_t len = strlen(key);
    const char *plural = len > 1 && key[len - 1] == 'y' ? arena_printf(arena, "%.*sies", (int)len - 1, key) : NULL;
    return plural && strings_has(known, plural) ? plural : NULL;
}

enum { BEGINNING_MIN = 4 };

/* Returns the key that begins the word, or that the word begins, the one that has most of it in common: "arch" of "architectures",
 * "base" of "base-image". */
static const char *longer_or_shorter(const char *key, const struct strings *known)
{
    const char *best = NULL;
    size_t key_len = strlen(key), best_len = BEGINNING_MIN - 1;
    for (size_t i = 0; i < known->count; i++) {
        size_t len = strlen(known->items[i]), shared = len < key_len ? len : key_len;
        if (shared > best_len && strncmp(key, known->items[i], shared) == 0) {
            best = known->items[i];
            best_len = shared;
        }
    }
    return best;
}

/* Returns the key that is called like that by apt and dnf: those of sources. */
static const char *called_elsewhere(const char *key, const struct strings *known)
{
    static const struct {
        const char *word, *key;
    } rows[] = {{"signed-by", "keys"}, {"gpgkey", "keys"},  {"baseurl", "uris"}, {"url", "uris"},
                {"url", "baseurl"},    {"uris", "baseurl"}, {"keys", "gpgkey"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].word, key) == 0 && strings_has(known, rows[i].key))
            return rows[i].key;
    }
    return NULL;
}

static bool fail_unknown(struct arena *arena, const struct yaml_node *key, const struct yaml_field *fields,
                         size_t field_count, struct err *err)
{
    struct strings known = {0};
    for (size_t i = 0; i < field_count; i++)
        list_add(arena, &known, fields[i].key);
    const char *wanted = text_printable(arena, text_of(key->scalar));
    const char *plural = plural_of(arena, key->scalar, &known);
    const char *nearest = plural ? plural : text_nearest(key->scalar, known.items, known.count);
    nearest = nearest ? nearest : longer_or_shorter(key->scalar, &known);
    nearest = nearest ? nearest : called_elsewhere(key->scalar, &known);
    if (nearest)
        return yaml_fail(key, err, "unknown key '%s'; did you mean '%s'?", wanted, nearest);
    return yaml_fail(key, err, "unknown key '%s'; known here: %s", wanted, strings_join(arena, &known, ", "));
}

bool yaml_read(struct arena *arena, const struct yaml_node *node, const struct yaml_field *fields, size_t field_count,
               void *into, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_fail(node, err, "a mapping (key: value) is wanted here, not %s", yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_field *field = fields;
        while (field < fields + field_count && strcmp(field->key, node->keys[i]->scalar) != 0)
            field++;
        if (field == fields + field_count)
            return fail_unknown(arena, node->keys[i], fields, field_count, err);
        struct slot slot = {arena, field->key, (char *)into + field->offset};
        if (!read_value(&slot, field->type, node->items[i], err))
            return false;
    }
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].is_required && !yaml_get(node, fields[i].key))
            return yaml_fail(node, err, "key '%s' is missing", fields[i].key);
    }
    return true;
}
