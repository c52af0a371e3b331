/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - a temporary directory of YAML files that a test makes */
#ifndef IMGFACTORY_TESTS_FOLDER_H
#define IMGFACTORY_TESTS_FOLDER_H

#include "check.h"

#include "base/arena.h"
#include "base/list.h"

struct folder {
    struct arena arena;
    const char *dir;
    struct strings paths; /* of the files made so far */
};

/* A test that gets a folder of its own as its state. */
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

static int folder_make(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    assert_non_null(folder);
    folder->dir = arena_strdup(&folder->arena, check_temporary_dir());
    *state = folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    for (size_t i = 0; i < folder->paths.count; i++)
        (void)unlink(folder->paths.items[i]);
    (void)rmdir(folder->dir);
    arena_done(&folder->arena);
    free(folder);
    return 0;
}

/* Writes DIR/NAME.yaml and returns its path. */
static const char *put(struct folder *folder, const char *name, const char *text)
{
    const char *path = arena_printf(&folder->arena, "%s/%s.yaml", folder->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    if (!strings_has(&folder->paths, path))
        list_add(&folder->arena, &folder->paths, path);
    return path;
}

/* Reads the examples of a README: those that stand between "```yaml recipe" (for the word "recipe"; "```yaml" for none)
 * and "```". */
static inline struct strings examples(struct folder *folder, const char *readme, const char *word)
{
    FILE *file = fopen(arena_printf(&folder->arena, SOURCE_DIR "/%s", readme), "r");
    const char *fence = arena_printf(&folder->arena, "```yaml%s%s\n", *word ? " " : "", word);
    struct strings texts = {0};
    char line[2048], text[8192] = "";
    bool is_inside = false;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (!is_inside) {
            is_inside = strcmp(line, fence) == 0;
        } else if (strcmp(line, "```\n") == 0) {
            list_add(&folder->arena, &texts, arena_strdup(&folder->arena, text));
            text[0] = '\0';
            is_inside = false;
        } else {
            assert_true(strlen(text) + strlen(line) < sizeof text);
            strcat(text, line);
        }
    }
    (void)fclose(file);
    return texts;
}

#endif
