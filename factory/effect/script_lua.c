/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_lua.h"

#include "base/auto.h"
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
    struct map defined; /* functions of the script's own */
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

/* Reads "[[…]]" or "[==[…]==]" at `offset`; false when there is none. */
static bool read_long(struct lua *lua, size_t offset, struct text *ret_text)
{
    const char *from = lua->at + offset, *level = from + 1;
    char close[32] = "]";
    while (level < lua->end && *level == '=')
        level++;
    size_t count = (size_t)(level - from - 1);
    if (from >= lua->end || *from != '[' || level >= lua->end || *level != '[' || count > sizeof close - 3)
        return false;
    memset(close + 1, '=', count);
    close[count + 1] = ']';
    lua->at = level + 1;
    const char *end = skip_to(lua, close);
    *ret_text = (struct text){level + 1, (size_t)(end - level - 1)};
    return true;
}

static void skip_blanks(struct lua *lua)
{
    struct text comment;
    for (;;) {
        while (lua->at < lua->end && strchr(" \t\r\n", *lua->at))
            lua->line += *lua->at++ == '\n';
        if (looks_at(lua, "--") && read_long(lua, 2, &comment))
            continue;
        if (looks_at(lua, "--"))
            while (lua->at < lua->end && *lua->at != '\n')
                lua->at++;
        else
            return;
    }
}

/* NULL when it has bytes that are written as numbers. */
static const char *read_string(struct lua *lua)
{
    char quote = *lua->at++;
    bool is_plain = true;
    LIST(char) text = {0};
    while (lua->at < lua->end && *lua->at != quote && *lua->at != '\n') {
        char c = *lua->at++;
        if (c == '\\' && lua->at < lua->end) {
            c = *lua->at++;
            is_plain = is_plain && !strchr("0123456789abfrvxuz", c);
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
            lua->line += lua->at[-1] == '\n';
        }
        list_add(lua->arena, &text, c);
    }
    lua->at += lua->at < lua->end;
    return is_plain ? arena_strndup(lua->arena, text.count ? text.items : "", text.count) : NULL;
}

