/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_words.h"

struct option {
    const char *long_name; /* or NULL */
    char letter;           /* or '\0' */
    bool has_value;
    enum script_option id;
};

#define OPTIONS_END                                                                                                    \
    {                                                                                                                  \
        NULL, '\0', false, OPTION_IGNORED                                                                              \
    }

static const struct option adduser_options[] = {{"system", 0, false, OPTION_SYSTEM},
                                                {"group", 0, false, OPTION_OWN_GROUP},
                                                {"ingroup", 0, true, OPTION_GROUP},
                                                {"gid", 0, true, OPTION_GROUP},
                                                {"uid", 0, true, OPTION_NUMBER},
                                                {"home", 0, true, OPTION_HOME},
                                                {"no-create-home", 0, false, OPTION_NO_HOME},
                                                {"shell", 0, true, OPTION_SHELL},
                                                {"gecos", 0, true, OPTION_COMMENT},
                                                {"comment", 0, true, OPTION_COMMENT},
                                                {"conf", 0, true, OPTION_IGNORED},
                                                {"firstuid", 0, true, OPTION_IGNORED},
                                                {"lastuid", 0, true, OPTION_IGNORED},
                                                {"firstgid", 0, true, OPTION_IGNORED},
                                                {"lastgid", 0, true, OPTION_IGNORED},
                                                OPTIONS_END};

static const struct option useradd_options[] = {{"system", 'r', false, OPTION_SYSTEM},
                                                {"gid", 'g', true, OPTION_GROUP},
                                                {"groups", 'G', true, OPTION_GROUPS},
                                                {"uid", 'u', true, OPTION_NUMBER},
                                                {"home-dir", 'd', true, OPTION_HOME},
                                                {"home", 0, true, OPTION_HOME},
                                                {"create-home", 'm', false, OPTION_CREATE_HOME},
                                                {"no-create-home", 'M', false, OPTION_NO_HOME},
                                                {"no-user-group", 'N', false, OPTION_NO_GROUP},
                                                {"shell", 's', true, OPTION_SHELL},
                                                {"comment", 'c', true, OPTION_COMMENT},
                                                {"base-dir", 'b', true, OPTION_IGNORED},
                                                {"expiredate", 'e', true, OPTION_IGNORED},
                                                {"inactive", 'f', true, OPTION_IGNORED},
                                                {"skel", 'k', true, OPTION_IGNORED},
                                                {"key", 'K', true, OPTION_IGNORED},
                                                {"password", 'p', true, OPTION_IGNORED},
                                                {"root", 'R', true, OPTION_IGNORED},
                                                OPTIONS_END};

static const struct option groupadd_options[] = {{"gid", 'g', true, OPTION_GROUP},
                                                 {"key", 'K', true, OPTION_IGNORED},
                                                 {"password", 'p', true, OPTION_IGNORED},
                                                 {"conf", 0, true, OPTION_IGNORED},
                                                 OPTIONS_END};

static const struct option usermod_options[] = {{"append", 'a', false, OPTION_ADD},
                                                {"groups", 'G', true, OPTION_GROUPS},
                                                {"gid", 'g', true, OPTION_GROUP},
                                                {"home", 'd', true, OPTION_HOME},
                                                {"shell", 's', true, OPTION_SHELL},
                                                {"comment", 'c', true, OPTION_COMMENT},
                                                {"uid", 'u', true, OPTION_NUMBER},
                                                {"login", 'l', true, OPTION_IGNORED},
                                                {"password", 'p', true, OPTION_IGNORED},
                                                {"expiredate", 'e', true, OPTION_IGNORED},
                                                OPTIONS_END};

static const struct option gpasswd_options[] = {{"add", 'a', true, OPTION_MEMBER},
                                                {"delete", 'd', true, OPTION_IGNORED},
                                                {"members", 'M', true, OPTION_IGNORED},
                                                OPTIONS_END};

static const struct option override_options[] = {
    {"add", 0, false, OPTION_ADD}, {"remove", 0, false, OPTION_REMOVE}, OPTIONS_END};

static const struct option ucf_options[] = {{"debconf-template", 0, true, OPTION_IGNORED},
                                            {"src-dir", 's', true, OPTION_IGNORED},
                                            {"sum-file", 0, true, OPTION_IGNORED},
                                            {"state-dir", 0, true, OPTION_IGNORED},
                                            {"package", 'P', true, OPTION_IGNORED},
                                            {"purge", 'p', false, OPTION_REMOVE},
                                            OPTIONS_END};

static const struct option install_options[] = {{"directory", 'd', false, OPTION_DIRECTORY},
                                                {"owner", 'o', true, OPTION_OWNER},
                                                {"group", 'g', true, OPTION_GROUP},
                                                {"mode", 'm', true, OPTION_MODE},
                                                {"target-directory", 't', true, OPTION_TARGET},
                                                {"suffix", 'S', true, OPTION_IGNORED},
                                                OPTIONS_END};

static const struct option mkdir_options[] = {
    {"parents", 'p', false, OPTION_PARENTS}, {"mode", 'm', true, OPTION_MODE}, OPTIONS_END};

static const struct option copy_options[] = {{"archive", 'a', false, OPTION_AS_IT_IS},
                                             {"recursive", 'r', false, OPTION_DEEP},
                                             {NULL, 'R', false, OPTION_DEEP},
                                             {NULL, 'd', false, OPTION_AS_IT_IS},
                                             {"no-dereference", 'P', false, OPTION_AS_IT_IS},
                                             {"preserve", 'p', false, OPTION_PRESERVE},
                                             {"no-clobber", 'n', false, OPTION_NO_CLOBBER},
                                             {"target-directory", 't', true, OPTION_TARGET},
                                             {"no-target-directory", 'T', false, OPTION_NOT_INTO},
                                             {"suffix", 'S', true, OPTION_IGNORED},
                                             OPTIONS_END};

