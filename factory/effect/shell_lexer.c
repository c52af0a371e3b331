/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_lexer.h"

#define SCRIPT_MAX_BYTES ((size_t)1 << 20)
#define TOKENS_MAX 65536
#define DEPTH_MAX 8

struct lexer {
    struct arena *arena;
    const char *at, *end;
    unsigned depth, line;
    size_t token_count;
    bool is_cut;
    LIST(struct shell_token *) heres; /* here-documents whose lines begin behind the next newline */
};

/* A word being read. */
struct reading {
    struct lexer *lexer;
    struct shell_lexeme *word; /* NULL: none was begun */
    struct shell_part **tail;
    LIST(char) text;    /* of the whole word, as it is written */
    LIST(char) literal; /* of the part that is being read */
    bool is_literal_quoted;
};

static void read_tokens(struct lexer *lexer, char until, struct shell_tokens *tokens);
static void read_expansion(struct reading *reading, bool is_quoted);

static bool looks_at(const struct lexer *lexer, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(lexer->end - lexer->at) >= len && memcmp(lexer->at, text, len) == 0;
}

static void begin_word(struct reading *reading)
{
    if (reading->word)
        return;
    reading->word = arena_new(reading->lexer->arena, struct shell_lexeme);
    reading->word->is_constant = true;
    reading->tail = &reading->word->parts;
    reading->text.count = reading->literal.count = 0;
}

static struct shell_part *add_part(struct reading *reading, const struct shell_part *part)
{
    struct shell_part *copy = arena_new(reading->lexer->arena, struct shell_part);
    *copy = *part;
    *reading->tail = copy;
    reading->tail = &copy->next;
    return copy;
}

static void end_literal(struct reading *reading)
{
    if (!reading->literal.count)
        return;
    const struct shell_part part = {
        .kind = SHELL_PART_TEXT,
        .is_quoted = reading->is_literal_quoted,
        .text = arena_strndup(reading->lexer->arena, reading->literal.items, reading->literal.count)};
    add_part(reading, &part);
    reading->literal.count = 0;
}

static void add_char(struct reading *reading, char c, bool is_quoted)
{
    begin_word(reading);
    if (reading->literal.count && reading->is_literal_quoted != is_quoted)
        end_literal(reading);
    reading->is_literal_quoted = is_quoted;
    list_add(reading->lexer->arena, &reading->literal, c);
    list_add(reading->lexer->arena, &reading->text, c);
}

/* Adds the next character of the script and goes past it. */
static void take(struct reading *reading, bool is_quoted)
{
    struct lexer *lexer = reading->lexer;
    if (lexer->at == lexer->end)
        return;
    lexer->line += *lexer->at == '\n';
    add_char(reading, *lexer->at++, is_quoted);
}

/* An empty quoted word is a word. */
static void begin_quotes(struct reading *reading)
{
    begin_word(reading);
    reading->word->has_quotes = true;
    end_literal(reading);
    const struct shell_part empty = {.kind = SHELL_PART_TEXT, .is_quoted = true, .text = ""};
    add_part(reading, &empty);
}

static struct shell_lexeme *end_word(struct reading *reading)
{
    struct shell_lexeme *word = reading->word;
    if (!word)
        return NULL;
    end_literal(reading);
    word->text =
        arena_strndup(reading->lexer->arena, reading->text.count ? reading->text.items : "", reading->text.count);
    reading->word = NULL;
    return word;
}

static struct shell_token *add_token(struct lexer *lexer, struct shell_tokens *tokens, const struct shell_token *token)
{
    struct shell_token *copy = arena_new(lexer->arena, struct shell_token);
    *copy = *token;
    copy->line = lexer->line;
    list_add(lexer->arena, tokens, copy);
    if (++lexer->token_count >= TOKENS_MAX) {
        lexer->is_cut = lexer->is_cut || lexer->at < lexer->end;
        lexer->at = lexer->end;
    }
    return copy;
}

static void take_quoted(struct reading *reading)
{
    struct lexer *lexer = reading->lexer;
    begin_quotes(reading);
    for (lexer->at++; lexer->at < lexer->end && *lexer->at != '\'';)
        take(reading, true);
    lexer->at += lexer->at < lexer->end;
}

/* What stands behind a backslash between double quotes; `is_here`: in a here-document, where quotes are none. */
static void take_escaped(struct reading *reading)
{
    struct lexer *lexer = reading->lexer;
    lexer->at++;
    if (lexer->at < lexer->end && *lexer->at == '\n') {
        lexer->at++;
        lexer->line++;
        return;
    }
    if (lexer->at < lexer->end && !strchr("$`\"\\", *lexer->at))
        list_add(lexer->arena, &reading->literal, '\\');
    take(reading, true);
}

