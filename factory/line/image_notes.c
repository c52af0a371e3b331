/* SPDX-License-Identifier: Apache-2.0 */
#include "line/image_notes.h"

#include "base/auto.h"

/* A note, and the architectures whose bills have it. */
struct shared_note {
    const char *text; /* as the first says it; with "*" for what names the architecture when another says it, too */
    struct strings arches;
};

/* The notes of an image. */
struct shared_notes {
    struct arena *arena;
    struct map by_text; /* neutral text → struct shared_note * */
};

/* Returns the text with "*" for each name of the architecture in a path. */
static const char *neutral(struct arena *arena, const char *text, const struct arch *arch)
{
    size_t len = arch->triplet ? strlen(arch->triplet) : 0;
    const char *at = len ? strstr(text, arch->triplet) : NULL;
    const char *result = "";
    for (; at; at = strstr(text, arch->triplet)) {
        result = arena_printf(arena, "%s%.*s*", result, (int)(at - text), text);
        text = at + len;
    }
    return *result ? arena_printf(arena, "%s%s", result, text) : text;
}

static void take(struct shared_notes *notes, const struct job *job)
{
    for (size_t i = 0; i < job->bill.notes.count; i++) {
        const char *text = job->bill.notes.items[i], *key = neutral(notes->arena, text, job->arch);
        struct shared_note *note = map_get(&notes->by_text, text_of(key));
        if (!note) {
            note = arena_new(notes->arena, struct shared_note);
            note->text = text;
            (void)map_add(&notes->by_text, text_of(key), note);
        } else if (strcmp(note->text, text) != 0) {
            note->text = key;
        }
        list_add(notes->arena, &note->arches, job->arch->name);
    }
}

void image_notes_log(const struct batch_image *image, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct shared_notes notes = {.arena = &scratch, .by_text = {.arena = &scratch}};
    size_t good_count = 0;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (!image->jobs[i].is_good)
            continue;
        good_count++;
        take(&notes, &image->jobs[i]);
    }
    for (size_t i = 0; i < notes.by_text.slots.count; i++) {
        const struct shared_note *note = notes.by_text.slots.items[i].value;
        bool is_of_all = good_count > 1 && note->arches.count == good_count;
        log_line(log, LOG_NORMAL, "%s%s%s: note: %s", image->manifest->name, is_of_all ? "" : " ",
                 is_of_all ? "" : strings_join(&scratch, &note->arches, ", "), note->text);
    }
}
