/* SPDX-License-Identifier: Apache-2.0 */
#include "service/ports.h"

#include "package/path.h"
#include "plan/rules.h"
#include "rpmmd/xml.h"
#include "service/unit_file.h"

#define PORT_LAST 65535

/* What is being looked for, and the file that is read just now. */
struct finding {
    struct arena *arena;
    const struct packaged *packaged;
    const struct packaged_file *file;
    struct strings ports, wide;
    struct err *err;
};

static bool fail(const struct finding *finding, const char *why)
{
    err_set(finding->err, ERR_MALFORMED, "package %s: %s: %s", finding->file->package->name, finding->file->entry->path,
            why);
    return false;
}

static bool add(struct finding *finding, uint64_t port, const char *protocol)
{
    const char *name = arena_printf(finding->arena, "%u/%s", (unsigned)port, protocol);
    if (strings_has(&finding->ports, name))
        return true;
    if (finding->ports.count == PORTS_MAX)
        return fail(finding, "more ports than are allowed");
    list_add(finding->arena, &finding->ports, name);
    return true;
}

/* Adds a port or a range, "6881:6889" or "6881-6889"; what is neither is passed over. */
static bool add_range(struct finding *finding, struct text range, const char *protocol)
{
    uint64_t first, last;
    struct text rest = range, start;
    char between = memchr(range.ptr, ':', range.len) ? ':' : '-';
    if (!range.len || !text_next(&rest, between, &start) || !text_parse_u64(start, &first))
        return true;
    last = first;
    if ((rest.len && !text_parse_u64(rest, &last)) || !first || last < first || last > PORT_LAST)
        return true;
    if (last - first >= PORTS_MAX) {
        list_add(finding->arena, &finding->wide,
                 arena_printf(finding->arena, "%.*s/%s", (int)range.len, range.ptr, protocol));
        return true;
    }
    for (uint64_t port = first; port <= last; port++) {
        if (!add(finding, port, protocol))
            return false;
    }
    return true;
}

/* A range for one protocol, or for both of them when none is said. */
static bool add_range_of(struct finding *finding, struct text range, struct text protocol)
{
    static const char *const known[] = {"tcp", "udp", "sctp"};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        bool is_meant = protocol.len ? text_is(protocol, known[i]) : i < 2;
        if (is_meant && !add_range(finding, range, known[i]))
            return false;
    }
    return true;
}

/* "53", "0.0.0.0:53", "[::]:53"; not what only the machine itself reaches, nor paths of sockets. */
static bool add_address(struct finding *finding, const char *address, const char *protocol)
{
    const char *colon = strrchr(address, ':');
    bool is_local = strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0 ||
                    strncmp(address, "localhost", 9) == 0 || strncmp(address, "vsock:", 6) == 0;
    uint64_t port;
    if (address[0] == '/' || address[0] == '@' || is_local ||
        !text_parse_u64(text_of(colon ? colon + 1 : address), &port) || !port || port > PORT_LAST)
        return true;
    return add(finding, port, protocol);
}

static bool add_listened(struct finding *finding, const struct unit_file *socket, const char *key, const char *protocol)
{
    struct unit_directives directives;
    unit_file_list(finding->arena, socket, "Socket", key, &directives);
    for (size_t i = 0; i < directives.count; i++) {
        if (!add_address(finding, directives.items[i]->value, protocol))
            return false;
    }
    return true;
}

/* Returns whether a socket unit is for the service: it names it, or is called as it is (or as its template). */
static bool is_socket_of(const struct unit_file *socket, const char *unit)
{
    const char *service = unit_file_value(socket, "Socket", "Service", NULL);
    size_t len = strcspn(unit, "@.");
    return service ? strcmp(service, unit) == 0
                   : strncmp(socket->name, unit, len) == 0 && strcspn(socket->name, "@.") == len;
}

static bool read_socket(struct finding *finding, const char *unit)
{
    struct unit_file socket;
    return unit_file_read(finding->arena, finding->packaged, finding->file, path_basename(finding->file->entry->path),
                          &socket, finding->err) &&
           (!unit || !is_socket_of(&socket, unit) ||
            (add_listened(finding, &socket, "ListenStream", "tcp") &&
             add_listened(finding, &socket, "ListenDatagram", "udp")));
}

