/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/pam.h"

#include "base/auto.h"

#define MODULES_MAX 256                   /* of a file; the same number of files that it includes */
#define FILE_MAX_BYTES ((size_t)64 << 10) /* of a service file, template or profile; real ones have a few KiB */
#define PROFILES_MAX 100

/* Takes one field off the front: a word, or a control in brackets, which may hold blanks. */
static bool next_field(struct text *rest, struct text *ret_field)
{
    while (rest->len && (*rest->ptr == ' ' || *rest->ptr == '\t'))
        *rest = (struct text){rest->ptr + 1, rest->len - 1};
    if (!rest->len || *rest->ptr != '[')
        return text_next_word(rest, ret_field);
    const char *end = memchr(rest->ptr, ']', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) + 1 : rest->len;
    *ret_field = (struct text){rest->ptr, len};
    *rest = (struct text){rest->ptr + len, rest->len - len};
    return true;
}

static void read_line(struct arena *arena, struct text line, struct pam_stack *stack)
{
    struct text type, control, module;
    if (!next_field(&line, &type))
        return;
    if (text_is(type, "@include")) {
        if (next_field(&line, &module))
            list_add(arena, &stack->includes, text_dup(arena, module));
        return;
    }
    if (!next_field(&line, &control) || !next_field(&line, &module))
        return;
    if (text_is_nocase(control, "include") || text_is_nocase(control, "substack"))
        list_add(arena, &stack->includes, text_dup(arena, module));
    else
        list_add(arena, &stack->modules, (struct pam_module){text_dup(arena, module), type.ptr[0] == '-'});
}

void pam_read(struct arena *arena, struct text file, struct pam_stack *ret_stack)
{
    struct text line;
    *ret_stack = (struct pam_stack){0};
    if (file.len > FILE_MAX_BYTES)
        return;
    AUTO(buf_done) struct buf joined;
    buf_init(&joined, FILE_MAX_BYTES);
    bool is_good = true; /* what is joined is never longer than the file */
    while (is_good && text_next(&file, '\n', &line)) {
        struct text own = {0}, next;
        (void)text_next(&line, '#', &own);
        joined.len = 0;
        while (is_good && own.len && own.ptr[own.len - 1] == '\\' && file.len) { /* goes on in the next line */
            (void)text_next(&file, '\n', &next);
            is_good = joined.len || buf_add(&joined, own.ptr, own.len);
            if (is_good)
                joined.bytes[joined.len - 1] = ' ';
            is_good = is_good && buf_add(&joined, next.ptr, next.len);
            own = (struct text){joined.bytes, joined.len};
        }
        if (ret_stack->modules.count < MODULES_MAX && ret_stack->includes.count < MODULES_MAX)
            read_line(arena, own, ret_stack);
    }
}

/* Finds the value of a field of a profile, its continuation lines included; "-Final" is an old name for no ending. */
static struct text profile_field(struct text profile, const char *name)
{
    struct text rest = profile, line;
    size_t len = strlen(name);
    while (text_next(&rest, '\n', &line)) {
        struct text key = {line.ptr, 0};
        while (key.len < line.len && line.ptr[key.len] != ':')
            key.len++;
        if (text_has_suffix(key, "-Final"))
            key.len -= strlen("-Final");
        if (key.len != len || memcmp(key.ptr, name, len) != 0)
            continue;
        const char *colon = memchr(line.ptr, ':', line.len);
        if (!colon)
            continue;
        const char *start = colon + 1, *end = line.ptr + line.len;
        while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '\t') && text_next(&rest, '\n', &line))
            end = line.ptr + line.len;
        return text_trim((struct text){start, (size_t)(end - start)});
    }
    return (struct text){0};
}

static uint64_t priority_of(const struct pam_profile *profile)
{
    uint64_t priority = 0;
    return text_parse_u64(profile_field(profile->text, "Priority"), &priority) ? priority : 0;
}

/* One kind of block ("Primary" or "Additional") of one type ("Auth"). */
struct block {
    struct arena *arena;
    const char *type, *word, *kind; /* "Session", "session", "Primary" */
    bool is_noninteractive;
    struct strings lines;
};

static void add_lines(struct block *block, const struct pam_profile *profile, bool is_first)
{
    struct text kind = profile_field(profile->text, arena_printf(block->arena, "%s-Type", block->type));
    if (!text_is(kind, block->kind) ||
        (block->is_noninteractive && profile_field(profile->text, "Session-Interactive-Only").len))
        return;
    struct text text = {0}, line;
    if (is_first)
        text = profile_field(profile->text, arena_printf(block->arena, "%s-Initial", block->type));
    if (!text.len)
        text = profile_field(profile->text, block->type);
    while (text_next(&text, '\n', &line)) {
        line = text_trim(line);
        if (line.len)
            list_add(block->arena, &block->lines, text_dup(block->arena, line));
    }
}

