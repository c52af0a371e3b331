/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/foreground.h"

#include "plan/data_folder.h"
#include "plan/rules.h"

#include <fnmatch.h>

#define ROW(type, key, member, is_required) YAML_FIELD(type, foreground, key, member, is_required, ALTERS_ORDER)

static const struct yaml_field row_fields[] = {
    ROW(YAML_STRINGS, "program", programs, true),
    ROW(YAML_STRINGS, "package", packages, false),
    ROW(YAML_STRINGS, "add", add, false),
    ROW(YAML_STRINGS, "remove", remove, false),
    ROW(YAML_STRINGS, "remove-with-value", values, false),
    ROW(YAML_STRINGS, "unless", unless, false),
    ROW(YAML_PAIRS, "change", change, false),
    ROW(YAML_STRING, "options-of", options_of, false),
    ROW(YAML_BOOL, "last", is_last, false),
    ROW(YAML_BOOL, "always", is_always, false),
    ROW(YAML_STRING, "note", note, false),
};

/* A file as it is read. */
struct foreground_file {
    const struct yaml_node *programs;
};

static const struct yaml_field file_fields[] = {
    YAML_FIELD(YAML_NODE, foreground_file, "programs", programs, true, ALTERS_ORDER),
};

static bool check_lines(struct arena *arena, const struct yaml_node *row, const char *key,
                        const struct strings *strings, struct err *err)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (!strings->items[i][0] || !rule_is_one_line(strings->items[i], false))
            return yaml_fail(yaml_item(yaml_get(row, key), i), err, "'%s' is empty or not one line",
                             text_printable(arena, text_of(strings->items[i])));
    }
    return true;
}

static bool check_row(struct arena *arena, const struct yaml_node *node, const struct foreground *row, struct err *err)
{
    for (size_t i = 0; i < row->programs.count; i++) {
        if (strchr(row->programs.items[i], '/'))
            return yaml_fail(yaml_item(yaml_get(node, "program"), i), err, "'%s' is a path; a file's name is wanted",
                             text_printable(arena, text_of(row->programs.items[i])));
    }
    if (row->note && !rule_is_one_line(row->note, false))
        return yaml_fail(yaml_get(node, "note"), err, "'note' must be one line of text");
    return check_lines(arena, node, "program", &row->programs, err) &&
           check_lines(arena, node, "package", &row->packages, err) &&
           check_lines(arena, node, "add", &row->add, err) && check_lines(arena, node, "remove", &row->remove, err) &&
           check_lines(arena, node, "remove-with-value", &row->values, err) &&
           check_lines(arena, node, "unless", &row->unless, err);
}

bool foregrounds_load(struct arena *arena, const struct strings *dirs, struct foregrounds *ret_foregrounds,
                      struct err *err)
{
    struct data_folder files;
    if (!data_folder_load(arena, dirs, "list of programs", &files, err))
        return false;
    struct foregrounds foregrounds = {.digest = files.digest};
    for (size_t i = 0; i < files.count; i++) {
        struct foreground_file file = {0};
        if (!yaml_read(arena, files.items[i].root, file_fields, ARRAY_COUNT(file_fields), &file, err))
            return false;
        if (file.programs->kind != YAML_SEQUENCE)
            return yaml_fail(file.programs, err, "'programs' wants a list, not %s",
                             yaml_kind_name(file.programs->kind));
        for (size_t j = 0; j < file.programs->count; j++) {
            struct foreground row = {0};
            if (!yaml_read(arena, file.programs->items[j], row_fields, ARRAY_COUNT(row_fields), &row, err) ||
                !check_row(arena, file.programs->items[j], &row, err))
                return false;
            list_add(arena, &foregrounds, row);
        }
    }
    *ret_foregrounds = foregrounds;
    return true;
}

static bool is_of_program(const struct foreground *row, const char *name)
{
    for (size_t i = 0; i < row->programs.count; i++) {
        if (fnmatch(row->programs.items[i], name, 0) == 0)
            return true;
    }
    return false;
}

const struct foreground *foreground_find(const struct foregrounds *foregrounds, const char *program,
                                         const char *package)
{
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    const struct foreground *found = NULL;
    for (size_t i = 0; i < foregrounds->count; i++) {
        const struct foreground *row = &foregrounds->items[i];
        if (!is_of_program(row, name))
            continue;
        if (row->packages.count && package && strings_has(&row->packages, package))
            return row;
        if (!row->packages.count && !found)
            found = row;
    }
    return found;
}

/* Returns whether the words stand in the command one after the other. */
static bool has_run(const struct strings *words, const struct strings *run)
{
    for (size_t i = 1; words->items && i < words->count && run->count <= words->count - i; i++) {
        size_t same = 0;
        while (same < run->count && strcmp(words->items[i + same], run->items[same]) == 0)
            same++;
        if (same == run->count)
            return true;
    }
    return false;
}

static bool has_any(const struct strings *words, const struct strings *wanted)
{
    for (size_t i = 1; i < words->count; i++) {
        if (strings_has(wanted, words->items[i]))
            return true;
    }
    return false;
}

/* Returns how many words an option takes away that is written as "-o value" or "--option=value"; 0 for others. */
static size_t taken_words(const struct strings *values, const char *word)
{
    for (size_t i = 0; i < values->count; i++) {
        size_t len = strlen(values->items[i]);
        if (strncmp(word, values->items[i], len) == 0 && (!word[len] || word[len] == '='))
            return word[len] ? 1 : 2;
    }
    return 0;
}

static const char *changed(const struct foreground *foreground, const char *word)
{
    for (size_t i = 0; i < foreground->change.count; i++) {
        if (strcmp(foreground->change.items[i].key, word) == 0)
            return foreground->change.items[i].value;
    }
    return word;
}

struct strings foreground_words(struct arena *arena, const struct foreground *foreground, const struct strings *words)
{
    struct strings kept = {0}, result = {0};
    for (size_t i = 0; i < words->count; i++) {
        size_t taken = i ? taken_words(&foreground->values, words->items[i]) : 0;
        if (taken == 2 && (i + 1 == words->count || words->items[i + 1][0] == '-'))
            taken = 1;
        if (taken)
            i += taken - 1;
        else if (!i || !strings_has(&foreground->remove, words->items[i]))
            list_add(arena, &kept, i ? changed(foreground, words->items[i]) : words->items[i]);
    }
    if (!foreground->add.count || has_run(&kept, &foreground->add) || has_any(&kept, &foreground->unless))
        return kept;
    for (size_t i = 0; i < kept.count; i++) {
        list_add(arena, &result, kept.items[i]);
        for (size_t j = 0; j < foreground->add.count && i == (foreground->is_last ? kept.count - 1 : 0); j++)
            list_add(arena, &result, foreground->add.items[j]);
    }
    return result;
}
