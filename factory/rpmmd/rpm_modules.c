/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_modules.h"

#include "base/auto.h"

#include <yaml.h>

#define DOCUMENTS_MAX 100000u
#define BYTES_MAX ((size_t)256 << 20)
#define CHOICES_MAX 10000u

static void free_parser(yaml_parser_t *parser)
{
    yaml_parser_delete(parser);
}

static void free_document(yaml_document_t *document)
{
    yaml_document_delete(document);
}

/* Finds a mapping's value; NULL when it is absent or `node` is no mapping. */
static yaml_node_t *get(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name && name->type == YAML_SCALAR_NODE && strcmp((const char *)name->data.scalar.value, key) == 0)
            return yaml_document_get_node(document, pair->value);
    }
    return NULL;
}

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static const char *get_string(struct arena *arena, yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    const char *value = scalar(get(document, node, key));
    return value ? arena_strdup(arena, value) : NULL;
}

static void get_strings(struct arena *arena, yaml_document_t *document, const yaml_node_t *list,
                        struct strings *ret_strings)
{
    if (!list || list->type != YAML_SEQUENCE_NODE)
        return;
    for (const yaml_node_item_t *item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
        const char *value = scalar(yaml_document_get_node(document, *item));
        if (value)
            list_add(arena, ret_strings, arena_strdup(arena, value));
    }
}

/* dependencies: a list of {requires: {module: [stream, …]}}. */
static void read_needs(struct arena *arena, yaml_document_t *document, const yaml_node_t *list,
                       struct rpm_module_stream *stream)
{
    if (!list || list->type != YAML_SEQUENCE_NODE)
        return;
    for (const yaml_node_item_t *item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
        const yaml_node_t *needs = get(document, yaml_document_get_node(document, *item), "requires");
        if (!needs || needs->type != YAML_MAPPING_NODE)
            continue;
        const yaml_node_pair_t *pair = needs->data.mapping.pairs.start;
        for (; pair < needs->data.mapping.pairs.top; pair++) {
            const char *module = scalar(yaml_document_get_node(document, pair->key));
            if (!module || strcmp(module, "platform") == 0) /* the distribution itself */
                continue;
            struct rpm_module_need need = {.module = arena_strdup(arena, module)};
            get_strings(arena, document, yaml_document_get_node(document, pair->value), &need.streams);
            list_add(arena, &stream->needs, need);
        }
    }
}

static bool fail_document(const char *name, const yaml_node_t *root, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "modules.yaml of %s:%zu: %s", name, root ? root->start_mark.line + 1 : 0, what);
    return false;
}

static bool read_stream(struct rpm_modules *modules, const char *name, yaml_document_t *document,
                        const yaml_node_t *root, struct err *err)
{
    struct arena *arena = &modules->arena;
    const yaml_node_t *data = get(document, root, "data");
    struct rpm_module_stream stream = {.module = get_string(arena, document, data, "name"),
                                       .stream = get_string(arena, document, data, "stream"),
                                       .context = get_string(arena, document, data, "context"),
                                       .arch = get_string(arena, document, data, "arch")};
    const char *version = scalar(get(document, data, "version"));
    if (!stream.module || !stream.stream || !version || !text_parse_u64(text_of(version), &stream.version))
        return fail_document(name, root, "a module without name, stream or version", err);
    get_strings(arena, document, get(document, get(document, data, "artifacts"), "rpms"), &stream.artifacts);
    read_needs(arena, document, get(document, data, "dependencies"), &stream);
    list_add(arena, &modules->streams, stream);
    return true;
}

static bool read_document(struct rpm_modules *modules, const char *name, yaml_document_t *document, struct err *err)
{
    struct arena *arena = &modules->arena;
    const yaml_node_t *root = yaml_document_get_root_node(document);
    const char *kind = scalar(get(document, root, "document")), *version = scalar(get(document, root, "version"));
    if (!kind)
        return fail_document(name, root, "a document that does not say what it is", err);
    if (strcmp(kind, "modulemd") == 0 && version && strcmp(version, "2") == 0)
        return read_stream(modules, name, document, root, err);
    if (strcmp(kind, "modulemd-defaults") == 0) {
        const yaml_node_t *data = get(document, root, "data");
        struct rpm_module_default item = {.module = get_string(arena, document, data, "module"),
                                          .stream = get_string(arena, document, data, "stream")};
        if (item.module && item.stream)
            list_add(arena, &modules->defaults, item);
    }
    return true;
}

