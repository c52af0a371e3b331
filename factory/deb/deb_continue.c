/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg's database after what comes on top of a base, as dpkg writes it (lib/dpkg/dump.c, src/main/archives.c, triglib.c). */
#include "deb/deb_installed.h"
#include "deb/deb_record.h"

#include <openssl/evp.h>

#define INFO_DIR DPKG_DIR "/info"
#define TRIGGERS_DIR DPKG_DIR "/triggers"
#define LINES_MAX 10000 /* of a list of triggers or overrides; a desktop has some sixty */

struct deb_continuing {
    struct arena *arena;
    const struct continuing *request;
    const struct deb_installed *base;
    struct continued *continued;
    struct dpkg_status status;    /* as it becomes */
    struct map kept;              /* exact paths that packages which come have */
    struct map written;           /* paths of database files that are there afterwards */
    struct strings file_triggers; /* lines of triggers/File */
    struct map named_triggers;    /* name → struct strings, lines of triggers/NAME */
    struct err *err;
};

static void write_file(struct deb_continuing *continuing, const char *path, struct text bytes, uint32_t mode)
{
    struct continued_file file = {
        path, {arena_strndup(continuing->arena, bytes.ptr ? bytes.ptr : "", bytes.len), bytes.len}, mode & 0777};
    list_add(continuing->arena, &continuing->continued->files, file);
    map_set(&continuing->written, text_of(path), (void *)path);
}

/* Keeps the lines whose path is in the image; `skip`: what stands before the path. */
static struct text keep_lines(struct deb_continuing *continuing, struct text lines, size_t skip, const char *root)
{
    const struct continuing *request = continuing->request;
    char *bytes = arena_alloc(continuing->arena, lines.len + 2), *at = bytes;
    struct text line;
    while (lines.len && text_next(&lines, '\n', &line)) {
        if (line.len <= skip)
            continue;
        struct text path = deb_listed((struct text){line.ptr + skip, line.len - skip});
        const char *written = arena_printf(continuing->arena, "%s%.*s", root, (int)path.len, path.ptr);
        if (path.len && !request->has_path(request->self, text_of(written)))
            continue;
        at = mempcpy(at, line.ptr, line.len);
        *at++ = '\n';
    }
    return (struct text){bytes, (size_t)(at - bytes)};
}

/* "PATH MD5" lines of what is in the image. */
static struct text keep_conffiles(struct deb_continuing *continuing, struct text lines)
{
    const struct continuing *request = continuing->request;
    struct strings kept = {0};
    struct text line;
    while (lines.len && text_next(&lines, '\n', &line)) {
        const char *blank = line.len ? memrchr(line.ptr, ' ', line.len) : NULL;
        if (text_has_suffix(line, " remove-on-upgrade") ||
            (blank && request->has_path(request->self, (struct text){line.ptr, (size_t)(blank - line.ptr)})))
            list_add(continuing->arena, &kept, arena_printf(continuing->arena, "%.*s\n", (int)line.len, line.ptr));
    }
    return text_of(strings_join(continuing->arena, &kept, ""));
}

/* ---- triggers (deb-triggers(5)) ---- */

static bool read_lines(struct deb_continuing *continuing, const char *path, struct strings *ret_lines)
{
    struct text rest, line;
    bool is_found;
    if (!continuing->request->ground)
        return true;
    if (!ground_read(continuing->request->ground, path, &rest, &is_found, continuing->err))
        return false;
    while (is_found && rest.len && text_next(&rest, '\n', &line)) {
        if (ret_lines->count >= LINES_MAX) {
            err_set(continuing->err, ERR_MALFORMED, "the base's %s has more than %d lines", path, LINES_MAX);
            return false;
        }
        if (line.len)
            list_add(continuing->arena, ret_lines, text_dup(continuing->arena, line));
    }
    return true;
}