static void next(struct lua *lua)
{
    struct text text;
    skip_blanks(lua);
    const char *from = lua->at;
    lua->token = (struct token){.kind = TOKEN_END};
    if (lua->at == lua->end)
        return;
    if (*from == '"' || *from == '\'') {
        lua->token = (struct token){.kind = TOKEN_STRING, .text = read_string(lua)};
    } else if (read_long(lua, 0, &text)) {
        lua->token = (struct token){.kind = TOKEN_STRING, .text = text_dup(lua->arena, text)};
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

static void add_call(struct lua *lua, const struct script_lua_call *call)
{
    lua->calls->is_partial = lua->calls->is_partial || lua->calls->count == CALLS_MAX;
    if (lua->calls->count < CALLS_MAX)
        list_add(lua->arena, lua->calls, *call);
}

/* Reads what stands behind a function's name: ("a", b), ({"a", b}), {"a", b} or "a". What is not known ends it. */
static void read_call(struct lua *lua, const char *function)
{
    struct script_lua_call call = {.function = function, .is_sure = lua->depth == 0, .line = lua->line};
    bool is_open = is_sign(lua, '('), is_table = is_sign(lua, '{'), is_known = true;
    if (is_open || is_table)
        next(lua);
    is_table = is_table || is_sign(lua, '{');
    if (is_open && is_table)
        next(lua);
    for (const char *value; (value = read_value(lua));) {
        list_add(lua->arena, &call.arguments, value);
        is_known = !is_open && !is_table;
        if (is_known || !is_sign(lua, ','))
            break;
        next(lua);
    }
    call.is_cut = !is_known && !is_sign(lua, is_table ? '}' : ')');
    call.is_cut = call.is_cut || (is_known && !call.arguments.count && !is_sign(lua, is_table ? '}' : ')'));
    add_call(lua, &call);
}

/* What a name is set to: only one name at a time is followed, and none that may have been set to something else before. */
static void set_name(struct lua *lua, const char *name, const char *value, bool is_of_several)
{
    const char *before = map_get(&lua->strings, text_of(name));
    bool is_other = lua->depth > 0 && before && (!value || strcmp(before, value) != 0);
    map_set(&lua->strings, text_of(name), (void *)(is_of_several || is_other ? NULL : value));
}

/* The names of a loop, or of a function and its parameters, hide what was called so before. */
static void hide_names(struct lua *lua, bool is_function)
{
    bool is_own = is_function && lua->token.kind == TOKEN_NAME;
    if (is_own)
        map_set(&lua->defined, text_of(lua->token.text), lua);
    while (lua->token.kind == TOKEN_NAME || is_sign(lua, ',') || is_sign(lua, '(')) {
        if (lua->token.kind == TOKEN_NAME && strcmp(lua->token.text, "in") == 0)
            return;
        if (lua->token.kind == TOKEN_NAME)
            map_set(&lua->strings, text_of(lua->token.text), NULL);
        next(lua);
    }
}

static bool is_keyword(const char *name)
{
    static const char *const keywords[] = {"and", "break",  "do",   "else", "elseif", "end",   "false",
                                           "for", "goto",   "if",   "in",   "local",  "nil",   "not",
                                           "or",  "repeat", "then", "true", "return", "until", "while"};
    bool is_one = false;
    for (size_t i = 0; i < ARRAY_COUNT(keywords); i++)
        is_one = is_one || strcmp(name, keywords[i]) == 0;
    return is_one;
}

static void read_assignment(struct lua *lua, const char *name, bool is_of_several)
{
    next(lua);
    bool is_function = lua->token.kind == TOKEN_NAME && strcmp(lua->token.text, "function") == 0;
    if (is_function)
        map_set(&lua->defined, text_of(name), lua);
    const char *value = lua->token.kind == TOKEN_STRING ? read_value(lua) : NULL;
    set_name(lua, name, is_sign(lua, '.') || is_sign(lua, '=') ? NULL : value, is_of_several);
}

static void read_name(struct lua *lua, bool is_of_several, bool is_method)
{
    static const char *const opening[] = {"if", "do", "function", "repeat"};
    const char *name = lua->token.text;
    next(lua);
    if (strcmp(name, "end") == 0 || strcmp(name, "until") == 0)
        lua->depth -= lua->depth > 0;
    for (size_t i = 0; i < ARRAY_COUNT(opening); i++)
        lua->depth += strcmp(name, opening[i]) == 0;
    if (strcmp(name, "for") == 0 || strcmp(name, "function") == 0)
        hide_names(lua, name[1] == 'u');
    else if (is_keyword(name))
        return;
    else if (is_sign(lua, '(') || is_sign(lua, '{') || lua->token.kind == TOKEN_STRING) {
        if (!is_method && !map_get(&lua->defined, text_of(name)))
            read_call(lua, name);
    } else if (is_sign(lua, '='))
        read_assignment(lua, name, is_of_several);
    else if (is_sign(lua, ','))
        set_name(lua, name, NULL, true);
}

void script_lua_list(struct arena *arena, const char *script, struct script_lua_calls *ret_calls)
{
    size_t len = strlen(script);
    struct lua lua = {.arena = arena,
                      .at = script,
                      .end = script + (len < SCRIPT_MAX_BYTES ? len : SCRIPT_MAX_BYTES),
                      .line = 1,
                      .strings = {.arena = arena},
                      .defined = {.arena = arena},
                      .calls = ret_calls};
    *ret_calls = (struct script_lua_calls){.is_partial = len > SCRIPT_MAX_BYTES};
    if (strncmp(script, "#!", 2) == 0)
        (void)skip_to(&lua, "\n");
    lua.line = 1;
    next(&lua);
    for (bool is_of_several = false, is_method = false; lua.token.kind != TOKEN_END;) {
        bool is_comma = is_sign(&lua, ','), is_colon = is_sign(&lua, ':');
        if (lua.token.kind == TOKEN_NAME)
            read_name(&lua, is_of_several, is_method);
        else
            next(&lua);
        is_of_several = is_comma;
        is_method = is_colon;
    }
}

/* What functions of Lua, of rpm's Lua and of its module posix do; a name that ends in '.' is for all that begin so. What only
 * removes needs no telling, where nothing was installed before. */
static const struct {
    const char *name;
    enum script_lua_kind kind;
    const char *command,
        *words[3]; /* of a function: "2:3" is the second argument, ':' and the third; "2?" need not be known */
} functions[] = {
    {"os.execute", SCRIPT_LUA_SHELL, NULL, {NULL}},
    {"io.popen", SCRIPT_LUA_SHELL, NULL, {NULL}},
    {"rpm.execute", SCRIPT_LUA_COMMAND, NULL, {NULL}},
    {"rpm.spawn", SCRIPT_LUA_COMMAND, NULL, {NULL}},
    {"posix.exec", SCRIPT_LUA_COMMAND, NULL, {NULL}},
    {"posix.execp", SCRIPT_LUA_COMMAND, NULL, {NULL}},
    {"posix.mkdir", SCRIPT_LUA_FUNCTION, "mkdir", {"1"}},
    {"posix.chmod", SCRIPT_LUA_FUNCTION, "chmod", {"2", "1"}},
    {"posix.chown", SCRIPT_LUA_FUNCTION, "chown", {"2:3", "1"}},
    {"posix.symlink", SCRIPT_LUA_FUNCTION, "ln", {"-s", "1", "2"}},
    {"posix.link", SCRIPT_LUA_FUNCTION, "ln", {"1", "2"}},
    {"os.rename", SCRIPT_LUA_FUNCTION, "mv", {"1", "2?"}}, /* where it leads matters only when there is something */
    {"os.remove", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.unlink", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.rmdir", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"assert", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"error", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"getmetatable", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.close", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.input", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.lines", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.read", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.type", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"io.write", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"ipairs", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"math.", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"next", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.clock", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.date", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.difftime", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.exit", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.getenv", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.time", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"os.tmpname", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"pairs", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.access", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.basename", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.dir", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.dirname", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.errno", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.files", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.getcwd", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.getenv", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.getgroup", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.getpasswd", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.getprocessid", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.glob", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.pathconf", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.readlink", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.sleep", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.stat", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.sysconf", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.uname", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"posix.wait", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"print", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rawget", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"require", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.b64decode", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.b64encode", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.define", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.expand", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.glob", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.isdefined", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.next_file", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.ver", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"rpm.vercmp", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"select", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"string.", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"table.", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"tonumber", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"tostring", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"type", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"unpack", SCRIPT_LUA_QUIET, NULL, {NULL}},
    {"utf8.", SCRIPT_LUA_QUIET, NULL, {NULL}},
};

/* Its place in the table; the table's length when nobody knows it. */
static size_t find_function(const char *name)
{
    size_t i = 0;
    for (; i < ARRAY_COUNT(functions); i++) {
        const char *known = functions[i].name;
        size_t len = strlen(known);
        if (known[len - 1] == '.' ? strncmp(name, known, len) == 0 : strcmp(name, known) == 0)
            break;
    }
    return i;
}

/* Whether io.open() only reads: no mode, or one that is constant and says so. */
static bool is_reading(const struct script_lua_call *call)
{
    return strcmp(call->function, "io.open") == 0 && !call->is_cut &&
           (call->arguments.count == 1 || (call->arguments.count == 2 && call->arguments.items[1][0] == 'r' &&
                                           !strchr(call->arguments.items[1], '+')));
}

struct strings script_lua_words(struct arena *arena, const struct script_lua_call *call)
{
    size_t at = find_function(call->function);
    const struct strings *arguments = &call->arguments;
    struct strings words = {0};
    list_add(arena, &words, functions[at].command);
    for (size_t i = 0; i < ARRAY_COUNT(functions[at].words) && functions[at].words[i]; i++) {
        const char *word = functions[at].words[i];
        size_t index = word[0] >= '1' && word[0] <= '9' ? (size_t)(word[0] - '1') : SIZE_MAX;
        if (strcmp(word, "2?") == 0 && arguments->count < 2)
            break;
        if (strcmp(word, "2:3") == 0 && arguments->count > 2)
            word = arena_printf(arena, "%s:%s", arguments->items[1], arguments->items[2]);
        else if (index < arguments->count)
            word = arguments->items[index];
        else if (index != SIZE_MAX)
            return (struct strings){0};
        list_add(arena, &words, word);
    }
    return words;
}

enum script_lua_kind script_lua_kind_of(const struct script_lua_call *call)
{
    AUTO(arena_done) struct arena scratch = {0};
    size_t at = find_function(call->function);
    if (at == ARRAY_COUNT(functions))
        return is_reading(call) ? SCRIPT_LUA_QUIET : SCRIPT_LUA_UNKNOWN;
    enum script_lua_kind kind = functions[at].kind;
    bool is_known = kind == SCRIPT_LUA_QUIET ||
                    (kind == SCRIPT_LUA_FUNCTION && script_lua_words(&scratch, call).count) ||
                    (kind != SCRIPT_LUA_FUNCTION && call->arguments.count);
    return is_known ? kind : SCRIPT_LUA_UNKNOWN;
}
