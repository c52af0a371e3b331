/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/yum_options.h"

#include "rpmmd/rpm_variables.h"
#include "source/config_files.h"

#define PRIORITY_DEFAULT 99
#define NUMBER_MAX 1000000u

/* One option being read. */
struct reading {
    const struct yum_place *place;
    const struct ini_value *value;
    const char *text; /* the value, its variables replaced */
};

static bool fail(const struct reading *reading, const char *why, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: %s: %s: \"%s\"", reading->place->path, reading->value->line, reading->value->key,
            why, reading->text);
    return false;
}

/* dnf's words for yes and no. */
static bool read_bool(const struct reading *reading, void *field, struct err *err)
{
    static const char *const yes[] = {"1", "yes", "true", "on"};
    static const char *const no[] = {"0", "no", "false", "off"};
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        bool is_yes = text_is_nocase(text_of(reading->text), yes[i]);
        if (is_yes || text_is_nocase(text_of(reading->text), no[i])) {
            *(bool *)field = is_yes;
            return true;
        }
    }
    return fail(reading, "neither 1 nor 0 (nor yes, no, true, false, on, off)", err);
}

static bool read_number(const struct reading *reading, void *field, struct err *err)
{
    uint64_t number;
    if (!text_parse_u64(text_of(reading->text), &number) || number > NUMBER_MAX)
        return fail(reading, "not a number that it can be", err);
    *(int *)field = (int)number;
    return true;
}

/* Adds the words; an empty value empties the list. */
static bool add_words(const struct reading *reading, void *field, struct err *err)
{
    struct strings *list = field, more = {0};
    (void)err;
    config_words(reading->place->arena, text_of(reading->text), true, &more);
    if (!more.count)
        *list = more;
    for (size_t i = 0; i < more.count; i++)
        list_add(reading->place->arena, list, more.items[i]);
    return true;
}

/* Replaces the words; their variables wait for the architecture (rpm_repository_finish()). */
static bool read_words(const struct reading *reading, void *field, struct err *err)
{
    struct strings words = {0};
    (void)err;
    config_words(reading->place->arena, text_of(reading->value->value), true, &words);
    *(struct strings *)field = words;
    return true;
}

/* What is on the host is looked for below the root that plays the host. */
static const char *below_root(const struct reading *reading, const char *path)
{
    static const char scheme[] = "file://";
    if (text_has_prefix(text_of(path), scheme))
        path += sizeof scheme - 1;
    return *path == '/' ? arena_printf(reading->place->arena, "%s%s", reading->place->root, path) : path;
}

static bool read_keys(const struct reading *reading, void *field, struct err *err)
{
    struct strings keys = {0}, *list = field;
    if (!read_words(reading, &keys, err))
        return false;
    *list = (struct strings){0};
    for (size_t i = 0; i < keys.count; i++) {
        bool is_file = text_has_prefix(text_of(keys.items[i]), "file://");
        list_add(reading->place->arena, list, is_file ? below_root(reading, keys.items[i]) : keys.items[i]);
    }
    return true;
}

/* Variables of these, too, wait for the architecture. */
static bool read_later(const struct reading *reading, void *field, struct err *err)
{
    (void)err;
    *(const char **)field = *reading->value->value ? reading->value->value : NULL;
    return true;
}

static bool read_text(const struct reading *reading, void *field, struct err *err)
{
    (void)err;
    *(const char **)field = *reading->text ? reading->text : NULL;
    return true;
}

static bool read_path(const struct reading *reading, void *field, struct err *err)
{
    (void)err;
    *(const char **)field = *reading->text ? below_root(reading, reading->text) : NULL;
    return true;
}