static void drop_lines(struct strings *lines, const char *name, bool is_file)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const char *who = is_file && strchr(lines->items[i], ' ') ? strchr(lines->items[i], ' ') + 1 : lines->items[i];
        size_t len = strcspn(who, "/");
        if (len != strlen(name) || strncmp(who, name, len) != 0)
            lines->items[count++] = lines->items[i];
    }
    lines->count = count;
}

static bool is_trigger_name(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7F || name.ptr[i] == '/')
            return false;
    }
    return name.len && name.len < 200 && name.ptr[0] != '.';
}

/* Gives the lines of triggers/NAME as they become; NULL on an error. */
static struct strings *open_named(struct deb_continuing *continuing, struct text name)
{
    struct strings *lines = map_get(&continuing->named_triggers, name);
    if (lines)
        return lines;
    lines = arena_new(continuing->arena, struct strings);
    *lines = (struct strings){0};
    map_set(&continuing->named_triggers, name, lines);
    const char *path = arena_printf(continuing->arena, TRIGGERS_DIR "/%.*s", (int)name.len, name.ptr);
    return read_lines(continuing, path, lines) ? lines : NULL;
}

/* Adds an interest: a line of triggers/File, or of triggers/NAME. */
static bool add_interest(struct deb_continuing *continuing, const char *stem, struct text name, bool is_noawait)
{
    const char *suffix = is_noawait ? "/noawait" : "";
    if (name.len && name.ptr[0] == '/') {
        list_add(continuing->arena, &continuing->file_triggers,
                 arena_printf(continuing->arena, "%.*s %s%s", (int)name.len, name.ptr, stem, suffix));
        return true;
    }
    if (!is_trigger_name(name)) {
        err_set(continuing->err, ERR_MALFORMED, "package %s: not the name of a trigger: \"%s\"", stem,
                text_printable(continuing->arena, name));
        return false;
    }
    struct strings *lines = open_named(continuing, name);
    if (!lines)
        return false;
    drop_lines(lines, stem, false);
    list_add(continuing->arena, lines, arena_printf(continuing->arena, "%s%s", stem, suffix));
    return true;
}

/* Takes away the interests in names that a former version had; take_triggers() does so of those in files. */
static bool drop_named(struct deb_continuing *continuing, const struct dpkg_stanza *former)
{
    const char *stem = dpkg_info_stem(continuing->arena, former);
    const char *path = arena_printf(continuing->arena, INFO_DIR "/%s.triggers", stem);
    struct text rest, line, word;
    bool is_found;
    if (!ground_read(continuing->request->ground, path, &rest, &is_found, continuing->err))
        return false;
    while (is_found && rest.len && text_next(&rest, '\n', &line)) {
        if (!text_next_word(&line, &word) || !text_has_prefix(word, "interest") || !is_trigger_name(text_trim(line)))
            continue;
        struct strings *lines = open_named(continuing, text_of(text_dup(continuing->arena, text_trim(line))));
        if (!lines)
            return false;
        drop_lines(lines, stem, false);
    }
    return true;
}

static bool take_triggers(struct deb_continuing *continuing, const struct dpkg_stanza *stanza, struct text triggers)
{
    const char *stem = dpkg_info_stem(continuing->arena, stanza);
    struct text line, word;
    drop_lines(&continuing->file_triggers, stem, true);
    while (triggers.len && text_next(&triggers, '\n', &line)) {
        if (!text_next_word(&line, &word) || !text_has_prefix(word, "interest"))
            continue;
        if (!add_interest(continuing, stem, text_trim(line), text_is(word, "interest-noawait")))
            return false;
    }
    return true;
}

/* ---- scripts ---- */

