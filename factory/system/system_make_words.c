/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the host, and the files of users, for the runtime's configuration. */
#include "package/path.h"
#include "system/system_make_parts.h"

const char *make_literal(struct arena *arena, const struct make_request *request, const char *text)
{
    if (!request->is_template || !strchr(text, '$'))
        return text;
    char *copy = arena_alloc(arena, strlen(text) * 2 + 1), *at = copy;
    for (; *text; text++) {
        *at++ = *text;
        if (*text == '$')
            *at++ = '$';
    }
    return copy;
}

const char *make_host_path(struct arena *arena, const struct make_request *request, const char *path)
{
    static const char *const rows[][2] = {
        {"/var/lib", "${STATE_DIRECTORY}"}, {"/etc", "${CONF_DIRECTORY}"}, {"/run", "${RUN_DIRECTORY}"}};
    for (size_t i = 0; request->is_template && i < ARRAY_COUNT(rows); i++) {
        if (path_is_below(path, rows[i][0]))
            return arena_printf(arena, "%s%s", rows[i][1], make_literal(arena, request, path + strlen(rows[i][0])));
    }
    return make_literal(arena, request, path);
}

/* Takes the field at `index` of a line of passwd(5) or group(5). */
static struct text field(struct text line, size_t index)
{
    struct text part = {0};
    for (size_t i = 0; i <= index; i++) {
        if (!text_next(&line, ':', &part))
            return (struct text){"", 0};
    }
    return part;
}

static bool find_line(struct text file, size_t at, struct text wanted, struct text *ret_line)
{
    struct text line;
    while (file.len && text_next(&file, '\n', &line)) {
        if (text_eq(field(line, at), wanted)) {
            *ret_line = line;
            return true;
        }
    }
    return false;
}

json_t *make_groups_of(const struct make_request *request, struct text name)
{
    json_t *groups = json_array();
    struct text rest = request->group, line, member;
    uint64_t gid;
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct text members = field(line, 3);
        while (members.len && text_next(&members, ',', &member)) {
            if (text_eq(text_trim(member), name) && text_parse_u64(field(line, 2), &gid))
                (void)json_array_append_new(groups, json_integer((json_int_t)gid));
        }
    }
    return groups;
}

struct make_user make_user_of(const struct make_request *request)
{
    struct make_user user = {0};
    struct text rest = text_of(request->process->user ? request->process->user : ""), name = {0}, line;
    (void)text_next(&rest, ':', &name);
    bool is_number = text_parse_u64(name, &user.uid);
    if (name.len && find_line(request->passwd, is_number ? 2 : 0, name, &line)) {
        user.name = field(line, 0);
        (void)!text_parse_u64(field(line, 2), &user.uid);
        (void)!text_parse_u64(field(line, 3), &user.gid);
    }
    if (rest.len && !text_parse_u64(rest, &user.gid) && find_line(request->group, 0, rest, &line))
        (void)!text_parse_u64(field(line, 2), &user.gid);
    return user;
}
