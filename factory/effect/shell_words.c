#include "effect/shell_words.h"

#define SCRIPT_MAX_BYTES ((size_t)1 << 20)
#define COMMANDS_MAX 20000
#define SUBSTITUTIONS_MAX 8

/* A here-document whose lines begin behind the next newline. */
struct here {
    const char *delimiter;
    bool is_tabbed; /* <<-: leading tabs do not count */
};

/* What the next finished word is. */
enum word_use { WORD_PLAIN, WORD_TARGET, WORD_HERE, WORD_HERE_TABBED };

struct shell {
    struct arena *arena;
    const char *at, *end;
    unsigned depth; /* of substitutions */
    LIST(struct here) heres;
    struct shell_commands *commands;
};

/* A command being read: each substitution has one of its own. */
struct reading {
    struct shell *shell;
    struct shell_command command;
    LIST(char) word;
    bool has_word, is_expanded;
    enum word_use use;
};

static void read_commands(struct shell *shell, char until);

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool is_assignment(const char *word)
{
    size_t len = 0;
    while ((word[len] >= 'a' && word[len] <= 'z') || (word[len] >= 'A' && word[len] <= 'Z') || word[len] == '_' ||
           (len && word[len] >= '0' && word[len] <= '9'))
        len++;
    return len && word[len] == '=';
}

/* Returns how many words stand before the command's name; all of them when it is none that starts anything. */
static size_t count_leading(const struct shell_command *command)
{
    static const char *const before[] = {"if",   "then", "else", "elif",  "while",   "until",   "do",
                                         "!",    "{",    "}",    "time",  "fi",      "done",    "esac",
                                         "exec", "env",  "eval", "nohup", "builtin", "command", "sudo"};
    static const char *const no_command[] = {"for", "case", "select", "function"};
    size_t at = 0;
    while (at < command->count) {
        const struct shell_word *word = &command->items[at];
        if (is_one_of(word->text, no_command, ARRAY_COUNT(no_command)))
            return command->count;
        if (!is_one_of(word->text, before, ARRAY_COUNT(before)) && !is_assignment(word->text))
            break;
        bool is_query =
            strcmp(word->text, "command") == 0 && at + 1 < command->count && command->items[at + 1].text[0] == '-';
        if (is_query)
            return command->count; /* command -v NAME only asks */
        at++;
    }
    return at;
}

static void end_word(struct reading *reading)
{
    struct arena *arena = reading->shell->arena;
    if (!reading->has_word)
        return;
    const char *text = arena_strndup(arena, reading->word.items ? reading->word.items : "", reading->word.count);
    struct here here = {text, reading->use == WORD_HERE_TABBED};
    switch (reading->use) {
    case WORD_PLAIN:
        list_add(arena, &reading->command, ((struct shell_word){text, !reading->is_expanded}));
        break;
    case WORD_TARGET:
        break;
    case WORD_HERE:
    case WORD_HERE_TABBED:
        list_add(arena, &reading->shell->heres, here);
        break;
    }
    reading->word.count = 0;
    reading->has_word = reading->is_expanded = false;
    reading->use = WORD_PLAIN;
}

static void end_command(struct reading *reading)
{
    end_word(reading);
    struct shell *shell = reading->shell;
    size_t leading = count_leading(&reading->command);
    if (leading < reading->command.count && shell->commands->count < COMMANDS_MAX) {
        struct shell_command command = {.items = reading->command.items + leading,
                                        .count = reading->command.count - leading};
        list_add(shell->arena, shell->commands, command);
    }
    reading->command = (struct shell_command){0};
}

static void add_char(struct reading *reading, char c)
{
    reading->has_word = true;
    list_add(reading->shell->arena, &reading->word, c);
}

/* Adds `count` characters as they are and goes past them. */
static void take(struct reading *reading, size_t count)
{
    for (; count && reading->shell->at < reading->shell->end; count--)
        add_char(reading, *reading->shell->at++);
}

static bool looks_at(const struct shell *shell, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(shell->end - shell->at) >= len && memcmp(shell->at, text, len) == 0;
}

static void take_single_quotes(struct reading *reading)
{
    struct shell *shell = reading->shell;
    reading->has_word = true;
    for (shell->at++; shell->at < shell->end && *shell->at != '\'';)
        take(reading, 1);
    shell->at += shell->at < shell->end;
}

/* Goes past ${…} or $((…)), whose insides start no command that matters here. */
static void take_braced(struct reading *reading, char open, char close)
{
    struct shell *shell = reading->shell;
    unsigned depth = 0;
    do {
        char c = *shell->at;
        depth += c == open;
        depth -= c == close;
        take(reading, c == '\\' ? 2 : 1);
    } while (depth && shell->at < shell->end);
}

/* Reads the commands of $(…) or `…`; the word holds its text. */
static void take_substitution(struct reading *reading, size_t opening, char until)
{
    struct shell *shell = reading->shell;
    const char *from = shell->at;
    shell->at += opening;
    if (shell->depth < SUBSTITUTIONS_MAX) {
        shell->depth++;
        read_commands(shell, until);
        shell->depth--;
    }
    const char *to = shell->at;
    shell->at = from;
    take(reading, (size_t)(to - from));
}

