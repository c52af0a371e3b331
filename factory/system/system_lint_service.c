/* SPDX-License-Identifier: Apache-2.0 */
/* service.template: a unit of systemd (systemd.syntax(7), systemd.service(5)) that starts the runtime. */
#include "system/system_lint_parts.h"

#define FILE_NAME SYSTEM_EXPORTS "/service.template"

struct unit_line {
    const char *section, *key, *value;
    size_t number;
};

struct unit_lines {
    struct unit_line *items;
    size_t count, capacity;
};

static void fault(struct lint *lint, size_t line, const char *text)
{
    system_find(lint->findings, false, FILE_NAME, line ? arena_printf(lint->arena, "line %zu", line) : NULL, "%s",
                text);
}

static void check_section(struct lint *lint, const char *section, size_t number)
{
    static const char *const known[] = {"Unit", "Service", "Install"};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(section, known[i]) == 0)
            return;
    }
    if (strncmp(section, "X-", 2) != 0)
        fault(lint, number, arena_printf(lint->arena, "a service has no section [%s]", section));
}

/* Reads the assignments as they stand in the template. */
static void read_lines(struct lint *lint, struct unit_lines *lines)
{
    struct text rest = lint->request->exports->files[SYSTEM_SERVICE], line;
    const char *section = NULL;
    bool is_continued = false;
    for (size_t number = 1; text_next(&rest, '\n', &line); number++) {
        line = text_trim(line);
        bool was_continued = is_continued;
        is_continued = text_has_suffix(line, "\\");
        const char *sign = line.len ? memchr(line.ptr, '=', line.len) : NULL;
        if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';' || was_continued)
            continue;
        if (line.ptr[0] == '[' && text_has_suffix(line, "]")) {
            section = arena_strndup(lint->arena, line.ptr + 1, line.len - 2);
            check_section(lint, section, number);
        } else if (!sign || sign == line.ptr) {
            fault(lint, number, "is no section, no assignment and no comment");
        } else if (!section) {
            fault(lint, number, "stands before the first section");
        } else {
            struct text key = text_trim((struct text){line.ptr, (size_t)(sign - line.ptr)});
            struct text value = text_trim((struct text){sign + 1, (size_t)(line.ptr + line.len - sign - 1)});
            list_add(lint->arena, lines,
                     (struct unit_line){section, text_dup(lint->arena, key), text_dup(lint->arena, value), number});
        }
    }
}

static const struct unit_line *find(const struct unit_lines *lines, const char *section, const char *key)
{
    for (size_t i = lines->count; i-- > 0;) {
        if (strcmp(lines->items[i].section, section) == 0 && strcmp(lines->items[i].key, key) == 0)
            return &lines->items[i];
    }
    return NULL;
}

/* Whether a value uses a variable, written either way. */
static bool uses(struct lint *lint, const char *value, const char *name)
{
    struct system_template source = {FILE_NAME, text_of(value), SYSTEM_TEMPLATE_LINES};
    struct system_template_uses found;
    struct err ignored = {0};
    if (!system_template_uses(lint->arena, &source, &found, &ignored))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (strcmp(found.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_wanted(struct lint *lint, const struct unit_lines *lines, const char *key, const char *variable)
{
    const struct unit_line *line = find(lines, "Service", key);
    if (!line)
        fault(lint, 0, arena_printf(lint->arena, "has no %s= in [Service]; write %s=$%s", key, key, variable));
    else if (!uses(lint, line->value, variable))
        fault(lint, line->number, arena_printf(lint->arena, "%s= does not use $%s", key, variable));
}

/* Detached, the runtime ends when the container runs: then systemd has to follow the PID file. */
static void check_detached(struct lint *lint, const struct unit_lines *lines)
{
    struct text text = lint->request->exports->files[SYSTEM_SERVICE];
    const struct unit_line *pid = find(lines, "Service", "PIDFile"), *type = find(lines, "Service", "Type"),
                           *post = find(lines, "Service", "ExecStopPost");
    bool is_forking = type && strcmp(type->value, "forking") == 0;
    bool has_pid = pid && uses(lint, pid->value, "PIDFILE"),
         has_post = post && uses(lint, post->value, "EXEC_STOPPOST");
    if (has_pid != has_post)
        fault(lint, has_pid ? pid->number : post->number,
              "$PIDFILE and $EXEC_STOPPOST go together: with both the runtime starts detached");
    else if (system_is_detached(text) && !has_pid)
        fault(lint, 0, "uses $PIDFILE and $EXEC_STOPPOST, but not in PIDFile= and ExecStopPost=");
    else if (has_pid && !is_forking)
        fault(lint, type ? type->number : pid->number,
              "the runtime starts detached (PIDFile=$PIDFILE), which wants Type=forking");
    else if (is_forking && !has_pid)
        fault(lint, type->number,
              "Type=forking waits for a runtime that starts detached: that wants PIDFile=$PIDFILE and "
              "ExecStopPost=$EXEC_STOPPOST");
}

static void check_words(struct lint *lint, const struct unit_lines *lines)
{
    static const char *const types[] = {"simple", "exec",   "forking",       "oneshot",
                                        "dbus",   "notify", "notify-reload", "idle"};
    static const char *const restarts[] = {"no",          "on-success", "on-failure", "on-abnormal",
                                           "on-watchdog", "on-abort",   "always"};
    const struct unit_line *type = find(lines, "Service", "Type"), *restart = find(lines, "Service", "Restart");
    bool is_type = !type, is_restart = !restart;
    for (size_t i = 0; type && i < ARRAY_COUNT(types); i++)
        is_type = is_type || strcmp(types[i], type->value) == 0;
    for (size_t i = 0; restart && i < ARRAY_COUNT(restarts); i++)
        is_restart = is_restart || strcmp(restarts[i], restart->value) == 0;
    if (!is_type)
        fault(lint, type->number, arena_printf(lint->arena, "systemd knows no Type=%s", type->value));
    if (!is_restart)
        fault(lint, restart->number, arena_printf(lint->arena, "systemd knows no Restart=%s", restart->value));
    if (!find(lines, "Install", "WantedBy"))
        system_find(lint->findings, true, FILE_NAME, NULL, "has no WantedBy= in [Install]: nothing starts it at boot");
}

void lint_service(struct lint *lint)
{
    struct unit_lines lines = {0};
    if (!lint->request->exports->files[SYSTEM_SERVICE].ptr)
        return;
    if (lint->manifest.has_no_service) {
        system_find(lint->findings, true, FILE_NAME, NULL, "is not used: manifest.json has noContainerService");
        return;
    }
    (void)lint_fill(lint, SYSTEM_SERVICE, SYSTEM_TEMPLATE_LINES);
    read_lines(lint, &lines);
    check_wanted(lint, &lines, "ExecStart", "EXEC_START");
    check_wanted(lint, &lines, "ExecStop", "EXEC_STOP");
    check_wanted(lint, &lines, "WorkingDirectory", "DESTDIR");
    check_detached(lint, &lines);
    check_words(lint, &lines);
}