static bool is_done(struct deb_continuing *continuing, const struct continuing_package *added, const char *name,
                    const char *argument, const char *version)
{
    const struct continuing *request = continuing->request;
    const struct record_item *item = record_find(added->record, name);
    if (!item)
        return true;
    struct continuing_script script = {.package = added->package,
                                       .owner = added->package->name,
                                       .name = name,
                                       .text = text_dup(continuing->arena, item->bytes),
                                       .is_first = !version};
    list_add(continuing->arena, &script.arguments, argument);
    if (version || strcmp(name, "postinst") == 0)
        list_add(continuing->arena, &script.arguments, version ? version : "");
    return request->is_done(request->self, &script);
}

/* A script of the base, out of its info/. */
static bool is_base_done(struct deb_continuing *continuing, const struct dpkg_stanza *stanza, const char *name,
                         const char *argument, const char *more)
{
    const struct continuing *request = continuing->request;
    const char *path =
        arena_printf(continuing->arena, INFO_DIR "/%s.%s", dpkg_info_stem(continuing->arena, stanza), name);
    struct err ignored = {0};
    struct text text;
    bool is_found;
    if (!request->ground)
        return true;
    if (!ground_read(request->ground, path, &text, &is_found, &ignored))
        return false;
    if (!is_found)
        return true;
    struct continuing_script script = {.owner = stanza->name, .name = name, .text = text_dup(continuing->arena, text)};
    list_add(continuing->arena, &script.arguments, argument);
    list_add(continuing->arena, &script.arguments, more);
    return request->is_done(request->self, &script);
}

/* What dpkg calls when a package comes, or takes the place of `former` (deb-preinst(5), deb-postinst(5), …). */
static bool are_scripts_done(struct deb_continuing *continuing, const struct continuing_package *added,
                             const struct dpkg_stanza *former)
{
    const char *version = former ? former->version : NULL;
    bool is_good = is_done(continuing, added, "preinst", former ? "upgrade" : "install", version);
    is_good = is_done(continuing, added, "postinst", "configure", version) && is_good;
    if (former) {
        is_good = is_base_done(continuing, former, "prerm", "upgrade", added->package->version) && is_good;
        is_good = is_base_done(continuing, former, "postrm", "upgrade", added->package->version) && is_good;
    }
    return is_good;
}

/* The triggers that something activates: names, of each package that is interested. */
struct activated {
    struct map by_package; /* name → struct strings * */
};

static void activate(struct deb_continuing *continuing, struct activated *activated, struct text line, const char *name)
{
    struct text who = {line.ptr, line.len};
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '/' || line.ptr[i] == ':') {
            who.len = i;
            break;
        }
    }
    struct strings *names = map_get(&activated->by_package, who);
    if (!names) {
        names = arena_new(continuing->arena, struct strings);
        map_set(&activated->by_package, who, names);
    }
    if (!strings_has(names, name))
        list_add(continuing->arena, names, name);
}

/* A path in which packages of the base are interested. */
struct interest {
    const char *path;
    struct strings who; /* "PACKAGE[/noawait]" */
    bool is_met;        /* all of them were activated */
};

/* Makes of the lines of triggers/File a map from path to struct interest. */
static void list_interests(struct arena *arena, const struct strings *lines, struct map *ret_interests)
{
    *ret_interests = (struct map){.arena = arena};
    for (size_t i = 0; i < lines->count; i++) {
        const char *line = lines->items[i];
        size_t len = strcspn(line, " ");
        struct interest *interest = map_get(ret_interests, (struct text){line, len});
        if (!line[len])
            continue;
        if (!interest) {
            interest = arena_new(arena, struct interest);
            *interest = (struct interest){.path = arena_strndup(arena, line, len)};
            map_set(ret_interests, text_of(interest->path), interest);
        }
        list_add(arena, &interest->who, line + len + 1);
    }
}

