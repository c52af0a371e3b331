#include "plan/features.h"

#include "plan/rules.h"

#define MOST_PACKAGES 6
#define MOST_FILES 5

/* One line of a feature. A file that is not optional must be found: one of its packages has to be offered. */
struct feature_file {
    const char *path;
    bool is_optional;
    const char *packages[MOST_PACKAGES];
};

struct feature {
    const char *name;
    const char *directory; /* of the plug-ins, as it shows in the programs: "/sasl2" */
    struct feature_file files[MOST_FILES];
};

/* Packages: Debian's name first, then Fedora's. */
static const struct feature features[] = {
    {"pam",
     "/security",
     {{"/usr/lib*/**/security/pam_permit.so", false, {"libpam-modules", "pam"}},
      {"/usr/lib*/**/security/pam_deny.so", false, {"libpam-modules", "pam"}},
      {"/etc/security/**", true, {"libpam-modules", "pam", "pam-libs"}},
      {"/etc/pam.d/other", true, {"libpam-runtime", "pam"}}}},
    {"nss", "/libnss_", {{0}}},
    {"sasl",
     "/sasl2",
     {{"/usr/lib*/**/sasl2/*.so*", false, {"libsasl2-modules", "cyrus-sasl-plain"}},
      {"/usr/lib*/**/sasl2/*.so*", true, {"libsasl2-modules-db", "cyrus-sasl-lib", "cyrus-sasl-scram"}}}},
    {"krb5",
     "/krb5/plugins",
     {{"/usr/lib*/**/krb5/plugins/**", true, {"libkrb5-3", "krb5-libs", "krb5-pkinit"}},
      {"/usr/lib*/**/gss/**", true, {"libgssapi-krb5-2", "krb5-libs"}},
      {"/etc/krb5.conf", true, {"krb5-config", "krb5-libs"}}}},
    {"openssl",
     "/ossl-modules",
     {{"/usr/lib*/**/ossl-modules/*.so", true, {"libssl3", "libssl3t64", "openssl-libs", "openssl-fips-provider-so"}},
      {"/usr/lib*/**/engines-3/*.so", true, {"libssl3", "libssl3t64", "openssl-libs"}},
      {"/usr/lib/ssl/openssl.cnf", true, {"openssl"}},
      {"/etc/ssl/openssl.cnf", true, {"openssl"}},
      {"/etc/pki/tls/openssl.cnf", true, {"openssl-libs"}}}},
    {"gconv",
     "/gconv",
     {{"/usr/lib*/**/gconv/**", false, {"libc6", "glibc-gconv-extra"}}, {"/usr/lib*/**/gconv/**", true, {"glibc"}}}},
    {"locale", NULL, {{"/usr/lib/locale/C.utf8/**", false, {"libc-bin", "glibc-common"}}}},
    {"tzdata", NULL, {{"/usr/share/zoneinfo/**", false, {"tzdata"}}}},
    {"apache-modules",
     "/modules/mod_",
     {{"/usr/lib*/*/modules/mod_*.so", false, {"apache2-bin", "httpd-core", "httpd"}},
      {"/usr/lib*/*/modules/mod_*.so", true, {"mod_ssl", "mod_http2", "mod_lua"}}}},
    {"nginx-modules", "/nginx/modules", {{"/usr/lib*/nginx/modules/*.so", false, {0}}}},
    {"kea-hooks", "/kea/hooks", {{"/usr/lib*/**/kea/hooks/*.so", false, {"kea-common", "kea", "kea-hooks"}}}},
    {"bind-plugins", "/bind/", {{"/usr/lib*/**/bind/*.so", false, {"bind9", "bind"}}}},
};

/* Name service modules that are not in glibc itself, and who ships them. */
static const struct {
    const char *service;
    const char *packages[MOST_PACKAGES];
} services[] = {
    {"compat", {"libc6", "glibc"}},
    {"db", {"libnss-db", "nss_db"}},
    {"ldap", {"libnss-ldapd", "nss-pam-ldapd"}},
    {"sss", {"libnss-sss", "sssd-client"}},
    {"winbind", {"libnss-winbind", "samba-winbind-modules"}},
    {"wins", {"libnss-winbind", "samba-winbind-modules"}},
    {"systemd", {"libnss-systemd", "systemd-libs", "systemd"}},
    {"myhostname", {"libnss-myhostname", "systemd-libs", "systemd"}},
    {"resolve", {"libnss-resolve", "systemd-resolved"}},
    {"mymachines", {"libnss-mymachines", "systemd-container"}},
    {"extrausers", {"libnss-extrausers", "nss-extrausers"}},
    {"mdns", {"libnss-mdns", "nss-mdns"}},
    {"mdns4", {"libnss-mdns", "nss-mdns"}},
    {"mdns6", {"libnss-mdns", "nss-mdns"}},
    {"mdns_minimal", {"libnss-mdns", "nss-mdns"}},
    {"mdns4_minimal", {"libnss-mdns", "nss-mdns"}},
    {"mdns6_minimal", {"libnss-mdns", "nss-mdns"}},
};