/* Writes "TYPE\tCONTROL…MODULE ARGUMENTS" with jumps to the end counted. */
static bool finish_line(const struct block *block, const char *line, size_t left, struct buf *made)
{
    struct text rest = text_of(line), control, module, word;
    if (!next_field(&rest, &control))
        return true;
    const char *after = rest.ptr;
    (void)next_field(&rest, &module);
    char *counted = text_dup(block->arena, control);
    char *end = strstr(counted, "end");
    if (end)
        counted = arena_printf(block->arena, "%.*s%zu%s", (int)(end - counted), counted, left, end + 3);
    if (!buf_printf(made, "%s\t%s", block->word, counted) ||
        !buf_add(made, after, (size_t)(module.ptr + module.len - after)) || !buf_add(made, " ", 1))
        return false;
    for (size_t i = 0; text_next_word(&rest, &word); i++) {
        if ((i && !buf_add(made, " ", 1)) || !buf_add(made, word.ptr, word.len))
            return false;
    }
    return buf_add(made, "\n", 1);
}

static bool fill_block(struct block *block, const struct pam_profile *const *sorted, size_t count, struct buf *made)
{
    for (size_t i = 0; i < count; i++)
        add_lines(block, sorted[i], block->lines.count == 0);
    bool is_primary = strcmp(block->kind, "Primary") == 0;
    if (is_primary && !block->lines.count)
        return buf_printf(made, "%s\t[default=1]\t\t\tpam_permit.so\n", block->word);
    for (size_t i = 0; i < block->lines.count; i++) {
        size_t left = block->lines.count - i - (is_primary ? 0 : 1);
        if (!finish_line(block, block->lines.items[i], left, made))
            return false;
    }
    return true;
}

/* Sorts the profiles that are on by priority, highest first, then by name. */
static const struct pam_profile **sort_profiles(struct arena *arena, const struct pam_profile *profiles, size_t count,
                                                size_t *ret_count)
{
    const struct pam_profile **sorted = arena_new_array(arena, const struct pam_profile *, count);
    size_t used = 0;
    for (size_t i = 0; i < count && used < PROFILES_MAX; i++) {
        if (profiles[i].text.len > FILE_MAX_BYTES || !text_is(profile_field(profiles[i].text, "Default"), "yes"))
            continue;
        size_t at = used++;
        for (; at > 0; at--) {
            const struct pam_profile *before = sorted[at - 1];
            uint64_t left = priority_of(before), right = priority_of(&profiles[i]);
            if (left > right || (left == right && strcmp(before->name, profiles[i].name) <= 0))
                break;
            sorted[at] = before;
        }
        sorted[at] = &profiles[i];
    }
    *ret_count = used;
    return sorted;
}

const char *pam_fill_template(struct arena *arena, struct text template, const char *type,
                              const struct pam_profile *profiles, size_t count)
{
    static const char *const kinds[] = {"Primary", "Additional"};
    bool is_noninteractive = strcmp(type, "session-noninteractive") == 0;
    char *word = is_noninteractive ? arena_strdup(arena, "session") : arena_strdup(arena, type);
    char *title = arena_strdup(arena, word);
    title[0] = (char)(title[0] - 'a' + 'A');
    size_t used, block_number = 0;
    const struct pam_profile **sorted = sort_profiles(arena, profiles, count, &used);
    AUTO(buf_done) struct buf made;
    buf_init(&made, FILE_MAX_BYTES);
    struct text line;
    bool is_good = template.len <= FILE_MAX_BYTES;
    while (is_good && text_next(&template, '\n', &line)) {
        /* "$auth_primary", "$session_nonint_additional": where the tool writes its lines */
        if (line.len && line.ptr[0] == '$' && block_number < ARRAY_COUNT(kinds)) {
            struct block block = {arena, title, word, kinds[block_number++], is_noninteractive, {0}};
            is_good = fill_block(&block, sorted, used, &made);
        } else if (line.len || template.len) {
            is_good = buf_add(&made, line.ptr, line.len) && buf_add(&made, "\n", 1);
        }
    }
    return is_good && block_number == ARRAY_COUNT(kinds) ? arena_strndup(arena, made.bytes, made.len) : NULL;
}
