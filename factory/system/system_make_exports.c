/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /exports that no file beside the manifest is. */
#include "deploy/deploy_text.h"
#include "system/system_exports.h"
#include "system/system_make_parts.h"

#include "package/path.h"

static void add_file(struct arena *arena, struct wishes *wishes, const char *path, const char *content)
{
    struct wish_made made = {.kind = MADE_FILE,
                             .path = path,
                             .mode = 0644,
                             .owner = "root",
                             .group = "root",
                             .content = content,
                             .why = "made of system-container: and run:"};
    list_add(arena, &wishes->made, made);
}

/* JSON as a text of the arena. */
static const char *json_text(struct arena *arena, const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    const char *copy = arena_printf(arena, "%s\n", text ? text : "{}");
    free(text);
    return copy;
}

/* Strings of JSON have dollars as they are, so that the text is a template. */
static const char *config_template(struct arena *arena, const struct make_request *request)
{
    json_auto_t *config = system_make_config(arena, request);
    return json_text(arena, config);
}

static const char *service_template(struct arena *arena, const char *description, const struct make_request *request)
{
    const char *signal = request->process->stop_signal, *text = "";
    bool is_usual = !signal || strcmp(signal, "SIGTERM") == 0 || strcmp(signal, "TERM") == 0;
    char *title = arena_strdup(arena, description);
    for (char *at = title; *at; at++) /* neither a variable nor a specifier */
        *at = (char)(*at == '$' || *at == '%' ? '_' : *at);
    deploy_append(arena, &text,
                  "[Unit]\nDescription=%s\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\n"
                  "ExecStartPre=-$RUNTIME delete --force $NAME\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP%s%s\n"
                  "Restart=on-failure\nWorkingDirectory=$DESTDIR\n\n"
                  "[Install]\nWantedBy=multi-user.target\n",
                  title, is_usual ? "" : " ", is_usual ? "" : signal);
    return text;
}

static const char *tmpfiles_template(struct arena *arena, const struct make_request *request)
{
    struct make_binds binds = make_binds_of(arena, request);
    const char *text = "# Paths of the host that the container is given.\n";
    for (size_t i = 0; i < binds.count; i++) {
        const struct make_bind *bind = &binds.items[i];
        const char *quote = strpbrk(bind->source, " \t") ? "\"" : "";
        char *source = arena_alloc(arena, strlen(bind->source) * 2 + 1), *at = source;
        for (const char *from = bind->source; *from; from++) { /* a specifier's sign stands for itself twice */
            *at++ = *from;
            if (*from == '%')
                *at++ = '%';
        }
        bool is_root = !bind->uid && !bind->gid;
        if (!bind->line)
            continue;
        if (bind->is_own && strncmp(source, "${STATE_DIRECTORY}/${NAME}/", 27) == 0)
            deploy_append(arena, &text, "d ${STATE_DIRECTORY}/${NAME} 0711 ${HOST_UID} ${HOST_GID} - -\n");
        if (bind->is_shared)
            deploy_append(arena, &text, "%c %s%s%s - - - - -\n", bind->line, quote, source, quote);
        else if (is_root)
            deploy_append(arena, &text, "%c %s%s%s %04o ${HOST_UID} ${HOST_GID} - -\n", bind->line, quote, source,
                          quote, (unsigned)bind->mode);
        else
            deploy_append(arena, &text, "%c %s%s%s %04o %u %u - -\n", bind->line, quote, source, quote,
                          (unsigned)bind->mode, (unsigned)bind->uid, (unsigned)bind->gid);
    }
    return text;
}

static void set_pairs(json_t *manifest, const char *key, const struct yaml_pairs *pairs, const struct strings *more)
{
    json_t *pairs_json = json_object();
    for (size_t i = 0; more && i < more->count; i++)
        (void)json_object_set_new(pairs_json, more->items[i], json_string(""));
    for (size_t i = 0; i < pairs->count; i++)
        (void)json_object_set_new(pairs_json, pairs->items[i].key, json_string(pairs->items[i].value));
    if (json_object_size(pairs_json) || strcmp(key, "defaultValues") == 0)
        (void)json_object_set(manifest, key, pairs_json);
    json_decref(pairs_json);
}

static const char *manifest_json(struct arena *arena, const struct system_container *system,
                                 const struct make_request *request)
{
    json_auto_t *manifest = json_pack("{s:s}", "version", "1.0");
    struct yaml_pairs variables = {0};
    for (size_t i = 0; i < system->variables.count; i++) { /* the installer gives NAME */
        if (strcmp(system->variables.items[i].key, "NAME") != 0)
            list_add(arena, &variables, system->variables.items[i]);
    }
    set_pairs(manifest, "defaultValues", &variables, request->contract ? &request->contract->secrets : NULL);
    set_pairs(manifest, "renameFiles", &system->renames, NULL);
    if (system->has_no_service)
        (void)json_object_set_new(manifest, "noContainerService", json_true());
    json_t *templates = json_array();
    for (size_t i = 0; i < system->templates.count; i++)
        (void)json_array_append_new(templates, json_string(system->templates.items[i]));
    if (json_array_size(templates))
        (void)json_object_set(manifest, "installedFilesTemplate", templates);
    json_decref(templates);
    return json_text(arena, manifest);
}

/* Places for mounts that a runtime cannot make on a root that it may not write to (NFS). */
static void add_mount_points(struct arena *arena, const struct make_request *request, struct wishes *wishes)
{
    struct make_binds binds = make_binds_of(arena, request);
    for (size_t i = 0; i < binds.count; i++) {
        bool is_file = !binds.items[i].line || binds.items[i].line == 'f';
        struct wish_made made = {.kind = is_file ? MADE_FILE : MADE_DIRECTORY,
                                 .path = binds.items[i].path,
                                 .mode = is_file ? 0644 : 0755,
                                 .owner = "root",
                                 .group = "root",
                                 .content = "",
                                 .is_automatic = true,
                                 .why = "something of the host is mounted here"};
        list_add(arena, &wishes->made, made);
    }
}

struct wishes system_make_exports(struct arena *arena, const struct system_container *system, const char *description,
                                  const struct make_request *request)
{
    struct wishes wishes = {0};
    if (!system->has_config && !system->has_no_service) {
        add_file(arena, &wishes, system_file_names[SYSTEM_CONFIG], config_template(arena, request));
        add_mount_points(arena, request, &wishes);
    }
    if (!system->has_service && !system->has_no_service)
        add_file(arena, &wishes, system_file_names[SYSTEM_SERVICE], service_template(arena, description, request));
    if (!system->has_manifest)
        add_file(arena, &wishes, system_file_names[SYSTEM_MANIFEST], manifest_json(arena, system, request));
    if (!system->has_tmpfiles && !system->has_no_service)
        add_file(arena, &wishes, system_file_names[SYSTEM_TMPFILES], tmpfiles_template(arena, request));
    return wishes;
}