/* ports=80,443/tcp|53 */
static bool read_profile_line(struct finding *finding, struct text line)
{
    struct text value = line, key, group;
    if (!text_next(&value, '=', &key) || !text_is(text_trim(key), "ports"))
        return true;
    value = text_trim(value);
    while (value.len && text_next(&value, '|', &group)) {
        struct text protocol = text_trim(group), numbers, number;
        (void)text_next(&protocol, '/', &numbers);
        while (numbers.len && text_next(&numbers, ',', &number)) {
            if (!add_range_of(finding, text_trim(number), text_trim(protocol)))
                return false;
        }
    }
    return true;
}

static bool read_profile(struct finding *finding, const char *unit)
{
    struct text rest, line;
    (void)unit;
    if (!packaged_text(finding->arena, finding->packaged, finding->file, &rest, finding->err))
        return false;
    while (rest.len && text_next(&rest, '\n', &line)) {
        if (!read_profile_line(finding, line))
            return false;
    }
    return true;
}

static bool on_element(void *user, const struct xml_element *element, struct err *err)
{
    const char *port = xml_attribute(element, "port"), *protocol = xml_attribute(element, "protocol");
    (void)err;
    return strcmp(element->path, "service/port") != 0 || !port || !protocol || !*protocol ||
           add_range_of(user, text_of(port), text_of(protocol));
}

static bool read_firewalld(struct finding *finding, const char *unit)
{
    struct xml_handler handler = {.begin = on_element, .user = finding};
    struct text text;
    (void)unit;
    return packaged_text(finding->arena, finding->packaged, finding->file, &text, finding->err) &&
           (!text.len || xml_read(arena_printf(finding->arena, "package %s: %s", finding->file->package->name,
                                               finding->file->entry->path),
                                  text, &handler, finding->err));
}

/* Where ports are told, the surest first. */
static const struct place {
    const char *dir, *suffix, *what;
    bool (*read)(struct finding *finding, const char *unit);
} places[] = {{UNIT_DIR, ".socket", "socket unit", read_socket},
              {"/etc/ufw/applications.d", "", "ufw profile", read_profile},
              {"/usr/lib/firewalld/services", ".xml", "firewalld service", read_firewalld}};

bool ports_find(struct arena *arena, const struct packaged *packaged, const char *unit, struct strings *ret_ports,
                struct strings *ret_wide, const char **ret_giver, struct err *err)
{
    struct finding finding = {.arena = arena, .packaged = packaged, .err = err};
    const char *giver = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(places) && !finding.ports.count; i++) {
        struct packaged_files files;
        packaged_list(arena, packaged, places[i].dir, places[i].suffix, &files);
        for (size_t j = 0; j < files.count; j++) {
            finding.file = &files.items[j];
            if (j == PORTS_FILES_MAX)
                return fail(&finding, "more such files than are allowed in the packages of a service");
            if (!places[i].read(&finding, unit))
                return false;
            if (finding.ports.count && !giver)
                giver = arena_printf(arena, "the %s %s", places[i].what, path_basename(files.items[j].entry->path));
        }
    }
    *ret_ports = finding.ports;
    *ret_wide = finding.wide;
    *ret_giver = giver;
    return true;
}

static void add_folders(struct arena *arena, const struct unit_file *socket, const char *key, struct strings *folders)
{
    struct unit_directives directives;
    unit_file_list(arena, socket, "Socket", key, &directives);
    for (size_t i = 0; i < directives.count && folders->count < PORTS_MAX; i++) {
        const char *why, *path = path_canonical(arena, text_of(directives.items[i]->value), &why);
        const char *slash = path ? strrchr(path, '/') : NULL;
        if (!slash)
            continue;
        path = arena_strndup(arena, path, (size_t)(slash - path));
        path += strncmp(path, "/var/run/", 9) == 0 ? 4 : 0;
        if (path_is_below(path, "/run") && !strings_has(folders, path))
            list_add(arena, folders, path);
    }
}

bool ports_folders(struct arena *arena, const struct packaged *packaged, const char *unit, struct strings *ret_folders,
                   struct err *err)
{
    static const char *const keys[] = {"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO"};
    struct packaged_files files;
    *ret_folders = (struct strings){0};
    packaged_list(arena, packaged, UNIT_DIR, ".socket", &files);
    for (size_t i = 0; i < files.count && i < PORTS_FILES_MAX; i++) {
        struct unit_file socket;
        if (!unit_file_read(arena, packaged, &files.items[i], path_basename(files.items[i].entry->path), &socket, err))
            return false;
        for (size_t k = 0; k < ARRAY_COUNT(keys) && is_socket_of(&socket, unit); k++)
            add_folders(arena, &socket, keys[k], ret_folders);
    }
    return true;
}