/* Activates the triggers of files at or below a path in which the base is interested. */
static void find_file_triggers(struct deb_continuing *continuing, const struct map *interests, struct text list,
                               struct activated *activated)
{
    const struct continuing *request = continuing->request;
    struct text line;
    while (list.len && text_next(&list, '\n', &line)) {
        for (size_t len = 1; len <= line.len; len++) {
            struct interest *interest =
                len == line.len || line.ptr[len] == '/' ? map_get(interests, (struct text){line.ptr, len}) : NULL;
            if (!interest || interest->is_met || !request->has_path(request->self, line))
                continue;
            interest->is_met = true;
            for (size_t i = 0; i < interest->who.count; i++)
                activate(continuing, activated, text_of(interest->who.items[i]), interest->path);
        }
    }
}

static bool find_named_triggers(struct deb_continuing *continuing, struct text triggers, struct activated *activated)
{
    struct text line, word;
    while (triggers.len && text_next(&triggers, '\n', &line)) {
        struct strings lines = {0};
        if (!text_next_word(&line, &word) || !text_has_prefix(word, "activate") || !is_trigger_name(text_trim(line)))
            continue;
        const char *name = text_dup(continuing->arena, text_trim(line));
        if (!read_lines(continuing, arena_printf(continuing->arena, TRIGGERS_DIR "/%s", name), &lines))
            return false;
        for (size_t i = 0; i < lines.count; i++)
            activate(continuing, activated, text_of(lines.items[i]), name);
    }
    return true;
}

static struct dpkg_stanza *find_stanza(struct deb_continuing *continuing, struct text name)
{
    for (size_t i = 0; i < continuing->status.count; i++) {
        struct dpkg_stanza *stanza = &continuing->status.items[i];
        if (text_is(name, stanza->name) && stanza->state >= DPKG_UNPACKED)
            return stanza;
    }
    return NULL;
}

/* A package of the base whose triggers nobody processed: dpkg runs its postinst at the next --configure -a. */
static void set_pending(struct deb_continuing *continuing, struct dpkg_stanza *stanza, const struct strings *names)
{
    struct text rest = stanza->text, line;
    struct strings lines = {0};
    while (text_next(&rest, '\n', &line)) {
        if (text_has_prefix(line, "Status:"))
            list_add(continuing->arena, &lines, "Status: install ok triggers-pending");
        else if (line.len && !text_has_prefix(line, "Triggers-Pending:"))
            list_add(continuing->arena, &lines, text_dup(continuing->arena, line));
    }
    list_add(continuing->arena, &lines,
             arena_printf(continuing->arena, "Triggers-Pending: %s\n", strings_join(continuing->arena, names, " ")));
    stanza->text = text_of(strings_join(continuing->arena, &lines, "\n"));
    list_add(continuing->arena, &continuing->continued->unconfigured, stanza->name);
}

/* Packages of the base that dpkg would call with "triggered". Those that come are configured after all files are there. */
static bool process_triggers(struct deb_continuing *continuing, const struct strings *lines)
{
    struct map interests;
    struct activated activated = {.by_package.arena = continuing->arena};
    const struct continuing *request = continuing->request;
    struct map coming = {.arena = continuing->arena};
    list_interests(continuing->arena, lines, &interests);
    for (size_t i = 0; i < request->count; i++) {
        const struct record *record = request->packages[i].record;
        map_set(&coming, text_of(request->packages[i].package->name), continuing);
        find_file_triggers(continuing, &interests, record_bytes(record, DEB_RECORD_LIST), &activated);
        if (!find_named_triggers(continuing, record_bytes(record, "triggers"), &activated))
            return false;
    }
    for (size_t i = 0; i < activated.by_package.slots.count; i++) {
        struct text name = activated.by_package.slots.items[i].key;
        const struct strings *names = activated.by_package.slots.items[i].value;
        struct dpkg_stanza *stanza = map_get(&coming, name) ? NULL : find_stanza(continuing, name);
        if (stanza && stanza->state == DPKG_INSTALLED &&
            !is_base_done(continuing, stanza, "postinst", "triggered", strings_join(continuing->arena, names, " ")))
            set_pending(continuing, stanza, names);
    }
    return true;
}

/* ---- a package that takes another's place ---- */

