/* SPDX-License-Identifier: Apache-2.0 */
/* script_lua.h - the calls in an RPM scriptlet for <lua>, with those of their arguments that are constant strings
 *
 * No Lua is evaluated: names that are set to a string, and calls of functions with strings, such names and numbers are read
 * (Lua 5.4 Reference Manual, 3.1), also joined ("a" .. b) and in a table (rpm.spawn({"a", b})); what stands in a block
 * of if, for, while or a function may not be reached. Functions that the script defines itself are no calls, what they do
 * is; nor are methods (f:write()), whose object some call has made.
 * Private to script_*.c.
 * Threads: pure function of its input.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_LUA_H
#define IMGFACTORY_EFFECT_SCRIPT_LUA_H

#include "base/text.h"

/* posix.mkdir("/x", "755") */
struct script_lua_call {
    const char *function; /* "posix.mkdir" */
    struct strings arguments;
    bool is_sure;
    bool is_cut; /* what follows these arguments is not constant */
    unsigned line;
};

struct script_lua_calls {
    struct script_lua_call *items; /* at most 1,000 */
    size_t count, capacity;
    bool is_partial; /* there are more of them, or the script is too long */
};

/* What a call does, as far as this file's reader tells. */
enum script_lua_kind {
    SCRIPT_LUA_QUIET,    /* it looks, computes, says, or ends something that the script has begun */
    SCRIPT_LUA_SHELL,    /* its argument is a shell's command line */
    SCRIPT_LUA_COMMAND,  /* its arguments are a command's words */
    SCRIPT_LUA_FUNCTION, /* it does what a command does (script_lua_words()) */
    SCRIPT_LUA_UNKNOWN,  /* nobody knows, or its arguments are not known: to be told */
};

/* Tells what a call does. */
enum script_lua_kind script_lua_kind_of(const struct script_lua_call *call);
/* Returns the words of the command that does what a SCRIPT_LUA_FUNCTION does. */
struct strings script_lua_words(struct arena *arena, const struct script_lua_call *call);
/* Lists the calls. */
void script_lua_list(struct arena *arena, const char *script, struct script_lua_calls *ret_calls);

#endif