/* Anchors let a small file have many times its size, and no writer of modules.yaml uses any. */
static bool check_anchors(const char *name, struct text bytes, struct err *err)
{
    AUTO(free_parser) yaml_parser_t parser;
    bool is_open = bytes.len && memchr(bytes.ptr, '&', bytes.len); /* without that byte there can be none */
    if (!yaml_parser_initialize(&parser))
        memory_abort(sizeof parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
    while (is_open) {
        yaml_token_t token;
        if (!yaml_parser_scan(&parser, &token))
            return true; /* reading it will tell what is wrong */
        size_t line = token.start_mark.line + 1;
        bool is_anchor = token.type == YAML_ANCHOR_TOKEN;
        is_open = token.type != YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
        if (!is_anchor)
            continue;
        err_set(err, ERR_MALFORMED, "modules.yaml of %s:%zu: anchors are not allowed here", name, line);
        return false;
    }
    return true;
}

bool rpm_modules_read(struct rpm_modules *modules, const char *name, struct text bytes, struct err *err)
{
    AUTO(free_parser) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        memory_abort(sizeof parser);
    if (bytes.len > BYTES_MAX) {
        err_set(err, ERR_MALFORMED, "modules.yaml of %s: more than %zu bytes", name, BYTES_MAX);
        return false;
    }
    if (!check_anchors(name, bytes, err))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
    for (size_t count = 0;; count++) {
        AUTO(free_document) yaml_document_t document = {0};
        if (count > DOCUMENTS_MAX || !yaml_parser_load(&parser, &document)) {
            err_set(err, ERR_MALFORMED, "modules.yaml of %s:%zu: %s", name, parser.problem_mark.line + 1,
                    parser.problem ? parser.problem : "more documents than are allowed");
            return false;
        }
        if (!yaml_document_get_root_node(&document))
            return true;
        if (!read_document(modules, name, &document, err))
            return false;
    }
}

/* Streams that are or shall be active, one per module. */
struct choosing {
    struct rpm_modules *modules;
    const char *arch;
    LIST(struct chosen {
        const char *module;
        const char *stream;
        bool is_asked; /* by the source */
    })
    chosen;
};

static const struct chosen *find_chosen(const struct choosing *choosing, const char *module)
{
    for (size_t i = 0; i < choosing->chosen.count; i++) {
        if (strcmp(choosing->chosen.items[i].module, module) == 0)
            return &choosing->chosen.items[i];
    }
    return NULL;
}

static bool is_build_of(const struct choosing *choosing, const struct rpm_module_stream *build, const char *module,
                        const char *stream)
{
    return strcmp(build->module, module) == 0 && strcmp(build->stream, stream) == 0 &&
           (!build->arch || strcmp(build->arch, choosing->arch) == 0 || strcmp(build->arch, "noarch") == 0);
}

/* Returns whether what the build needs does not contradict what is chosen. */
static bool is_fitting(const struct choosing *choosing, const struct rpm_module_stream *build)
{
    for (size_t i = 0; i < build->needs.count; i++) {
        const struct rpm_module_need *need = &build->needs.items[i];
        const struct chosen *chosen = find_chosen(choosing, need->module);
        if (chosen && need->streams.count && !strings_has(&need->streams, chosen->stream))
            return false;
    }
    return true;
}

/* The newest version of a stream; of its contexts the first that fits. NULL when there is none. */
static struct rpm_module_stream *find_build(const struct choosing *choosing, const struct chosen *chosen)
{
    struct rpm_module_stream *best = NULL;
    for (size_t i = 0; i < choosing->modules->streams.count; i++) {
        struct rpm_module_stream *build = &choosing->modules->streams.items[i];
        if (!is_build_of(choosing, build, chosen->module, chosen->stream) || !is_fitting(choosing, build))
            continue;
        if (!best || build->version > best->version)
            best = build;
    }
    return best;
}

static const char *find_default(const struct rpm_modules *modules, const char *module)
{
    for (size_t i = 0; i < modules->defaults.count; i++) {
        if (strcmp(modules->defaults.items[i].module, module) == 0)
            return modules->defaults.items[i].stream;
    }
    return NULL;
}

/* A build of the chosen stream that fits. */
struct candidate {
    struct rpm_module_stream *build;
    bool has_context; /* of the newest */
};

/* By version, the newest first; of one version the same context as the newest's, then the order of the file. */
static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->build->version != right->build->version)
        return left->build->version > right->build->version ? -1 : 1;
    if (left->has_context != right->has_context)
        return left->has_context ? -1 : 1;
    return left->build < right->build ? -1 : left->build > right->build;
}

