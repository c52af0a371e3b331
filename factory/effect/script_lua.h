/* script_lua.h - the calls in an RPM scriptlet for <lua> that begin with constant strings
 *
 * No Lua is evaluated: names that are set to a string, and calls of functions with strings, such names and numbers are read
 * (Lua 5.4 Reference Manual, 3.1), also joined ("a" .. b) and in a table (rpm.spawn({"a", b})); what stands in a block
 * of if, for, while or a function may not be reached.
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
};

/* Lists the calls. */
void script_lua_list(struct arena *arena, const char *script, struct script_lua_calls *ret_calls);

#endif
