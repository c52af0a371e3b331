/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that enable a piece of configuration by a link to it: a2enmod(8), phpenmod(8), lighty-enable-mod(1) and what scripts
 * call in their place. */
#include "effect/script_maker.h"

#include "package/path.h"

#define PRIORITY "; priority="
#define PRIORITY_DEFAULT "20"

#define APACHE_STATE "/var/lib/apache2"

/* `command` with `verb` as its first word, if there is one; then names. '*' in a file's name: whatever stands there. `noted`: where
 * an empty file says who did it, a package (-m) or an administrator; only packages' scripts read that. */
static const struct enabler {
    const char *command, *verb, *available, *enabled, *files[2], *noted;
} enablers[] = {
    {"a2enmod",
     NULL,
     "/etc/apache2/mods-available",
     "/etc/apache2/mods-enabled",
     {"%s.load", "%s.conf"},
     APACHE_STATE "/module"},
    {"a2enconf", NULL, "/etc/apache2/conf-available", "/etc/apache2/conf-enabled", {"%s.conf"}, APACHE_STATE "/conf"},
    {"a2ensite", NULL, "/etc/apache2/sites-available", "/etc/apache2/sites-enabled", {"%s.conf"}, APACHE_STATE "/site"},
    {"apache2_invoke",
     "enmod",
     "/etc/apache2/mods-available",
     "/etc/apache2/mods-enabled",
     {"%s.load", "%s.conf"},
     APACHE_STATE "/module"},
    {"apache2_invoke",
     "enconf",
     "/etc/apache2/conf-available",
     "/etc/apache2/conf-enabled",
     {"%s.conf"},
     APACHE_STATE "/conf"},
    {"apache2_invoke",
     "ensite",
     "/etc/apache2/sites-available",
     "/etc/apache2/sites-enabled",
     {"%s.conf"},
     APACHE_STATE "/site"},
    {"lighty-enable-mod", NULL, "/etc/lighttpd/conf-available", "/etc/lighttpd/conf-enabled", {"*-%s.conf"}, NULL},
};

/* Puts the name where "%s" stands. */
static const char *file_of(struct arena *arena, const char *pattern, const char *name)
{
    const char *at = strstr(pattern, "%s");
    return arena_printf(arena, "%.*s%s%s", (int)(at - pattern), pattern, name, at + 2);
}

static void link_to(struct script_maker *maker, const char *path, const char *target)
{
    struct wish_made *made = script_is_there(maker, path) ? NULL : script_make(maker, MADE_SYMLINK, path);
    if (made)
        made->target = target;
}

static bool has_word(const struct shell_command *command, const char *word)
{
    for (size_t i = 1; i < command->count; i++) {
        if (strcmp(command->items[i].text, word) == 0)
            return true;
    }
    return false;
}

static void note(struct script_maker *maker, const struct enabler *enabler, const char *name)
{
    const char *who = enabler->verb || has_word(&maker->at->call.command, "-m") ? "maint" : "admin";
    const char *dir = arena_printf(maker->arena, "%s/enabled_by_%s", enabler->noted, who);
    (void)script_make_directory(maker, enabler->noted, 0755);
    (void)script_make_directory(maker, dir, 0755);
    struct wish_made *made = script_make(maker, MADE_FILE, arena_printf(maker->arena, "%s/%s", dir, name));
    if (made)
        made->content = "";
}

static void enable(struct script_maker *maker, const struct enabler *enabler, const char *name)
{
    if (maker->is_installed && enabler->noted)
        note(maker, enabler, name);
    for (size_t i = 0; i < ARRAY_COUNT(enabler->files) && enabler->files[i]; i++) {
        struct strings paths = {0};
        const char *pattern =
            arena_printf(maker->arena, "%s/%s", enabler->available, file_of(maker->arena, enabler->files[i], name));
        if (path_is_glob(pattern))
            script_world_glob(&maker->world, pattern, &paths);
        else if (script_is_there(maker, pattern))
            list_add(maker->arena, &paths, pattern);
        for (size_t j = 0; j < paths.count; j++) {
            const char *base = path_basename(paths.items[j]);
            link_to(maker, arena_printf(maker->arena, "%s/%s", enabler->enabled, base),
                    arena_printf(maker->arena, "../%s/%s", path_basename(enabler->available), base));
        }
    }
}

/* What an extension says of its place among others: "; priority=10". */
static const char *priority_of(struct script_maker *maker, const char *path)
{
    const struct wish_made *made = script_made(maker, path);
    const char *source = made && made->kind == MADE_COPY ? made->source : path;
    const struct sourced *file = fileset_walk(maker->set, maker->arena, source, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    struct text rest = {content ? content->data : "", content ? (size_t)content->size_bytes : 0}, line;
    uint64_t number;
    while (rest.len && text_next(&rest, '\n', &line)) {
        size_t len = strlen(PRIORITY);
        if (text_has_prefix(line, PRIORITY) &&
            text_parse_u64(text_trim((struct text){line.ptr + len, line.len - len}), &number) && number < 100)
            return arena_printf(maker->arena, "%02u", (unsigned)number);
    }
    return PRIORITY_DEFAULT;
}

/* php_invoke enmod VERSION SAPI|ALL EXTENSION: a link for each way to run PHP whose package is there. */
static void enable_extension(struct script_maker *maker, const char *version, const char *sapi, const char *name)
{
    struct strings dirs = {0};
    const char *path = arena_printf(maker->arena, "/etc/php/%s/mods-available/%s.ini", version, name);
    const char *place = arena_printf(maker->arena, "/etc/php/%s/%s/conf.d", version, strcmp(sapi, "ALL") ? sapi : "*");
    if (!script_is_there(maker, path))
        return;
    if (path_is_glob(place))
        script_world_glob(&maker->world, place, &dirs);
    else
        list_add(maker->arena, &dirs, place);
    for (size_t i = 0; i < dirs.count; i++)
        link_to(maker, arena_printf(maker->arena, "%s/%s-%s.ini", dirs.items[i], priority_of(maker, path), name), path);
}

void script_enable(struct script_maker *maker, const struct script_words *words)
{
    const struct shell_command *operands = &words->operands;
    const char *command = shell_call_name(&maker->at->call);
    for (size_t i = 0; i < operands->count; i++) {
        if (!operands->items[i].is_constant || strchr(operands->items[i].text, '/') || !maker->at->call.is_sure)
            return;
    }
    const char *verb = operands->count ? operands->items[0].text : "";
    if (strcmp(command, "php_invoke") == 0 && operands->count == 4 && strcmp(verb, "enmod") == 0)
        enable_extension(maker, operands->items[1].text, operands->items[2].text, operands->items[3].text);
    for (size_t i = 0; i < ARRAY_COUNT(enablers); i++) {
        bool is_it = strcmp(command, enablers[i].command) == 0;
        if (!is_it || (enablers[i].verb && strcmp(verb, enablers[i].verb) != 0))
            continue;
        for (size_t j = enablers[i].verb != NULL; j < operands->count; j++)
            enable(maker, &enablers[i], operands->items[j].text);
    }
}