static const struct option link_options[] = {
    {"symbolic", 's', false, OPTION_SYMBOLIC},       {"force", 'f', false, OPTION_FORCE},
    {"no-dereference", 'n', false, OPTION_NOT_INTO}, {"no-target-directory", 'T', false, OPTION_NOT_INTO},
    {"target-directory", 't', true, OPTION_TARGET},  OPTIONS_END};

static const struct option change_options[] = {{"recursive", 'R', false, OPTION_DEEP},
                                               {"from", 0, true, OPTION_REMOVE},
                                               {"reference", 0, true, OPTION_REMOVE},
                                               OPTIONS_END};

static const struct option touch_options[] = {{"date", 'd', true, OPTION_IGNORED},
                                              {NULL, 't', true, OPTION_IGNORED},
                                              {"reference", 'r', true, OPTION_IGNORED},
                                              {"no-create", 'c', false, OPTION_NO_CLOBBER},
                                              OPTIONS_END};

static const struct option remove_options[] = {{"recursive", 'r', false, OPTION_DEEP}, OPTIONS_END};

static const struct option setcap_options[] = {{NULL, 'q', false, OPTION_IGNORED},
                                               {NULL, 'r', false, OPTION_REMOVE},
                                               {NULL, 'v', false, OPTION_REMOVE},
                                               {NULL, 'n', true, OPTION_IGNORED},
                                               OPTIONS_END};

static const struct option enable_options[] = {OPTIONS_END};

static const struct {
    const char *name;
    const struct option *options;
} commands[] = {
    {"adduser", adduser_options},
    {"addgroup", adduser_options},
    {"useradd", useradd_options},
    {"groupadd", groupadd_options},
    {"usermod", usermod_options},
    {"gpasswd", gpasswd_options},
    {"install", install_options},
    {"mkdir", mkdir_options},
    {"cp", copy_options},
    {"mv", copy_options},
    {"ln", link_options},
    {"chown", change_options},
    {"chgrp", change_options},
    {"chmod", change_options},
    {"touch", touch_options},
    {"rm", remove_options},
    {"ucf", ucf_options},
    {"dpkg-statoverride", override_options},
    {"setcap", setcap_options},
    {"php_invoke", enable_options},
    {"a2enmod", enable_options},
    {"a2enconf", enable_options},
    {"a2ensite", enable_options},
    {"apache2_invoke", enable_options},
    {"lighty-enable-mod", enable_options},
};

static bool is_end(const struct option *option)
{
    return !option->long_name && !option->letter;
}

static void set(struct script_words *words, const struct option *option, const struct shell_word *value)
{
    words->has[option->id] = true;
    words->values[option->id] = value;
}

/* Takes --name, --name=value or --name value; returns how many further words it took. */
static size_t take_long(struct arena *arena, const struct option *options, const struct shell_command *command,
                        size_t at, struct script_words *words)
{
    const struct shell_word *word = &command->items[at];
    const char *name = word->text + 2, *sign = strchr(name, '=');
    size_t len = sign ? (size_t)(sign - name) : strlen(name);
    for (; !is_end(options); options++) {
        if (!options->long_name || strlen(options->long_name) != len || strncmp(options->long_name, name, len) != 0)
            continue;
        struct shell_word *value = arena_new(arena, struct shell_word);
        *value = (struct shell_word){.text = sign ? sign + 1 : NULL, .is_constant = word->is_constant};
        bool is_next = options->has_value && !sign && at + 1 < command->count;
        set(words, options, sign ? value : is_next ? &command->items[at + 1] : NULL);
        return is_next;
    }
    return 0;
}

/* Takes -x, -xy, -xVALUE or -x VALUE. */
static size_t take_short(struct arena *arena, const struct option *options, const struct shell_command *command,
                         size_t at, struct script_words *words)
{
    const struct shell_word *word = &command->items[at];
    for (const char *letter = word->text + 1; *letter; letter++) {
        const struct option *option = options;
        while (!is_end(option) && option->letter != *letter)
            option++;
        if (is_end(option))
            continue;
        if (!option->has_value) {
            set(words, option, NULL);
            continue;
        }
        struct shell_word *value = arena_new(arena, struct shell_word);
        *value = (struct shell_word){.text = letter + 1, .is_constant = word->is_constant};
        bool is_next = !letter[1] && at + 1 < command->count;
        set(words, option, is_next ? &command->items[at + 1] : value);
        return is_next;
    }
    return 0;
}

bool script_words_sort(struct arena *arena, const char *name, const struct shell_command *command,
                       struct script_words *ret_words)
{
    const struct option *options = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        options = strcmp(name, commands[i].name) == 0 ? commands[i].options : options;
    *ret_words = (struct script_words){0};
    bool is_over = false;
    for (size_t i = 1; options && i < command->count; i++) {
        const char *text = command->items[i].text;
        bool is_option = !is_over && text[0] == '-' && text[1];
        if (!is_option)
            list_add(arena, &ret_words->operands, command->items[i]);
        else if (text[1] != '-')
            i += take_short(arena, options, command, i, ret_words);
        else if (text[2])
            i += take_long(arena, options, command, i, ret_words);
        else
            is_over = true;
    }
    return options != NULL;
}

const char *script_words_value(const struct script_words *words, enum script_option option)
{
    const struct shell_word *value = words->values[option];
    return value && value->is_constant && value->text ? value->text : NULL;
}