static struct dpkg_stanza *find_former(struct deb_continuing *continuing, const struct package *package)
{
    struct dpkg_stanza *former = NULL;
    for (size_t i = 0; i < continuing->status.count; i++) {
        struct dpkg_stanza *stanza = &continuing->status.items[i];
        bool is_own = strcmp(stanza->architecture, package->architecture) == 0 ||
                      strcmp(stanza->architecture, "all") == 0 || strcmp(package->architecture, "all") == 0 ||
                      stanza->state < DPKG_UNPACKED;
        if (strcmp(stanza->name, package->name) == 0 && is_own)
            former = stanza;
    }
    return former;
}

static bool has_md5(struct text bytes, struct text hex)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char printed[33] = "";
    unsigned len = 0;
    if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_md5(), NULL) != 1 || len != 16)
        return false;
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(printed + 2 * (size_t)i, 3, "%02x", digest[i]);
    return text_is(hex, printed);
}

/* dpkg asks whoever changed a configuration file which version shall be; here nobody answers. */
static bool check_conffiles(const struct deb_continuing *continuing, const struct dpkg_stanza *former)
{
    struct text rest = deb822_value(&former->fields, "Conffiles"), line, path, hex;
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct text bytes;
        bool is_found;
        if (text_has_suffix(text_trim(line), "remove-on-upgrade") || !text_next_word(&line, &path) ||
            !text_next_word(&line, &hex))
            continue;
        if (!ground_read(continuing->request->ground, text_dup(continuing->arena, path), &bytes, &is_found,
                         continuing->err))
            return false;
        if (is_found && has_md5(bytes, hex))
            continue;
        err_set(continuing->err, ERR_RESOLVE,
                "package %s of the base has to be upgraded, but the base has another %.*s than it brought",
                former->name, (int)path.len, path.ptr);
        return false;
    }
    return true;
}

/* Notes what the former version's database files are called, and its files that the new one has no more. */
static bool remove_former(struct deb_continuing *continuing, const struct dpkg_stanza *former)
{
    const struct ground *ground = continuing->request->ground;
    const char *stem = arena_printf(continuing->arena, INFO_DIR "/%s.", dpkg_info_stem(continuing->arena, former));
    size_t first, count;
    ground_below(ground, INFO_DIR, &first, &count);
    for (size_t i = first; i < first + count; i++) {
        const char *path = ground->package->entries[i].path;
        if (strncmp(path, stem, strlen(stem)) == 0 && !map_get(&continuing->written, text_of(path)))
            list_add(continuing->arena, &continuing->continued->removed, path);
    }
    struct text rest, line;
    bool is_found;
    if (!ground_read(ground, arena_printf(continuing->arena, "%slist", stem), &rest, &is_found, continuing->err))
        return false;
    while (is_found && rest.len && text_next(&rest, '\n', &line)) {
        struct text path = deb_listed(line);
        const char *place =
            path.len ? deb_place(continuing->base, continuing->arena, ground, former->name, path) : NULL;
        const struct entry *entry = place ? ground_find(ground, place) : NULL;
        const char *owner = entry ? map_get(&continuing->base->owners, text_of(entry->path)) : NULL;
        if (owner && strcmp(owner, former->name) == 0 && !map_get(&continuing->kept, text_of(entry->path)))
            list_add(continuing->arena, &continuing->continued->removed, entry->path);
    }
    return true;
}

/* ---- a package that comes ---- */

static bool check_diversions(const struct deb_continuing *continuing, const struct package *package, struct text list)
{
    struct text line;
    while (list.len && text_next(&list, '\n', &line)) {
        const struct deb_diversion *diversion = map_get(&continuing->base->diversions, deb_listed(line));
        if (!diversion || text_is(diversion->package, package->name))
            continue;
        err_set(continuing->err, ERR_RESOLVE, "package %s ships %.*s, which the base diverts (dpkg-divert) for %.*s",
                package->name, (int)line.len, line.ptr, (int)diversion->package.len, diversion->package.ptr);
        return false;
    }
    return true;
}