static void take_double_quoted(struct reading *reading)
{
    struct lexer *lexer = reading->lexer;
    begin_quotes(reading);
    reading->is_literal_quoted = true;
    for (lexer->at++; lexer->at < lexer->end && *lexer->at != '"';) {
        if (*lexer->at == '\\' && lexer->end - lexer->at > 1)
            take_escaped(reading);
        else if (*lexer->at == '$' || *lexer->at == '`')
            read_expansion(reading, true);
        else
            take(reading, true);
    }
    lexer->at += lexer->at < lexer->end;
}

/* Goes past what stands between brackets, and returns it with them. */
static struct text skip_braced(struct lexer *lexer, char open, char close)
{
    const char *from = lexer->at;
    unsigned depth = 0;
    do {
        char c = *lexer->at;
        depth += c == open;
        depth -= c == close;
        lexer->line += c == '\n';
        lexer->at += c == '\\' && lexer->end - lexer->at > 1 ? 2 : 1;
    } while (depth && lexer->at < lexer->end);
    return (struct text){from, (size_t)(lexer->at - from)};
}

/* Reads a text as one word: the operand of ${name:-operand}, or a here-document. */
static struct shell_lexeme *read_text(struct lexer *lexer, struct text text, bool is_quoted)
{
    struct lexer inner = {.arena = lexer->arena,
                          .at = text.ptr,
                          .end = text.ptr + text.len,
                          .depth = lexer->depth + 1,
                          .line = lexer->line,
                          .token_count = lexer->token_count};
    struct reading reading = {.lexer = &inner};
    begin_word(&reading);
    while (inner.at < inner.end) {
        char c = *inner.at;
        if (c == '$' || c == '`')
            read_expansion(&reading, is_quoted);
        else if (c == '\\' && inner.end - inner.at > 1)
            take_escaped(&reading);
        else if (c == '\'' && !is_quoted)
            take_quoted(&reading);
        else if (c == '"' && !is_quoted)
            take_double_quoted(&reading);
        else
            take(&reading, is_quoted);
    }
    lexer->token_count = inner.token_count;
    return end_word(&reading);
}

static size_t count_name(const char *at, const char *end)
{
    size_t len = 0;
    while (at + len < end && ((at[len] >= 'a' && at[len] <= 'z') || (at[len] >= 'A' && at[len] <= 'Z') ||
                              at[len] == '_' || (len && at[len] >= '0' && at[len] <= '9')))
        len++;
    if (!len && at < end && ((*at >= '0' && *at <= '9') || strchr("@*#?-$!", *at)))
        len = 1;
    return len;
}

/* ${name}, ${name:-operand}. */
static struct shell_part read_braced(struct lexer *lexer, bool is_quoted)
{
    static const char *const operators[] = {":-", ":=", ":+", ":?", "-", "=", "+", "?", "##", "#", "%%", "%"};
    struct shell_part part = {.kind = SHELL_PART_OPAQUE, .is_quoted = is_quoted, .sign = ""};
    struct text inside = skip_braced(lexer, '{', '}');
    bool is_closed = inside.len > 1 && inside.ptr[inside.len - 1] == '}';
    inside = (struct text){inside.ptr + 1, inside.len - 1 - is_closed};
    size_t len = count_name(inside.ptr, inside.ptr + inside.len);
    struct text rest = {inside.ptr + len, inside.len - len};
    if (!is_closed || !len || (*inside.ptr == '#' && rest.len) || lexer->depth >= DEPTH_MAX)
        return part;
    part.text = arena_strndup(lexer->arena, inside.ptr, len);
    if (!rest.len)
        part.kind = SHELL_PART_VARIABLE;
    for (size_t i = 0; i < ARRAY_COUNT(operators) && !*part.sign; i++) {
        if (!text_has_prefix(rest, operators[i]))
            continue;
        size_t skip = strlen(operators[i]);
        part.kind = SHELL_PART_VARIABLE;
        part.sign = operators[i];
        part.operand = read_text(lexer, (struct text){rest.ptr + skip, rest.len - skip}, is_quoted);
    }
    return part;
}

static struct shell_part read_substitution(struct lexer *lexer, size_t opening, char until, bool is_quoted)
{
    struct shell_tokens *tokens = arena_new(lexer->arena, struct shell_tokens);
    lexer->at += opening;
    lexer->depth++;
    read_tokens(lexer, until, tokens);
    lexer->depth--;
    return (struct shell_part){.kind = SHELL_PART_COMMAND, .is_quoted = is_quoted, .commands = tokens};
}