#define NSSWITCH_PATH "/etc/nsswitch.conf"

/* What glibc does without the file, written down for programs that read it (nsswitch.conf(5)). */
static const char default_nsswitch[] = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
                                       "services: files\nprotocols: files\nrpc: files\nethers: files\n";

static void add_file(struct arena *arena, struct manifest *manifest, const char *giver, const char *path,
                     bool is_optional, const char *const *packages)
{
    struct manifest_file file = {.path = path, .is_optional = is_optional, .giver = giver};
    for (size_t i = 0; i < MOST_PACKAGES && packages[i]; i++)
        list_add(arena, &file.packages, packages[i]);
    list_add(arena, &manifest->files, file);
}

static const char *made_text(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->made.count; i++) {
        const struct manifest_made *made = &manifest->made.items[i];
        if (made->kind == MADE_FILE && strcmp(made->path, path) == 0)
            return made->content;
    }
    return NULL;
}

/* One service word of nsswitch.conf; "files" and "dns" are in the C library itself (glibc 2.34). */
static void add_service(struct arena *arena, struct text word, struct manifest *manifest)
{
    static const char *const anywhere[MOST_PACKAGES] = {0};
    if (!word.len || word.ptr[0] == '[' || text_is(word, "files") || text_is(word, "dns"))
        return;
    const char *const *packages = anywhere;
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        if (text_is(word, services[i].service))
            packages = services[i].packages;
    }
    const char *name = text_dup(arena, word);
    if (strpbrk(name, "/*?[") == NULL)
        add_file(arena, manifest, "the feature nss", arena_printf(arena, "/usr/lib*/**/libnss_%s.so.2", name), false,
                 packages);
}

static void add_services(struct arena *arena, struct manifest *manifest)
{
    const char *config = made_text(manifest, NSSWITCH_PATH);
    if (!config)
        list_add(arena, &manifest->made,
                 (struct manifest_made){.kind = MADE_FILE,
                                        .path = NSSWITCH_PATH,
                                        .mode = 0644,
                                        .owner = "root",
                                        .group = "root",
                                        .content = default_nsswitch,
                                        .why = "the feature nss, for want of one in the manifest"});
    struct text rest = text_of(config ? config : default_nsswitch), line;
    while (text_next(&rest, '\n', &line)) {
        struct text words, word, database;
        (void)text_next(&line, '#', &words);
        if (!text_next(&words, ':', &database) || !words.len)
            continue;
        while (text_next_word(&words, &word))
            add_service(arena, word, manifest);
    }
}

static void add_feature(struct arena *arena, const struct feature *feature, struct manifest *manifest)
{
    const char *giver = arena_printf(arena, "the feature %s", feature->name);
    for (size_t i = 0; i < MOST_FILES && feature->files[i].path; i++)
        add_file(arena, manifest, giver, feature->files[i].path, feature->files[i].is_optional,
                 feature->files[i].packages);
    if (strcmp(feature->name, "nss") == 0)
        add_services(arena, manifest);
    if (strcmp(feature->name, "pam") == 0)
        manifest->has_pam = true;
}

static const struct feature *find_feature(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
        if (strcmp(features[i].name, name) == 0)
            return &features[i];
    }
    return NULL;
}

static bool fail_unknown(struct arena *arena, const struct yaml_node *node, const char *name, struct err *err)
{
    struct strings names = {0};
    for (size_t i = 0; i < ARRAY_COUNT(features); i++)
        list_add(arena, &names, features[i].name);
    return yaml_fail(node, err, "'%s' is no feature; known: %s; or a glob of plug-ins that begins with '/'",
                     text_printable(arena, text_of(name)), strings_join(arena, &names, ", "));
}

bool features_expand(struct arena *arena, const struct yaml_node *node, struct manifest *manifest, struct err *err)
{
    static const char *const anywhere[MOST_PACKAGES] = {0};
    for (size_t i = 0; i < manifest->features.count; i++) {
        const char *name = manifest->features.items[i];
        const struct feature *feature = find_feature(name);
        const char *why = *name == '/' ? rule_path(name) : NULL;
        if (!why && *name == '/')
            why = rule_glob(name);
        if (why)
            return yaml_fail(yaml_item(node, i), err, "'%s' %s", text_printable(arena, text_of(name)), why);
        if (*name == '/')
            add_file(arena, manifest, "the features of the manifest", name, false, anywhere);
        else if (!feature)
            return fail_unknown(arena, yaml_item(node, i), name, err);
        else
            add_feature(arena, feature, manifest);
    }
    return true;
}

const char *features_of_path(const char *path)
{
    for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
        if (features[i].directory && strstr(path, features[i].directory))
            return features[i].name;
    }
    return NULL;
}