static void note_kept(struct deb_continuing *continuing, const struct package *package, struct text list)
{
    struct text line;
    while (list.len && text_next(&list, '\n', &line)) {
        struct text path = deb_listed(line);
        const char *place =
            path.len ? deb_place(continuing->base, continuing->arena, continuing->request->ground, package->name, path)
                     : NULL;
        if (place)
            map_set(&continuing->kept, text_of(place), continuing);
    }
}

/* Writes info/NAME.*, or of status.d the stanza and md5sums. */
static void write_info(struct deb_continuing *continuing, const struct dpkg_stanza *stanza, const struct record *record)
{
    const char *stem = arena_printf(continuing->arena, INFO_DIR "/%s", dpkg_info_stem(continuing->arena, stanza));
    for (size_t i = 0; i < record->count; i++) {
        const struct record_item *item = &record->items[i];
        struct text bytes = item->bytes;
        const char *name = item->name;
        if (strcmp(name, "control") == 0 || strcmp(name, DEB_RECORD_CONFFILES) == 0)
            continue;
        if (strcmp(name, DEB_RECORD_LIST) == 0) {
            bytes = keep_lines(continuing, bytes, 0, "");
            name = "list";
        } else if (strcmp(name, "md5sums") == 0) {
            bytes = keep_lines(continuing, bytes, 34, "/");
        }
        write_file(continuing, arena_printf(continuing->arena, "%s.%s", stem, name), bytes, item->mode);
    }
}

static bool add_package(struct deb_continuing *continuing, const struct continuing_package *added)
{
    const struct record *record = added->record;
    const struct package *package = added->package;
    struct dpkg_stanza stanza, *former = find_former(continuing, package), old = {0};
    bool is_upgrade = former && former->state >= DPKG_UNPACKED;
    bool is_configured = are_scripts_done(continuing, added, is_upgrade ? former : NULL);
    enum dpkg_state state = is_configured ? DPKG_INSTALLED : DPKG_HALF_CONFIGURED;
    if (!is_configured)
        list_add(continuing->arena, &continuing->continued->unconfigured, package->name);
    struct text list = record_bytes(record, DEB_RECORD_LIST);
    if (!dpkg_stanza_make(continuing->arena, record_bytes(record, "control"), state,
                          keep_conffiles(continuing, record_bytes(record, DEB_RECORD_CONFFILES)), &stanza,
                          continuing->err) ||
        !check_diversions(continuing, package, list))
        return false;
    if (former) {
        old = *former;
        *former = stanza;
    } else {
        list_add(continuing->arena, &continuing->status, stanza);
    }
    if (continuing->base->is_plain) {
        const char *path = arena_printf(continuing->arena, DPKG_DIR "/status.d/%s", package->name);
        struct text sums = keep_lines(continuing, record_bytes(record, "md5sums"), 34, "/");
        write_file(continuing, path, stanza.text, 0644);
        if (sums.len)
            write_file(continuing, arena_printf(continuing->arena, "%s.md5sums", path), sums, 0644);
        return true;
    }
    write_info(continuing, &stanza, record);
    note_kept(continuing, package, list);
    return (!is_upgrade || drop_named(continuing, &old)) &&
           take_triggers(continuing, &stanza, record_bytes(record, "triggers")) &&
           (!is_upgrade || (check_conffiles(continuing, &old) && remove_former(continuing, &old)));
}

static bool is_same_list(const struct strings *a, const struct strings *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++)
        is_same = strcmp(a->items[i], b->items[i]) == 0;
    return is_same;
}