/* Older versions of a stream count, too: of each the first candidate. */
static void activate(struct choosing *choosing, const struct chosen *chosen, const struct rpm_module_stream *newest)
{
    AUTO(arena_done) struct arena scratch = {0};
    LIST(struct candidate) candidates = {0};
    for (size_t i = 0; i < choosing->modules->streams.count; i++) {
        struct rpm_module_stream *build = &choosing->modules->streams.items[i];
        bool has_context = build->context && newest->context && strcmp(build->context, newest->context) == 0;
        if (is_build_of(choosing, build, chosen->module, chosen->stream) && is_fitting(choosing, build))
            list_add(&scratch, &candidates, ((struct candidate){build, has_context || build == newest}));
    }
    if (candidates.count)
        qsort(candidates.items, candidates.count, sizeof *candidates.items, compare_candidates);
    for (size_t i = 0; i < candidates.count; i++) {
        struct rpm_module_stream *build = candidates.items[i].build;
        build->is_active = build->is_active || !i || candidates.items[i - 1].build->version != build->version;
    }
}

/* Chooses a stream for each module that a build needs: the default if that will do, else the first named. */
static void choose_needs(struct choosing *choosing, const struct rpm_module_stream *build)
{
    for (size_t i = 0; i < build->needs.count && choosing->chosen.count < CHOICES_MAX; i++) {
        const struct rpm_module_need *need = &build->needs.items[i];
        const char *stream = find_default(choosing->modules, need->module);
        if (find_chosen(choosing, need->module))
            continue;
        if (need->streams.count && (!stream || !strings_has(&need->streams, stream)))
            stream = need->streams.items[0];
        if (stream)
            list_add(&choosing->modules->arena, &choosing->chosen, (struct chosen){need->module, stream, false});
    }
}

static bool add_enabled(struct choosing *choosing, const struct strings *enabled, struct err *err)
{
    struct arena *arena = &choosing->modules->arena;
    for (size_t i = 0; i < enabled->count; i++) {
        struct text rest = text_of(enabled->items[i]), module;
        if (!text_next(&rest, ':', &module) || !module.len || !rest.len) {
            err_set(err, ERR_USAGE, "module \"%s\": write MODULE:STREAM", enabled->items[i]);
            return false;
        }
        struct chosen chosen = {text_dup(arena, module), text_dup(arena, rest), true};
        list_add(arena, &choosing->chosen, chosen);
    }
    return true;
}

bool rpm_modules_choose(struct rpm_modules *modules, const struct strings *enabled, const struct strings *disabled,
                        const char *arch, struct err *err)
{
    struct choosing choosing = {.modules = modules, .arch = arch};
    if (!add_enabled(&choosing, enabled, err))
        return false;
    for (size_t i = 0; i < modules->defaults.count && choosing.chosen.count < CHOICES_MAX; i++) {
        const struct rpm_module_default *item = &modules->defaults.items[i];
        if (!find_chosen(&choosing, item->module) && !strings_has(disabled, item->module))
            list_add(&modules->arena, &choosing.chosen, (struct chosen){item->module, item->stream, false});
    }
    for (size_t i = 0; i < choosing.chosen.count; i++) {
        struct chosen chosen = choosing.chosen.items[i]; /* the list grows */
        struct rpm_module_stream *build = find_build(&choosing, &chosen);
        if (!build && chosen.is_asked) {
            err_set(err, ERR_RESOLVE, "no repository offers module stream %s:%s for %s, which the source enables",
                    chosen.module, chosen.stream, arch);
            return false;
        }
        if (build) {
            activate(&choosing, &chosen, build);
            choose_needs(&choosing, build);
        }
    }
    return true;
}

void rpm_modules_done(struct rpm_modules *modules)
{
    arena_done(&modules->arena);
    *modules = (struct rpm_modules){0};
}