static struct shell_part read_one_expansion(struct lexer *lexer, bool is_quoted)
{
    bool is_deep = lexer->depth >= DEPTH_MAX;
    struct shell_part opaque = {.kind = SHELL_PART_OPAQUE, .is_quoted = is_quoted};
    if (*lexer->at == '`' && !is_deep)
        return read_substitution(lexer, 1, '`', is_quoted);
    if (looks_at(lexer, "$((")) {
        lexer->at++;
        (void)skip_braced(lexer, '(', ')');
        return opaque;
    }
    if (looks_at(lexer, "$(") && !is_deep)
        return read_substitution(lexer, 2, ')', is_quoted);
    if (looks_at(lexer, "${")) {
        lexer->at++;
        return read_braced(lexer, is_quoted);
    }
    size_t len = *lexer->at == '$' ? count_name(lexer->at + 1, lexer->end) : 0;
    const char *name = lexer->at + 1;
    lexer->at += len + 1;
    if (!len)
        return (struct shell_part){.kind = SHELL_PART_TEXT, .is_quoted = is_quoted, .text = is_deep ? NULL : "$"};
    return (struct shell_part){.kind = SHELL_PART_VARIABLE,
                               .is_quoted = is_quoted,
                               .text = arena_strndup(lexer->arena, name, len),
                               .sign = ""};
}

static void read_expansion(struct reading *reading, bool is_quoted)
{
    struct lexer *lexer = reading->lexer;
    const char *from = lexer->at;
    begin_word(reading);
    end_literal(reading);
    struct shell_part part = read_one_expansion(lexer, is_quoted);
    if (part.kind == SHELL_PART_TEXT && !part.text)
        part.kind = SHELL_PART_OPAQUE; /* too deep to be looked into */
    add_part(reading, &part);
    reading->word->is_constant = false;
    for (; from < lexer->at; from++)
        list_add(lexer->arena, &reading->text, *from);
}

/* Reads the here-documents that were announced on the line that just ended. */
static void read_heres(struct lexer *lexer)
{
    for (size_t i = 0; i < lexer->heres.count; i++) {
        struct shell_token *token = lexer->heres.items[i];
        const char *delimiter = token->word ? token->word->text : "";
        bool is_tabbed = strcmp(token->sign, "<<-") == 0, is_over = false;
        LIST(char) lines = {0};
        while (!is_over && lexer->at < lexer->end) {
            const char *newline = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));
            const char *stop = newline ? newline : lexer->end, *line = lexer->at;
            while (is_tabbed && line < stop && *line == '\t')
                line++;
            is_over = text_is((struct text){line, (size_t)(stop - line)}, delimiter);
            for (; !is_over && line < stop; line++)
                list_add(lexer->arena, &lines, *line);
            if (!is_over)
                list_add(lexer->arena, &lines, '\n');
            lexer->at = newline ? newline + 1 : lexer->end;
            lexer->line += newline != NULL;
        }
        struct text text = {lines.count ? lines.items : "", lines.count};
        bool is_plain = token->word && token->word->has_quotes;
        struct shell_part *part = arena_new(lexer->arena, struct shell_part);
        *part = (struct shell_part){
            .kind = SHELL_PART_TEXT, .is_quoted = true, .text = arena_strndup(lexer->arena, text.ptr, text.len)};
        token->here = arena_new(lexer->arena, struct shell_lexeme);
        *token->here = (struct shell_lexeme){.parts = part, .text = part->text, .is_constant = true};
        if (!is_plain)
            token->here = read_text(lexer, text, true);
    }
    lexer->heres.count = 0;
}

static void skip_blanks(struct lexer *lexer)
{
    while (lexer->at < lexer->end && (*lexer->at == ' ' || *lexer->at == '\t' || *lexer->at == '\r'))
        lexer->at++;
}

/* Reads one piece of a word. */
static void take_piece(struct reading *reading)
{
    struct lexer *lexer = reading->lexer;
    char c = *lexer->at;
    if (c == '\\') {
        lexer->at++;
        if (lexer->at < lexer->end && *lexer->at == '\n') {
            lexer->at++;
            lexer->line++;
            return;
        }
        if (lexer->at < lexer->end) {
            take(reading, true);
            reading->word->has_quotes = true;
        }
    } else if (c == '\'') {
        take_quoted(reading);
    } else if (c == '"') {
        take_double_quoted(reading);
    } else if (c == '$' || c == '`') {
        read_expansion(reading, false);
    } else {
        take(reading, false);
        reading->word->is_constant = reading->word->is_constant && !(c == '*' || c == '?' || c == '[' || c == '~');
    }
}