/* `before`: the lines of triggers/File that the base has. */
static void write_triggers(struct deb_continuing *continuing, const struct strings *before)
{
    struct arena *arena = continuing->arena;
    if (!is_same_list(&continuing->file_triggers, before)) {
        list_add(arena, &continuing->file_triggers, "");
        write_file(continuing, TRIGGERS_DIR "/File", text_of(strings_join(arena, &continuing->file_triggers, "\n")),
                   0644);
    }
    for (size_t i = 0; i < continuing->named_triggers.slots.count; i++) {
        struct strings *named = continuing->named_triggers.slots.items[i].value;
        struct text name = continuing->named_triggers.slots.items[i].key;
        const char *path = arena_printf(arena, TRIGGERS_DIR "/%.*s", (int)name.len, name.ptr);
        if (named->count) {
            list_add(arena, named, "");
            write_file(continuing, path, text_of(strings_join(arena, named, "\n")), 0644);
        } else if (ground_find(continuing->request->ground, path)) {
            list_add(arena, &continuing->continued->removed, path);
        }
    }
}

/* Adds lines "USER GROUP MODE PATH" to the base's; a path of the base that has one is overridden already, and no script adds
 * a second. */
static bool write_overrides(struct deb_continuing *continuing)
{
    static const char path[] = DPKG_DIR "/statoverride";
    const struct continuing *request = continuing->request;
    struct arena *arena = continuing->arena;
    struct strings lines = {0};
    struct map there = {.arena = arena};
    if (!read_lines(continuing, path, &lines))
        return false;
    for (size_t i = 0; i < lines.count; i++) {
        struct text path_there = text_of(lines.items[i]), word;
        for (unsigned word_count = 0; word_count < 3; word_count++)
            (void)text_next(&path_there, ' ', &word);
        (void)map_add(&there, path_there.ptr ? path_there : TEXT(""), arena);
    }
    size_t before = lines.count;
    for (size_t i = request->override_count; i-- > 0;) {
        const struct continuing_override *override = &request->overrides[i];
        if (map_add(&there, text_of(override->path), arena))
            list_add(arena, &lines,
                     arena_printf(arena, "%s %s %o %s", override->owner, override->group, (unsigned) override->mode,
                                  override->path));
    }
    list_add(arena, &lines, "");
    if (lines.count > before + 1)
        write_file(continuing, path, text_of(strings_join(arena, &lines, "\n")), 0644);
    return true;
}

bool deb_installed_continue(struct arena *arena, const struct continuing *request, struct continued *ret_continued,
                            struct err *err)
{
    const struct deb_installed *base = request->installed->database;
    struct deb_continuing continuing = {
        .arena = arena, .request = request, .base = base, .continued = ret_continued, .err = err};
    continuing.kept.arena = continuing.written.arena = continuing.named_triggers.arena = arena;
    *ret_continued = (struct continued){0};
    for (size_t i = 0; i < base->status.count; i++)
        list_add(arena, &continuing.status, base->status.items[i]);
    if (!base->is_plain && !read_lines(&continuing, TRIGGERS_DIR "/File", &continuing.file_triggers))
        return false;
    struct strings before = {0};
    for (size_t i = 0; i < continuing.file_triggers.count; i++)
        list_add(arena, &before, continuing.file_triggers.items[i]);
    for (size_t i = 0; i < request->count; i++) {
        if (add_package(&continuing, &request->packages[i]))
            continue;
        err_wrap(err, "package %s", request->packages[i].package->name);
        return false;
    }
    if (base->is_plain || !request->count)
        return true;
    if (!process_triggers(&continuing, &before) || !write_overrides(&continuing))
        return false;
    if (!request->ground) { /* without Unincorp dpkg takes the database for one of before triggers */
        write_file(&continuing, INFO_DIR "/format", TEXT("1\n"), 0644);
        write_file(&continuing, TRIGGERS_DIR "/Unincorp", TEXT(""), 0644);
    }
    write_file(&continuing, DPKG_DIR "/status", dpkg_status_print(arena, &continuing.status), 0644);
    write_triggers(&continuing, &before);
    return true;
}