/* "_none_", and nothing, undo what [main] says: then the environment counts again, as with dnf. */
static bool read_proxy(const struct reading *reading, void *field, struct err *err)
{
    static const char *const schemes[] = {"http://", "https://", "socks4://", "socks4a://", "socks5://", "socks5h://"};
    const char *text = reading->text;
    bool is_known = !*text || text_is_nocase(text_of(text), "_none_");
    *(const char **)field = is_known ? NULL : text;
    for (size_t i = 0; i < ARRAY_COUNT(schemes) && !is_known; i++) {
        size_t len = strlen(schemes[i]);
        is_known = strlen(text) > len && text_is_nocase((struct text){text, len}, schemes[i]);
    }
    if (is_known)
        return true;
    err_set(err, ERR_USAGE,
            "%s:%zu: proxy: a proxy is written http://HOST:PORT (https, socks4, socks4a, socks5, socks5h)",
            reading->place->path, reading->value->line);
    return false;
}

void yum_options_init(struct yum_options *options)
{
    *options = (struct yum_options){
        .repository = {.is_gpg_checked = true, .priority = PRIORITY_DEFAULT, .cost = RPM_COST_DEFAULT},
        .is_enabled = true,
        .is_verified = true,
        .plugin_dir = "/etc/dnf/plugins",
        .has_plugins = true,
        .is_best = true,
    };
}

#define OPTION(key, read, field)                                                                                       \
    {                                                                                                                  \
        key, read, offsetof(struct yum_options, field)                                                                 \
    }

bool yum_option_set(const struct yum_place *place, const struct ini_value *value, struct yum_options *options,
                    struct err *err)
{
    static const struct {
        const char *key;
        bool (*read)(const struct reading *reading, void *field, struct err *err);
        size_t offset;
    } table[] = {
        OPTION("enabled", read_bool, is_enabled),
        OPTION("gpgcheck", read_bool, repository.is_gpg_checked),
        OPTION("repo_gpgcheck", read_bool, repository.is_repo_gpg_checked),
        OPTION("module_hotfixes", read_bool, repository.has_module_hotfixes),
        OPTION("skip_if_unavailable", read_bool, repository.is_optional),
        OPTION("excludepkgs", add_words, repository.exclude_pkgs),
        OPTION("exclude", add_words, repository.exclude_pkgs),
        OPTION("includepkgs", add_words, repository.include_pkgs),
        OPTION("name", read_later, repository.name),
        OPTION("metalink", read_later, repository.metalink),
        OPTION("mirrorlist", read_later, repository.mirrorlist),
        OPTION("baseurl", read_words, repository.base_urls),
        OPTION("gpgkey", read_keys, repository.gpg_keys),
        OPTION("cost", read_number, repository.cost),
        OPTION("priority", read_number, repository.priority),
        OPTION("sslverify", read_bool, is_verified),
        OPTION("sslcacert", read_path, access.tls.ca_file),
        OPTION("sslclientcert", read_path, access.tls.cert_path),
        OPTION("sslclientkey", read_path, access.tls.key_path),
        OPTION("username", read_text, access.user),
        OPTION("password", read_text, access.password),
        OPTION("proxy", read_proxy, access.proxy),
        OPTION("proxy_username", read_text, access.proxy_user),
        OPTION("proxy_password", read_text, access.proxy_password),
        OPTION("best", read_bool, is_best),
        OPTION("plugins", read_bool, has_plugins),
        OPTION("pluginconfpath", read_text, plugin_dir),
        OPTION("disable_excludes", add_words, disabled_excludes),
    };
    struct reading reading = {.place = place, .value = value};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (strcmp(value->key, table[i].key) != 0)
            continue;
        reading.text = rpm_expand(place->arena, place->variables, NULL, value->value, NULL);
        return table[i].read(&reading, (char *)options + table[i].offset, err);
    }
    return true;
}

const struct http_access *yum_options_access(struct arena *arena, const struct yum_options *options)
{
    const struct http_access *access = &options->access;
    bool is_special = access->tls.ca_file || access->tls.cert_path || access->tls.key_path || access->user ||
                      access->proxy || !options->is_verified;
    if (!is_special)
        return NULL;
    struct http_access *copy = arena_new(arena, struct http_access);
    *copy = *access;
    copy->tls.is_verify_off = !options->is_verified;
    copy->password = copy->user ? copy->password : NULL;
    return copy;
}
