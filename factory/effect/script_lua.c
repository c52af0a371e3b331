#include "effect/script_lua.h"

#include "base/map.h"

#define SCRIPT_MAX_BYTES ((size_t)1 << 20)
#define CALLS_MAX 1000
#define VALUE_MAX_BYTES ((size_t)8192)

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    const char *text; /* of a name with its dots; of a string what it holds */
    char sign;
};

struct lua {
    struct arena *arena;
    const char *at, *end;
    unsigned line;
    struct token token; /* the next one */
    struct map strings; /* name → what it is set to */
    size_t depth;       /* of blocks */
    struct script_lua_calls *calls;
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static bool looks_at(const struct lua *lua, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(lua->end - lua->at) >= len && memcmp(lua->at, text, len) == 0;
}

/* Goes past the characters up to a text, and it; returns where they end. */
static const char *skip_to(struct lua *lua, const char *text)
{
    while (lua->at < lua->end && !looks_at(lua, text))
        lua->line += *lua->at++ == '\n';
    const char *end = lua->at;
    lua->at += lua->at < lua->end ? strlen(text) : 0;
    return end;
}

static void skip_blanks(struct lua *lua)
{
    for (;;) {
        while (lua->at < lua->end && strchr(" \t\r\n", *lua->at))
            lua->line += *lua->at++ == '\n';
        if (looks_at(lua, "--[["))
            (void)skip_to(lua, "]]");
        else if (looks_at(lua, "--"))
            while (lua->at < lua->end && *lua->at != '\n')
                lua->at++;
        else
            return;
    }
}

static const char *read_string(struct lua *lua)
{
    char quote = *lua->at++;
    LIST(char) text = {0};
    while (lua->at < lua->end && *lua->at != quote && *lua->at != '\n') {
        char c = *lua->at++;
        if (c == '\\' && lua->at < lua->end) {
            c = *lua->at++;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
            lua->line += lua->at[-1] == '\n';
        }
        list_add(lua->arena, &text, c);
    }
    lua->at += lua->at < lua->end;
    return arena_strndup(lua->arena, text.count ? text.items : "", text.count);
}

static void next(struct lua *lua)
{
    skip_blanks(lua);
    const char *from = lua->at;
    lua->token = (struct token){.kind = TOKEN_END};
    if (lua->at == lua->end)
        return;
    if (*from == '"' || *from == '\'') {
        lua->token = (struct token){.kind = TOKEN_STRING, .text = read_string(lua)};
    } else if (looks_at(lua, "[[")) {
        lua->at += 2;
        const char *end = skip_to(lua, "]]");
        lua->token =
            (struct token){.kind = TOKEN_STRING, .text = arena_strndup(lua->arena, from + 2, (size_t)(end - from - 2))};
    } else if (is_name(*from)) {
        while (lua->at < lua->end && (is_name(*lua->at) || (*lua->at == '.' && lua->at[1] != '.')))
            lua->at++;
        bool is_number = *from >= '0' && *from <= '9';
        lua->token = (struct token){.kind = is_number ? TOKEN_NUMBER : TOKEN_NAME,
                                    .text = arena_strndup(lua->arena, from, (size_t)(lua->at - from))};
    } else {
        lua->at++;
        lua->token = (struct token){.kind = TOKEN_SIGN, .sign = *from};
    }
}

static bool is_sign(const struct lua *lua, char sign)
{
    return lua->token.kind == TOKEN_SIGN && lua->token.sign == sign;
}

/* Returns what a token stands for when it is a known string or a number; NULL when not. */
static const char *value_of(const struct lua *lua)
{
    if (lua->token.kind == TOKEN_STRING || lua->token.kind == TOKEN_NUMBER)
        return lua->token.text;
    return lua->token.kind == TOKEN_NAME ? map_get(&lua->strings, text_of(lua->token.text)) : NULL;
}

/* Reads a value, joined of several or not: "a" .. b; NULL when a part is not known. */
static const char *read_value(struct lua *lua)
{
    const char *value = value_of(lua);
    while (value) {
        next(lua);
        if (!is_sign(lua, '.') || !looks_at(lua, "."))
            return value;
        next(lua); /* the second point */
        next(lua);
        const char *more = value_of(lua);
        bool is_fine = more && strlen(value) + strlen(more) < VALUE_MAX_BYTES;
        value = is_fine ? arena_printf(lua->arena, "%s%s", value, more) : NULL;
    }
    return NULL;
}

/* Reads what stands behind a function's name: ("a", b) or ({"a", b}). What is not known ends it. */
static void read_call(struct lua *lua, const char *function)
{
    struct script_lua_call call = {.function = function, .is_sure = lua->depth == 0, .line = lua->line};
    next(lua);
    bool is_table = is_sign(lua, '{');
    if (is_table)
        next(lua);
    for (const char *value; (value = read_value(lua));) {
        list_add(lua->arena, &call.arguments, value);
        if (!is_sign(lua, ','))
            break;
        next(lua);
    }
    call.is_cut = !is_sign(lua, is_table ? '}' : ')');
    if (lua->calls->count < CALLS_MAX)
        list_add(lua->arena, lua->calls, call);
}

/* What a name is set to: only one name at a time is followed, and none that may have been set to something else before. */
static void set_name(struct lua *lua, const char *name, const char *value, bool is_of_several)
{
    const char *before = map_get(&lua->strings, text_of(name));
    bool is_other = lua->depth > 0 && before && (!value || strcmp(before, value) != 0);
    map_set(&lua->strings, text_of(name), (void *)(is_of_several || is_other ? NULL : value));
}

/* The names of a loop, or of a function and its parameters, hide what was called so before. */
static void hide_names(struct lua *lua)
{
    while (lua->token.kind == TOKEN_NAME || is_sign(lua, ',') || is_sign(lua, '(')) {
        if (lua->token.kind == TOKEN_NAME && strcmp(lua->token.text, "in") == 0)
            return;
        if (lua->token.kind == TOKEN_NAME)
            map_set(&lua->strings, text_of(lua->token.text), NULL);
        next(lua);
    }
}

static void read_name(struct lua *lua, bool is_of_several)
{
    static const char *const opening[] = {"if", "do", "function", "repeat"};
    const char *name = lua->token.text;
    next(lua);
    if (strcmp(name, "end") == 0 || strcmp(name, "until") == 0)
        lua->depth -= lua->depth > 0;
    for (size_t i = 0; i < ARRAY_COUNT(opening); i++)
        lua->depth += strcmp(name, opening[i]) == 0;
    if (strcmp(name, "for") == 0 || strcmp(name, "function") == 0) {
        hide_names(lua);
        return;
    }
    if (is_sign(lua, '(')) {
        read_call(lua, name);
    } else if (is_sign(lua, '=')) {
        next(lua);
        const char *value = lua->token.kind == TOKEN_STRING ? read_value(lua) : NULL;
        set_name(lua, name, is_sign(lua, '.') || is_sign(lua, '=') ? NULL : value, is_of_several);
    } else if (is_sign(lua, ',')) {
        set_name(lua, name, NULL, true);
    }
}

void script_lua_list(struct arena *arena, const char *script, struct script_lua_calls *ret_calls)
{
    size_t len = strlen(script);
    struct lua lua = {.arena = arena,
                      .at = script,
                      .end = script + (len < SCRIPT_MAX_BYTES ? len : SCRIPT_MAX_BYTES),
                      .line = 1,
                      .strings = {.arena = arena},
                      .calls = ret_calls};
    *ret_calls = (struct script_lua_calls){0};
    if (strncmp(script, "#!", 2) == 0)
        (void)skip_to(&lua, "\n");
    lua.line = 1;
    next(&lua);
    for (bool is_of_several = false; lua.token.kind != TOKEN_END;) {
        bool is_comma = is_sign(&lua, ',');
        if (lua.token.kind == TOKEN_NAME)
            read_name(&lua, is_of_several);
        else
            next(&lua);
        is_of_several = is_comma;
    }
}