static bool is_word_end(char c, char until)
{
    return strchr(" \t\r\n;&|()<>", c) != NULL || (until && c == until);
}

/* Reads a word; NULL when there is none. */
static struct shell_lexeme *read_word(struct lexer *lexer, char until)
{
    struct reading reading = {.lexer = lexer};
    while (lexer->at < lexer->end && *lexer->at && !is_word_end(*lexer->at, until))
        take_piece(&reading);
    return end_word(&reading);
}

/* Returns the operator of a redirection that stands here; NULL when none does. */
static const char *redirection_at(const struct lexer *lexer)
{
    static const char *const operators[] = {"&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"};
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (looks_at(lexer, operators[i]))
            return operators[i];
    }
    return NULL;
}

static void take_redirection(struct lexer *lexer, char until, int descriptor, struct shell_tokens *tokens)
{
    struct shell_token token = {
        .kind = SHELL_TOKEN_REDIRECTION, .sign = redirection_at(lexer), .descriptor = descriptor};
    lexer->at += strlen(token.sign);
    skip_blanks(lexer);
    token.word = read_word(lexer, until);
    struct shell_token *added = add_token(lexer, tokens, &token);
    if (strcmp(token.sign, "<<") == 0 || strcmp(token.sign, "<<-") == 0)
        list_add(lexer->arena, &lexer->heres, added);
}

static void take_operator(struct lexer *lexer, struct shell_tokens *tokens)
{
    static const char *const operators[] = {"&&", "||", ";;", "\n", ";", "&", "|", "(", ")"};
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (!looks_at(lexer, operators[i]))
            continue;
        lexer->at += strlen(operators[i]);
        add_token(lexer, tokens, &(struct shell_token){.kind = SHELL_TOKEN_OPERATOR, .sign = operators[i]});
        if (*operators[i] == '\n') {
            lexer->line++;
            read_heres(lexer);
        }
        return;
    }
    lexer->at++;
}

/* The number right before a redirection is no word; -1 when the word is none. */
static int descriptor_of(const struct lexer *lexer, const struct shell_lexeme *word)
{
    bool is_digit = word->text[0] >= '0' && word->text[0] <= '9' && !word->text[1] && !word->has_quotes;
    bool is_before = lexer->at < lexer->end && (*lexer->at == '<' || *lexer->at == '>');
    return is_digit && is_before && word->is_constant ? word->text[0] - '0' : -1;
}

static void take_word(struct lexer *lexer, char until, struct shell_tokens *tokens)
{
    const char *from = lexer->at;
    unsigned line = lexer->line;
    struct shell_lexeme *word = read_word(lexer, until);
    int descriptor = word ? descriptor_of(lexer, word) : -1;
    if (descriptor >= 0)
        take_redirection(lexer, until, descriptor, tokens);
    else if (word)
        add_token(lexer, tokens, &(struct shell_token){.kind = SHELL_TOKEN_WORD, .word = word})->line = line;
    else if (lexer->at == from)
        lexer->at++;
}

/* Reads to the end of the text, or past `until`, which ends a substitution. */
static void read_tokens(struct lexer *lexer, char until, struct shell_tokens *tokens)
{
    unsigned brackets = 0;
    while (lexer->at < lexer->end) {
        skip_blanks(lexer);
        if (lexer->at == lexer->end)
            break;
        char c = *lexer->at;
        if (until && c == until && !brackets) {
            lexer->at++;
            break;
        }
        brackets += c == '(' && until == ')';
        brackets -= c == ')' && brackets;
        if (c == '#') {
            while (lexer->at < lexer->end && *lexer->at != '\n')
                lexer->at++;
        } else if (redirection_at(lexer)) {
            take_redirection(lexer, until, -1, tokens);
        } else if (is_word_end(c, '\0')) {
            take_operator(lexer, tokens);
        } else {
            take_word(lexer, until, tokens);
        }
    }
}

void shell_tokens_list(struct arena *arena, const char *script, struct shell_tokens *ret_tokens)
{
    size_t len = strlen(script);
    *ret_tokens = (struct shell_tokens){0};
    struct lexer lexer = {.arena = arena, .at = script, .line = 1, .is_cut = len > SCRIPT_MAX_BYTES};
    lexer.end = script + (len < SCRIPT_MAX_BYTES ? len : SCRIPT_MAX_BYTES);
    read_tokens(&lexer, '\0', ret_tokens);
    ret_tokens->is_cut = lexer.is_cut;
}