static void take_expansion(struct reading *reading)
{
    struct shell *shell = reading->shell;
    reading->is_expanded = true;
    if (*shell->at == '`') {
        take_substitution(reading, 1, '`');
    } else if (looks_at(shell, "$((")) {
        take(reading, 1);
        take_braced(reading, '(', ')');
    } else if (looks_at(shell, "$(")) {
        take_substitution(reading, 2, ')');
    } else if (looks_at(shell, "${")) {
        take(reading, 1);
        take_braced(reading, '{', '}');
    } else {
        take(reading, 1);
    }
}

static void take_double_quotes(struct reading *reading)
{
    struct shell *shell = reading->shell;
    reading->has_word = true;
    shell->at++;
    while (shell->at < shell->end && *shell->at != '"') {
        if (*shell->at == '\\' && shell->end - shell->at > 1) {
            shell->at++;
            if (*shell->at == '\n')
                shell->at++;
            else
                take(reading, 1);
        } else if (*shell->at == '$' || *shell->at == '`') {
            take_expansion(reading);
        } else {
            take(reading, 1);
        }
    }
    shell->at += shell->at < shell->end;
}

static bool is_number(const struct reading *reading)
{
    for (size_t i = 0; i < reading->word.count; i++) {
        if (reading->word.items[i] < '0' || reading->word.items[i] > '9')
            return false;
    }
    return reading->has_word;
}

/* A redirection: its number is no word, and what follows is a place or the end of a here-document. */
static void take_redirection(struct reading *reading)
{
    struct shell *shell = reading->shell;
    if (is_number(reading)) {
        reading->word.count = 0;
        reading->has_word = false;
    }
    end_word(reading);
    reading->use = WORD_TARGET;
    if (looks_at(shell, "<<<")) {
        shell->at += 3;
    } else if (looks_at(shell, "<<")) {
        shell->at += 2;
        reading->use = looks_at(shell, "-") ? WORD_HERE_TABBED : WORD_HERE;
        shell->at += reading->use == WORD_HERE_TABBED;
    } else {
        for (unsigned i = 0; i < 3 && shell->at < shell->end && strchr("<>&|", *shell->at); i++)
            shell->at++;
    }
}

/* Goes past the here-documents that were announced on the line that just ended. */
static void skip_heres(struct shell *shell)
{
    for (size_t i = 0; i < shell->heres.count; i++) {
        const struct here *here = &shell->heres.items[i];
        bool is_over = false;
        while (!is_over && shell->at < shell->end) {
            const char *newline = memchr(shell->at, '\n', (size_t)(shell->end - shell->at));
            const char *stop = newline ? newline : shell->end, *line = shell->at;
            while (here->is_tabbed && line < stop && *line == '\t')
                line++;
            is_over = text_is((struct text){line, (size_t)(stop - line)}, here->delimiter);
            shell->at = newline ? newline + 1 : shell->end;
        }
    }
    shell->heres.count = 0;
}

static void take_escape(struct reading *reading)
{
    struct shell *shell = reading->shell;
    shell->at++;
    if (shell->at < shell->end && *shell->at == '\n')
        shell->at++;
    else
        take(reading, 1);
}

static void skip_comment(struct shell *shell)
{
    while (shell->at < shell->end && *shell->at != '\n')
        shell->at++;
}

/* Reads one piece of the text that does not end the command. */
static void take_piece(struct reading *reading)
{
    struct shell *shell = reading->shell;
    char c = *shell->at;
    if (c == ' ' || c == '\t' || c == '\r') {
        end_word(reading);
        shell->at++;
    } else if (c == '#' && !reading->has_word) {
        skip_comment(shell);
    } else if (c == '\\') {
        take_escape(reading);
    } else if (c == '\'') {
        take_single_quotes(reading);
    } else if (c == '"') {
        take_double_quotes(reading);
    } else if (c == '$' || c == '`') {
        take_expansion(reading);
    } else if (c == '<' || c == '>') {
        take_redirection(reading);
    } else {
        reading->is_expanded = reading->is_expanded || c == '*' || c == '?' || c == '[' || c == '~';
        take(reading, 1);
    }
}

/* Reads to the end of the text, or past `until`, which ends a substitution. */
static void read_commands(struct shell *shell, char until)
{
    struct reading reading = {.shell = shell};
    bool is_open = true;
    while (is_open && shell->at < shell->end) {
        char c = *shell->at;
        bool is_end = c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')';
        is_open = !until || c != until;
        if (!is_end && is_open) {
            take_piece(&reading);
            continue;
        }
        end_command(&reading);
        shell->at++;
        if (c == '\n')
            skip_heres(shell);
    }
    end_command(&reading);
}

void shell_commands_list(struct arena *arena, const char *script, struct shell_commands *ret_commands)
{
    size_t len = strlen(script);
    *ret_commands = (struct shell_commands){0};
    len = len < SCRIPT_MAX_BYTES ? len : SCRIPT_MAX_BYTES;
    struct shell shell = {.arena = arena, .at = script, .end = script + len, .commands = ret_commands};
    read_commands(&shell, '\0');
}
