#include "service/preparing.h"

#include "package/path.h"
#include "plan/rules.h"

/* One command on its way. */
struct preparing {
    struct arena *arena;
    const char *mode, *owner, *group; /* of options, or NULL */
    struct strings operands;
    bool is_directory; /* install -d */
};

/* An option with a value, as "-m 755", "-m755", "--mode=755". */
static bool take_value(const char *word, const char *next, const char *letter, const char *name, const char **ret_value,
                       size_t *at)
{
    size_t len = strlen(name);
    if (strncmp(word, name, len) == 0 && word[len] == '=')
        *ret_value = word + len + 1;
    else if (strncmp(word, letter, 2) == 0 && word[2])
        *ret_value = word + 2;
    else if ((strcmp(word, letter) == 0 || strcmp(word, name) == 0) && next) {
        *ret_value = next;
        *at += 1;
    } else {
        return false;
    }
    return true;
}

/* Sorts the words behind the command's name into options and operands. */
static void read_words(struct preparing *preparing, const struct strings *words)
{
    bool is_ended = false;
    for (size_t i = 1; i < words->count; i++) {
        const char *word = words->items[i], *next = i + 1 < words->count ? words->items[i + 1] : NULL;
        if (is_ended || word[0] != '-' || !word[1])
            list_add(preparing->arena, &preparing->operands, word);
        else if (strcmp(word, "--") == 0)
            is_ended = true;
        else if (take_value(word, next, "-m", "--mode", &preparing->mode, &i) ||
                 take_value(word, next, "-o", "--owner", &preparing->owner, &i) ||
                 take_value(word, next, "-g", "--group", &preparing->group, &i))
            continue;
        else if (word[1] != '-' && strchr(word, 'd'))
            preparing->is_directory = true;
        else if (strcmp(word, "--directory") == 0)
            preparing->is_directory = true;
    }
}

/* Reads an octal mode; what is written otherwise has the default. */
static uint32_t read_mode(const char *mode, uint32_t otherwise)
{
    uint32_t value = 0;
    if (!mode || !*mode || strlen(mode) > 5 || strspn(mode, "01234567") != strlen(mode))
        return otherwise;
    for (; *mode; mode++)
        value = value * 8 + (uint32_t)(*mode - '0');
    return value <= 07777 ? value : otherwise;
}

static const char *name_or(const char *name, const char *otherwise)
{
    uint32_t number;
    return name && (rule_is_user_name(name) || rule_parse_id(name, &number)) ? name : otherwise;
}

/* Returns the place of a path as it is written in an image, or NULL. */
static const char *place_of(struct arena *arena, const char *path)
{
    const char *why, *canonical = path[0] == '/' ? path_canonical(arena, text_of(path), &why) : NULL;
    canonical = canonical ? path_through_run(arena, canonical) : NULL;
    return canonical && strcmp(canonical, "/") != 0 && !rule_path(canonical) ? canonical : NULL;
}

void preparing_add_directory(struct arena *arena, const struct wish_made *directory, struct wishes *wishes)
{
    struct wish_made made = *directory;
    made.kind = MADE_DIRECTORY;
    made.path = place_of(arena, directory->path);
    if (made.path && !wishes_made(wishes, made.path))
        list_add(arena, &wishes->made, made);
}

static void add_directories(const struct preparing *preparing, const char *giver, struct wishes *wishes)
{
    for (size_t i = 0; i < preparing->operands.count; i++)
        preparing_add_directory(preparing->arena,
                                &(struct wish_made){.path = preparing->operands.items[i],
                                                    .mode = read_mode(preparing->mode, 0755),
                                                    .owner = name_or(preparing->owner, "root"),
                                                    .group = name_or(preparing->group, "root"),
                                                    .giver = giver},
                                wishes);
}

/* The directory of the wishes that an operand of chown and chmod means, or NULL. */
static struct wish_made *find_made(const struct preparing *preparing, size_t index, struct wishes *wishes)
{
    const char *path = place_of(preparing->arena, preparing->operands.items[index]);
    for (size_t i = 0; path && i < wishes->made.count; i++) {
        if (strcmp(wishes->made.items[i].path, path) == 0)
            return &wishes->made.items[i];
    }
    return NULL;
}

static void give_owner(const struct preparing *preparing, struct wishes *wishes)
{
    const char *spec = preparing->operands.count ? preparing->operands.items[0] : "";
    size_t len = strcspn(spec, ":.");
    const char *owner = arena_strndup(preparing->arena, spec, len), *group = spec[len] ? spec + len + 1 : NULL;
    for (size_t i = 1; i < preparing->operands.count; i++) {
        struct wish_made *made = find_made(preparing, i, wishes);
        if (!made)
            continue;
        made->owner = name_or(*owner ? owner : NULL, made->owner);
        made->group = name_or(group && !*group ? owner : group, made->group);
    }
}

static void give_mode(const struct preparing *preparing, struct wishes *wishes)
{
    for (size_t i = 1; i < preparing->operands.count; i++) {
        struct wish_made *made = find_made(preparing, i, wishes);
        if (made)
            made->mode = read_mode(preparing->operands.items[0], made->mode);
    }
}

bool preparing_add(struct arena *arena, const struct strings *words, const char *giver, struct wishes *wishes)
{
    struct preparing preparing = {.arena = arena};
    const char *name = words->count ? path_basename(words->items[0]) : "";
    read_words(&preparing, words);
    if (strcmp(name, "mkdir") == 0 || (strcmp(name, "install") == 0 && preparing.is_directory))
        add_directories(&preparing, giver, wishes);
    else if (strcmp(name, "chown") == 0)
        give_owner(&preparing, wishes);
    else if (strcmp(name, "chmod") == 0)
        give_mode(&preparing, wishes);
    else
        return false;
    return true;
}
